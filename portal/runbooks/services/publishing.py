"""From a draft to the version in force: sent to review, approved by a second person, published."""

from __future__ import annotations

from datetime import datetime

from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.lib.blank import is_blank
from portal.runbooks.enums import VersionState
from portal.runbooks.models import RunbookVersion
from portal.runbooks.policy import Refused, next_state
from portal.runbooks.services import reviews
from portal.runbooks.services.common import held, say
from portal.runbooks.services.lines import write_lines

APPROVABLE = "runbook-version"


def submit(version: RunbookVersion, *, by: By, at: datetime, reason: str) -> ApprovalRequest:
    """Send a draft to review: ask a second person for its approval. Refused is raised with the sentence."""
    if is_blank(reason):
        raise Refused("Say what changed and why, so that whoever reviews it knows where to look.")
    with held(version, by=by, at=at, reason=reason) as row:
        row.state = next_state("submit", row.state)
        stamp(row, "submitted", by=by, at=at)
        row.save()
        asked = approvals.ask(row, by=by, at=at, reason=reason)
        text = f"sent version {row.number} to review, {asked.reference}"
        say(row.runbook, "submitted", text, by=by, at=at, reason=reason)
    return asked


def take_back(version: RunbookVersion, *, by: By, at: datetime, reason: str) -> RunbookVersion:
    """Return a version from review to its writers, whatever became of its request: that is void."""
    if is_blank(reason):
        raise Refused("Say in a sentence why it goes back. The reason is kept.")
    with held(version, by=by, at=at, reason=reason) as row:
        row.state = next_state("return", row.state)
        row.submitted_at, row.submitted_by = None, ""
        row.save()
        for request in ApprovalRequest.objects.live().filter(kind=APPROVABLE, subject_id=row.pk):
            approvals.notice(request, at=at)
        say(row.runbook, "returned", f"took version {row.number} back from review", by=by, at=at, reason=reason)
    return row


def publish(version: RunbookVersion, *, by: By, at: datetime, reason: str = "") -> RunbookVersion:
    """Put an approved version in force, in place of the one before it, and set when it is reviewed next.

    Refused of portal.approvals is raised when it is not approved as it stands.
    """
    with held(version, by=by, at=at, reason=reason) as row:
        state = next_state("publish", row.state)
        approvals.finalise(row, by=by, at=at)
        for older in RunbookVersion.objects.select_for_update(of=("self",)).filter(
            runbook=row.runbook, state=VersionState.PUBLISHED
        ):
            older.state = next_state("supersede", older.state)
            stamp(older, "superseded", by=by, at=at)
            older.save()
        row.state = state
        stamp(row, "published", by=by, at=at)
        row.save()
        write_lines(row)
        reviews.reviewed(row.runbook, by=by, at=at)
        say(
            row.runbook, "published", f"published version {row.number}", by=by, at=at, detail=row.summary, reason=reason
        )
    return row
