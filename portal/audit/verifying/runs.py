"""Runs of verification: once a night and whenever somebody asks, each with its figures and a row of the trail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from portal.audit import trail
from portal.audit.actor import current
from portal.audit.anchors import Signed
from portal.audit.enums import Action
from portal.audit.seals import Verification
from portal.audit.tables import Difference
from portal.audit.told import VERIFICATION, ending, is_told
from portal.audit.verifying.report import Report
from portal.audit.verifying.walking import Progress
from portal.audit.verifying.whole import verify

NIGHT_BEGINS = timedelta(hours=2)  # o'clock, UTC
GIVEN_UP = timedelta(hours=2)  # a run that has not ended by then was killed; another one takes its night
NAMED = 20
Clock = Callable[[], datetime]


def is_due(*, at: datetime) -> bool:
    """Tell whether tonight's verification is neither done, as the trail tells, nor under way."""
    newest = Verification.objects.filter(night=_night(at)).first()
    return newest is None or _is_free(newest, at)


def run(
    *,
    now: Clock,
    nightly: bool = False,
    against: Sequence[Signed] = (),
    progress: Progress | None = None,
) -> Report | None:
    """Verify the whole record and tell the result in the trail. A nightly run is nobody's when another has taken it."""
    at = now()
    begun = _begin(at, _night(at) if nightly else None)
    if begun is None:
        return None
    report = verify(at=at, against=against, progress=progress)
    ended = now()
    with transaction.atomic(), ending(ended):
        Verification.objects.filter(pk=begun.pk).update(
            finished_at=ended,
            position=report.position,
            rows=report.rows,
            seconds=round(report.seconds),
            found=report.found,
            report=report.as_json() | {"findings": [finding.as_json() for finding in report.findings[:NAMED]]},
        )
        _tell(report)
    return report


def _begin(at: datetime, night: date | None) -> Verification | None:
    """Keep that a run has begun; nothing when another has taken its night."""
    acting = current()
    name = acting.actor.name[:200] if acting is not None else "unattributed"
    try:
        with transaction.atomic():
            return Verification.objects.create(night=night, started_at=at, started_by=name)
    except IntegrityError:
        taken = Verification.objects.filter(night=night).first()
    if taken is None or not _is_free(taken, at):
        return None
    claimed = Verification.objects.filter(pk=taken.pk, started_at=taken.started_at).update(
        started_at=at, started_by=name, finished_at=None
    )
    return taken if claimed else None


def _is_free(claim: Verification, at: datetime) -> bool:
    """Tell whether a claim holds its night no longer: it was written ahead, or whoever made it was killed.

    A night counts as done when the trail tells the end of that run, and as under way for a while after its beginning.
    """
    if claim.finished_at is not None:
        return not is_told(claim, at=at)
    return not timedelta(0) <= at - claim.started_at <= GIVEN_UP


def _night(at: datetime) -> date:
    """Return the night that a moment belongs to: it begins at two o'clock."""
    return (at - NIGHT_BEGINS).date()


def _tell(report: Report) -> None:
    figures = {
        "rows": f"{report.rows:,}",
        "history rows": f"{report.history_rows:,}",
        "position": f"{report.position:,}",
        "head": report.head,
        "anchors": f"{report.anchors:,}",
        "keys": ", ".join(report.keys),
        "tombstones": f"{report.tombstones:,}",
        "not sealed yet": f"{report.unsealed:,}",
        "findings": f"{report.found:,}",
    }
    named = [Difference("finding", None, finding.sentence) for finding in report.findings[:NAMED]]
    differences = [Difference(name, None, value) for name, value in figures.items() if value] + named
    trail.record(
        Action.EVENT,
        event=report.sentence(),
        model=VERIFICATION,
        object_id=str(report.position),
        differences=differences,
    )
