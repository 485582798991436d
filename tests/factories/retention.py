"""Tombstones for tests, asked for and confirmed by two administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.accounts.models import User
from portal.audit import retention
from portal.audit.models import Tombstone, TombstoneRequest
from portal.audit.sealing import seal
from tests.factories.accounts import make_user
from tests.factories.directory import NOON

ASKED_AT, CONFIRMED_AT = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
WHY = "Erasure asked for under article 17"


def ask(about: Any, by: User, **options: Any) -> TombstoneRequest:
    """Ask for the sealed rows about a record, or those of `positions`."""
    positions = options.pop("positions", None)
    if positions is None:
        positions = retention.positions_of(about._meta.label_lower, str(about.pk), **options)
    return retention.ask(positions=positions, by=by, at=ASKED_AT, reason=WHY)


def make_tombstone(about: Any, first: User | None = None, second: User | None = None, **options: Any) -> Tombstone:
    """Remove the words of a record, asked for by one and confirmed by the other; what is written is sealed."""
    first = first or make_user(roles=["administrator"])
    second = second or make_user(roles=["administrator"])
    made = retention.confirm(ask(about, first, **options), by=second, at=CONFIRMED_AT)
    seal(at=CONFIRMED_AT)
    return made
