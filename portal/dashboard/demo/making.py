"""Makes the demo company once; a second time finds that it stands."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from incidents.enums import IntakeKind
from incidents.intake import tokens
from incidents.models import EscalationPolicy
from portal.accounts.models import User
from portal.audit.actor import By, acting
from portal.audit.sealing import seal
from portal.dashboard.demo import (
    approving,
    assuring,
    burning,
    changing,
    company,
    exercising,
    maintaining,
    major,
    minor,
    recovering,
    rotating,
    runbooking,
    sourcing,
    telling,
    windowing,
)
from portal.dashboard.demo.founding import REASON, found
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.dashboard.demo.story import ALERTS
from portal.directory.models import System

BEGAN = timedelta(days=100)
# Documented on purpose: it opens the embedded default of this machine alone, see `password`.
KNOWN = "halyard-demo"
LOGINS = tuple(person.login for person in company.PEOPLE if person.login)
STORIES = [*major.MAJOR, *minor.MINOR, *burning.DRILLS, *burning.CANCELLED, *burning.SETTLING, *burning.OPEN]


class NotEmpty(Exception):
    """The portal holds systems of somebody's own; the demo company does not move in with them."""


@dataclass(frozen=True)
class Demo:
    """What stands after `make`. `password` and `intake` are empty where they cannot be shown."""

    new: bool
    incidents: int = 0
    password: str = ""
    intake: str = ""
    logins: list[str] = field(default_factory=list)


def password(vendor: str) -> str:
    """Return the password of the demo's logins.

    It is the documented one on the embedded database of a portal without https, a random one on a database server,
    and empty with https: an installation that is reached from elsewhere gets no demo logins at all.
    """
    if settings.SECURE:
        return ""
    return KNOWN if vendor == "sqlite" else secrets.token_urlsafe(12)


def make(*, by: By, now: datetime) -> Demo:
    """Make company, history and the present, all or nothing. NotEmpty is raised where other systems stand."""
    if System.objects.filter(slug=company.SYSTEMS[0].slug).exists() and EscalationPolicy.objects.exists():
        return _standing()
    if System.objects.exists():
        raise NotEmpty("This portal holds systems of its own, so the demo company was not added. Nothing was changed.")
    with transaction.atomic():
        made = _make(by=by, now=now)
    while seal(at=now):
        pass  # what is told of the past has waited for its seal ever since, as health would say
    return made


def _standing() -> Demo:
    logins = [name for name in LOGINS if User.objects.filter(username=name, is_active=True).exists()]
    return Demo(new=False, logins=logins, password=password(connection.vendor) if connection.vendor == "sqlite" else "")


def _make(*, by: By, now: datetime) -> Demo:
    chosen, at = password(connection.vendor), now - BEGAN
    with acting(by=by, at=at, origin="command", reason=REASON):  # nothing that a change would have announced
        people = found(by=by, at=at, now=now, password=chosen)
        telling.found(people)
        assuring.engage(by=by, at=at, now=now)
        source, secret = tokens.add(name=ALERTS, kind=IntakeKind.ALERTMANAGER, by=by, at=at, reason=REASON)
        sourcing.add_sources(by=by, at=at, now=now, reason=REASON)
    play = Play(people, source, now)
    count = play.run(STORIES)
    telling.play(play)
    approving.play(play)
    runbooking.play(play)
    changing.play(play)
    recovering.play(play)
    exercising.play(play)
    maintaining.play(play)
    windowing.play(play)
    assuring.play(play)
    with acting(by=by, at=now, origin=ORIGIN):
        rotating.follow_the_sun(people, now=now)
    logins = list(LOGINS) if chosen else []
    return Demo(new=True, incidents=count, password=chosen, intake=tokens.address_of(secret), logins=logins)
