"""How records of the directory are shown to those who approve them: severity levels and recovery objectives."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse

from portal.approvals.editing import Edits
from portal.approvals.registry import Approvable, DefaultStage
from portal.approvals.shown import Fact, fact
from portal.directory.enums import Clock, LimitUnit
from portal.directory.models import RecoveryObjective, Severity, SeverityClock
from portal.directory.models.systems import PROVEN_FOR
from portal.lib import durations


def named(row: object | None) -> str | None:
    """Return what a row is called, with its number, so that two of one name are told apart; nothing for nothing."""
    return None if row is None else f"{row} ({getattr(row, 'pk', '')})"


def minutes(count: int | None) -> str | None:
    """Return minutes exactly and as people say them: "90 min (1 h 30 min)"."""
    if count is None:
        return None
    return f"{count} min ({durations.words(count * 60)})" if count >= durations.HOUR // 60 else f"{count} min"


def _severity_rows() -> QuerySet[Severity]:
    return Severity.objects.prefetch_related("clocks")


def _severity_facts(severity: Severity) -> Iterator[Fact]:
    yield fact("Level", severity.level)
    yield fact("Code", severity.code)
    yield fact("Name", severity.name)
    yield fact("Description", severity.description)
    yield fact("Example", severity.example)
    yield fact("Major incident", severity.is_major)
    yield fact("Response time", severity.target)
    yield fact("Colour", severity.get_tone_display())
    rows = {row.clock: row for row in severity.clocks.all()}
    for clock in Clock:
        if clock.value in rows:
            yield fact(f"Clock {clock.label}", _limit(rows[clock.value]))


def _limit(row: SeverityClock) -> str:
    if row.unit == LimitUnit.OBJECTIVE:
        words = str(LimitUnit.OBJECTIVE.label)
    elif row.unit == LimitUnit.BUSINESS_DAYS:
        words = "end of the next business day" if row.limit == 1 else f"end of {row.limit} business days"
    else:
        words = str(minutes(row.limit))
    return f"{words}, then every {minutes(row.repeat_minutes)}" if row.repeat_minutes else words


def _objective_rows() -> QuerySet[RecoveryObjective]:
    return RecoveryObjective.objects.select_related("system", "owner")


def _objective_facts(objective: RecoveryObjective) -> Iterator[Fact]:
    yield fact("System", named(objective.system))
    yield fact("RTO", minutes(objective.rto_minutes))
    yield fact("RPO", minutes(objective.rpo_minutes))
    # What nobody has said adds no line, so that approvals from before these could be said still stand.
    if objective.mtd_minutes is not None:
        yield fact("MTD", minutes(objective.mtd_minutes))
    if objective.owner is not None:
        yield fact("Owner", named(objective.owner))
    if objective.proof_days != PROVEN_FOR:
        yield fact("Proven anew every", f"{objective.proof_days} days")


_OF_SEVERITIES = Edits("severity", Severity._meta.label_lower, parts=True)
_OF_OBJECTIVES = Edits("objective", RecoveryObjective._meta.label_lower)
SEVERITY = Approvable(
    kind="severity",
    model=Severity,
    label="severity level",
    facts=_severity_facts,
    rows=_severity_rows,
    url=lambda severity: reverse("admin:directory_severity_change", args=[severity.pk]),
    stages=(DefaultStage("Operations", "Manager"), DefaultStage("Security", "Security lead")),
    authors=_OF_SEVERITIES.authors_of,
    not_for=_OF_SEVERITIES.not_for,
)
OBJECTIVE = Approvable(
    kind="objective",
    model=RecoveryObjective,
    label="recovery objective",
    facts=_objective_facts,
    rows=_objective_rows,
    url=lambda objective: reverse("admin:directory_recoveryobjective_change", args=[objective.pk]),
    stages=(DefaultStage("Management", "Manager"), DefaultStage("Change authority", "Change approver")),
    authors=_OF_OBJECTIVES.authors_of,
    not_for=_OF_OBJECTIVES.not_for,
)
