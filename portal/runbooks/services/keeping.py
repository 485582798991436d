"""A runbook as a whole: its facts, the confirmation that it is still true, its end."""

from __future__ import annotations

from datetime import datetime

from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.directory.models import System, Team
from portal.lib.blank import is_blank
from portal.runbooks.enums import OPEN, VersionState
from portal.runbooks.models import Runbook
from portal.runbooks.policy import Refused, next_state
from portal.runbooks.services import reviews
from portal.runbooks.services.common import locked, say


def change_facts(
    runbook: Runbook,
    *,
    title: str,
    system: System | None,
    owner: Team | None,
    review_every_days: int,
    by: By,
    at: datetime,
    reason: str = "",
) -> Runbook:
    """Change what a runbook is called, which system it is about, who keeps it, and how often it is reviewed."""
    if is_blank(title):
        raise Refused("Give the runbook a title, such as the name of the system.")
    with locked(runbook, by=by, at=at, reason=reason) as row:
        row.title, row.system, row.owner = " ".join(title.split())[:200], system, owner
        row.review_every_days = review_every_days
        row.save()
        reviews.set_due(row, at=at)
    return row


def confirm(runbook: Runbook, *, by: By, at: datetime, reason: str) -> Runbook:
    """Say, with what was looked at, that the version in force is still true. The next review is due a period later."""
    if is_blank(reason):
        raise Refused("Say what you looked at, so that the next reader can believe it.")
    with locked(runbook, by=by, at=at, reason=reason) as row:
        published = row.versions.filter(state=VersionState.PUBLISHED).first()
        if published is None:
            raise Refused("Nothing is published yet, so that there is nothing to confirm.")
        reviews.reviewed(row, by=by, at=at)
        say(row, "confirmed", f"confirmed that version {published.number} is still true", by=by, at=at, reason=reason)
    return row


def retire(runbook: Runbook, *, by: By, at: datetime, reason: str) -> Runbook:
    """End a runbook, with a reason. Its versions stay readable; none is in force any more, and none is written."""
    if is_blank(reason):
        raise Refused("Say in a sentence why it is retired. The reason is kept.")
    with locked(runbook, by=by, at=at, reason=reason) as row:
        if row.retired_at is not None:
            raise Refused(f"{row.reference} was retired already.")
        if row.versions.filter(state__in=OPEN).exists():
            raise Refused("A version is being written. Publish or discard it first.")
        for version in row.versions.select_for_update(of=("self",)).filter(state=VersionState.PUBLISHED):
            version.state = next_state("supersede", version.state)
            stamp(version, "superseded", by=by, at=at)
            version.save()
        stamp(row, "retired", by=by, at=at)
        row.save()
        reviews.set_due(row, at=at)
        say(row, "retired", "retired the runbook", by=by, at=at, reason=reason)
    return row
