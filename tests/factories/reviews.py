"""Reviews for tests: people who change something privileged, and reviews of what they did."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from portal.accounts.models import User
from portal.assurance.models import Review, ReviewItem
from portal.assurance.services import opening
from portal.assurance.services.holdings import Scope
from portal.audit.actor import acting
from portal.directory.models import Team
from tests.factories.directory import NOON

DAY = timedelta(days=1)
ROLES = ("Security lead", "Manager")
_numbers = count(1)


def change(
    by: Any = "system: tests", *, at: datetime = NOON, reason: str = "It had to be", times: int = 1
) -> list[Team]:
    """So many privileged changes of their own gesture each, by somebody, a second apart."""
    made = []
    for number in range(times):
        slug = f"changed-{next(_numbers)}"
        with acting(by=by, at=at + number * timedelta(seconds=1), reason=reason, origin="web", alone=True):
            made.append(Team.objects.create(slug=slug, name=slug.title()))
    return made


def make_review(**fields: Any) -> Review:
    """A review of the privileged changes of the day of NOON, opened a day later."""
    values = {
        "period_from": NOON - DAY / 2,
        "period_until": NOON + DAY / 2,
        "due_at": NOON + 10 * DAY,
        "reviewer_roles": ROLES,
        "by": "system: tests",
        "at": NOON + DAY,
        "reason": "A test",
        **fields,
    }
    return opening.review_changes(**values)


def make_access_review(scope: Scope | None = None, **fields: Any) -> Review:
    """A review of who holds what, opened at NOON."""
    values = {
        "scope": scope or Scope(roles=("Responder", "Manager", "Auditor")),
        "due_at": NOON + 10 * DAY,
        "reviewer_roles": ROLES,
        "by": "system: tests",
        "at": NOON,
        "reason": "A test",
        **fields,
    }
    return opening.review_access(**values)


def item_about(review: Review, user: User | None, title: str = "") -> ReviewItem:
    """The first item about somebody."""
    rows = ReviewItem.objects.filter(review=review, about_id=user.pk if user else None, title__contains=title)
    found = rows.order_by("number").first()
    assert found is not None
    return found
