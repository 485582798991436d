"""Plans of maintenance for tests, made through the services as everybody else makes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from itertools import count
from typing import Any

from maintenance import services
from maintenance.enums import Frequency
from maintenance.models import Occurrence, Plan
from portal.directory.models import Contact, System
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact

WHY = "For the test"
FIRST = date(2026, 11, 2)  # a Monday, two weeks before NOON
_numbers = count(1)


def make_draft(*, systems: Iterable[System] = (), at: datetime = NOON, **values: Any) -> Plan:
    """A plan with its people that is not in force yet: every month from the 2nd on, at noon in London."""
    given = {
        "task": f"Look after something {next(_numbers)}",
        "frequency": Frequency.MONTHLY,
        "anchor": FIRST,
        "due_time": time(12),
        "owner": values.pop("owner", None) or make_contact("Amara Okafor"),
        "manager": values.pop("manager", None) or make_contact("Maren Holt"),
    }
    return services.draft({**given, **values}, systems, by="system: test", at=at, reason=WHY)


def make_plan(*, last_done_on: date | None = None, at: datetime = NOON, **values: Any) -> Plan:
    """A plan in force, with its next date open."""
    plan = make_draft(at=at, **values)
    return services.put_in_force(plan, by="system: test", at=at, reason=WHY, last_done_on=last_done_on)


def standing(plan: Plan) -> Occurrence:
    """Return the date of a plan that stands."""
    found: Occurrence = plan.occurrences.get(state__in=["open", "to_sign"])
    return found


def make_member(name: str, role: str = "responder") -> tuple[Any, Contact]:
    """An account with its entry in the directory."""
    first, _, last = name.partition(" ")
    user = make_user(roles=[role], first_name=first, last_name=last)
    return user, make_contact(name, user=user)
