"""Evidence for tests: a file that came in, kept through the service."""

from __future__ import annotations

from itertools import count
from typing import Any

from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory.models import Contact
from portal.records.evidence import policy, services
from portal.records.evidence.incoming import Incoming
from portal.records.evidence.models import Evidence
from tests.factories.accounts import make_user
from tests.factories.directory import NOON
from tests.factories.incidents import make_incident

_numbers = count(1)
LOG = b"Nov 17 12:00:01 db-eu-1 sshd[812]: Failed password for root\n"


def make_incoming(content: bytes = LOG, name: str = "auth.log") -> Incoming:
    """A file that came in and is not kept yet."""
    incoming = Incoming(name)
    incoming.write(content)
    return incoming


def make_holder(name: str = "", *, roles: tuple[str, ...] = ("responder",)) -> User:
    """An account with an entry in the directory."""
    user = make_user(name or f"holder-{next(_numbers)}", roles=list(roles))
    Contact.objects.get_or_create(user=user, defaults={"name": str(user)})
    return user


def make_evidence(
    content: bytes = LOG, name: str = "auth.log", *, subject: Any = None, by: Any = None, **fields: Any
) -> Evidence:
    """A piece of evidence of an incident, collected at NOON by somebody with an account."""
    fields = {"source": "db-eu-1:/var/log", "acquired_at": NOON, "at": NOON, "most": policy.MEGABYTE, **fields}
    by = by or make_holder()
    with acting(by=by, anew=True):
        return services.collect(subject or make_incident(), make_incoming(content, name), by=by, **fields)
