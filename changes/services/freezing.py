"""Letting one change through a freeze: by the change authority, with a reason, for exactly this content."""

from __future__ import annotations

from datetime import datetime

from changes import approving
from changes.enums import Status
from changes.models import Change, Freeze, FreezeOverride
from changes.policy import NotYours, Refused
from changes.services.common import account_of, locked, say
from portal.accounts.roles import has_role
from portal.audit.actor import By, actor_of, current
from portal.lib.blank import is_blank

AUTHORITY = "change-approver"
HELD_UP = (Status.SUBMITTED, Status.ASSESSED, Status.APPROVED, Status.SCHEDULED)
"""States in which a freeze holds a change up, and an edit of its content makes a new version."""


def override(change: Change, freeze: Freeze, *, by: By, at: datetime, reason: str) -> FreezeOverride:
    """Let a change through a freeze.

    NotYours is raised for whoever is not the change authority, and for its requester, its implementer and who edited
    it. Refused is raised without a reason, twice for the same content, before it is submitted, and once it is begun.
    """
    with locked(change, by=by, at=at, reason=reason) as row:
        account = account_of(by)
        if account is None or not has_role(account, AUTHORITY):
            raise NotYours("Only the change authority lets a change through a freeze.")
        if account in (row.requester, row.implementer):
            raise NotYours("You request it or carry it out yourself. Somebody else of the change authority decides.")
        if account.pk in approving.authors_of(row.pk):
            raise NotYours("You edited it after it was handed in. Somebody else of the change authority decides.")
        if is_blank(reason):
            raise Refused("Say in a sentence why it may go through the freeze. The reason is kept.")
        if row.status in (Status.DRAFT, Status.REJECTED):
            raise Refused("It is not submitted, and can still become something else. Submit it first.")
        if row.status not in HELD_UP:
            raise Refused(f"This change is {row.get_status_display().lower()}. No freeze holds it up any more.")
        if FreezeOverride.objects.filter(change=row, freeze=freeze, version=row.version).exists():
            raise Refused("It was let through this freeze already.")
        context = current()
        made: FreezeOverride = FreezeOverride.objects.create(
            change=row, freeze=freeze, version=row.version, reason=reason.strip(), overridden_at=at,
            overridden_by=actor_of(by).name, overrider_id=account.pk, origin=context.origin if context else "",
            gesture=context.gesture if context else None,
        )  # fmt: skip
        say(row, "override", f"let it through the freeze “{freeze}”", by=by, at=at, reason=reason)
    return made
