"""Runbooks and the drafts of their versions."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.directory.models import System, Team
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.runbooks.enums import OPEN
from portal.runbooks.markdown.reporting import linked
from portal.runbooks.models import Runbook, RunbookVersion
from portal.runbooks.models.runbook import REVIEW_EVERY_DAYS
from portal.runbooks.policy import Refused, next_state
from portal.runbooks.services.common import checked, held, locked, say
from portal.runbooks.services.linking import known_of

PREFIX = "RBK"
LONGEST_TITLE = 200


def make(
    *,
    title: str,
    system: System | None,
    by: By,
    at: datetime,
    owner: Team | None = None,
    review_every_days: int = REVIEW_EVERY_DAYS,
    reason: str = "",
) -> Runbook:
    """Make a runbook without a version. Refused is raised for an empty title."""
    if is_blank(title):
        raise Refused("Give the runbook a title, such as the name of the system.")
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        runbook = Runbook(
            reference=records.next_reference(PREFIX),
            title=" ".join(title.split())[:LONGEST_TITLE],
            system=system,
            owner=owner,
            review_every_days=review_every_days,
        )
        stamp(runbook, "made", by=by, at=at)
        runbook.save()
        say(runbook, "made", "made the runbook", by=by, at=at, reason=reason)
    return runbook


def begin(
    runbook: Runbook,
    *,
    text: str,
    by: By,
    at: datetime,
    summary: str = "",
    source: str = "",
    source_digest: str = "",
    reason: str = "",
) -> RunbookVersion:
    """Begin the next version as a draft. Any Markdown will do; it is kept in the template's layout.

    Refused is raised for a retired runbook, while another version is being written, and for a text with a secret.
    """
    with locked(runbook, by=by, at=at, reason=reason) as row:
        if row.retired_at is not None:
            raise Refused(f"{row.reference} was retired. Make a new runbook.")
        standing = row.versions.filter(state__in=OPEN).first()
        if standing is not None:
            raise Refused(f"Version {standing.number} is being written already. Change that one, or discard it.")
        kept = linked(text, known_of(row.system))
        last = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = RunbookVersion(
            runbook=row, number=last + 1, text=kept, digest=checked(kept), summary=summary.strip()[:500],
            source=source[-255:], source_digest=source_digest,
        )  # fmt: skip
        stamp(version, "made", by=by, at=at)
        version.save()
        whence = f" from {source}" if source else ""
        say(row, "draft", f"began version {version.number}{whence}", by=by, at=at, detail=summary, reason=reason)
    return version


def write(
    version: RunbookVersion, *, text: str, by: By, at: datetime, summary: str = "", reason: str = ""
) -> RunbookVersion:
    """Change the words of a draft. Refused is raised for what is no draft, and for a text with a secret."""
    with held(version, by=by, at=at, reason=reason) as row:
        row.state = next_state("write", row.state)
        kept = linked(text, known_of(row.runbook.system))
        row.text, row.digest, row.summary = kept, checked(kept), summary.strip()[:500]
        row.save()
    return row


def discard(version: RunbookVersion, *, by: By, at: datetime, reason: str) -> RunbookVersion:
    """Give a draft up, with a reason. It is kept, and is no version that anybody follows."""
    if is_blank(reason):
        raise Refused("Say in a sentence why it is given up. The reason is kept.")
    with held(version, by=by, at=at, reason=reason) as row:
        row.state = next_state("discard", row.state)
        stamp(row, "discarded", by=by, at=at)
        row.save()
        say(row.runbook, "discarded", f"discarded version {row.number}", by=by, at=at, reason=reason)
    return row
