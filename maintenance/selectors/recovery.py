"""The recovery page: every system, what is promised, what is proven, what would be lost now, and what comes next.

A fixed number of queries, however many systems there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, OuterRef, Q, Subquery, Window
from django.db.models.functions import Lead
from django.urls import reverse

from maintenance.enums import State
from maintenance.exercises.enums import ExerciseState
from maintenance.models import BackupPlan, BackupRun, Exercise, Occurrence
from maintenance.models.backups import silent_since
from maintenance.services.backups import OPEN_INCIDENT
from portal.directory.enums import Verdict
from portal.directory.models import RecoveryProof, System
from portal.directory.recovery import reading
from portal.directory.recovery.policy import Conflict, Promise
from portal.directory.recovery.reading import Brief, Standing
from portal.records.models import Demand
from portal.records.services import records_of

PAGE_SIZE = 50
MONTHS = 13
MONTH = timedelta(days=28)
FLOOR, TALLEST = 100, 80  # of the plot
SHOWN = ("unproven", "overdue", "exposed", "silent", "unpromised")
SHOWN_LABELS = {
    "": "All", "unproven": "Unproven", "overdue": "Proof overdue", "exposed": "Beyond the RPO", "silent": "Silent",
    "unpromised": "Nothing promised",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked of the page: which systems, some words, and which page of them."""

    show: str = ""
    q: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """Read it from an address; what nobody knows is left out."""
        show, page = query.get("show", ""), query.get("page", "")
        number = min(int(page), 10_000) if page.isascii() and page.isdigit() and len(page) < 9 else 1
        return cls(show if show in SHOWN else "", query.get("q", "")[:100].replace("\0", "").strip(), max(number, 1))

    def address(self, **changes: str) -> str:
        """Return the address of the same page with something changed."""
        kept = {"show": self.show, "q": self.q, **changes}
        return "?" + urlencode({name: value for name, value in kept.items() if value})

    @property
    def table_url(self) -> str:
        """The address of the same systems as a table."""
        return f"{reverse('maintenance:recovery-table')}{self.address()}"


@dataclass(frozen=True, slots=True)
class Row:
    """One system of the page."""

    system: System
    standing: Standing
    plans: list[BackupPlan]
    silent: list[BackupPlan]
    next_test: Occurrence | None
    inherited: str
    measured_by: Any = None
    next_exercise: Exercise | None = None
    exercise_due: Occurrence | None = None


class _Line(NamedTuple):
    """What a system is counted and found by, whether or not it is shown."""

    pk: int
    words: str
    brief: Brief
    is_silent: bool

    def fits(self, show: str) -> bool:
        """Tell whether it belongs to what is shown."""
        found = self.brief.outcome
        return {
            "": True,
            "unproven": found.is_promised and not found.is_proven,
            "overdue": found.is_overdue,
            "exposed": self.brief.exposed == Verdict.NOT_MET,
            "silent": self.is_silent,
            "unpromised": not found.is_promised,
        }[show]


class Bar(NamedTuple):
    """One month of the plot: how many of the promises were proven at its end."""

    at: datetime
    proven: int
    of: int
    x: int
    height: int

    @property
    def y(self) -> int:
        """Where it begins in the drawing."""
        return FLOOR - self.height


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the recovery page shows."""

    rows: list[Row]
    total: int
    proven: int
    promised: int
    bars: list[Bar]
    conflicts: list[str]
    tabs: list[tuple[str, str, int, bool]]
    more: bool = False
    names: Mapping[int, str] = field(default_factory=dict)


def page_of(user: Any, asked: Asked, *, at: datetime, whole: bool = False) -> Page:
    """Return the page, or with `whole` every system of it."""
    systems = System.objects.visible_to(user).filter(active=True).order_by("name", "pk")
    named = {pk: words for pk, *words in systems.values_list("pk", "name", "slug", "owner__name")}
    names = {pk: words[0] for pk, words in named.items()}
    promised = reading.promises()
    briefs = reading.briefs(names, at=at, promised=promised)
    silent = _silent(user, at)
    lines = [
        _Line(pk, " ".join(word or "" for word in words).lower(), briefs[pk], pk in silent)
        for pk, words in named.items()
    ]
    counts = {show: sum(line.fits(show) for line in lines) for show in ("", *SHOWN)}
    found = [line.pk for line in lines if line.fits(asked.show) and asked.q.lower() in line.words]
    start = 0 if whole else (asked.page - 1) * PAGE_SIZE
    shown = found[start:] if whole else found[start : start + PAGE_SIZE]
    having = [line.pk for line in lines if line.brief.outcome.is_promised]
    return Page(
        rows=_rows(shown, promised, user=user, at=at, names=names),
        total=len(found),
        proven=sum(line.brief.outcome.is_proven for line in lines),
        promised=len(having),
        bars=_bars(having, user=user, at=at),
        conflicts=[found.sentence(names) for found in _conflicts(promised, user)],
        tabs=[
            (SHOWN_LABELS[show], asked.address(show=show), counts[show], show == asked.show)
            for show in ("", *SHOWN)
            if counts[show] or show == asked.show
        ],
        more=len(found) > start + PAGE_SIZE and not whole,
        names=names,
    )


def unproven(user: Any, promised: Mapping[int, Promise], *, at: datetime) -> list[tuple[System, str]]:
    """Return the systems a reader may see whose promise is not proven, by name, each with why. Three queries."""
    if not (promised and user.has_perm("maintenance.view_backupplan")):
        return []
    systems = list(System.objects.visible_to(user).filter(active=True, pk__in=promised).order_by("name", "pk"))
    found = reading.standings([system.pk for system in systems], at=at, user=user, promised=promised)
    judged = ((system, found[system.pk].judged) for system in systems)
    return [(system, one.reason) for system, one in judged if one.is_promised and not one.is_proven]


def _conflicts(promised: Mapping[int, Any], user: Any) -> list[Conflict]:
    return reading.conflicting(promised, user=user)


def _rows(
    shown: Sequence[int], promised: Mapping[int, Promise], *, user: Any, at: datetime, names: Mapping[int, str]
) -> list[Row]:
    systems = System.objects.visible_to(user).select_related("owner").in_bulk(shown)
    standings = reading.standings(shown, at=at, user=user, promised=promised)
    plans = backups_of(user, shown)
    tests, exercises, due = _next_tests(user, shown), _next_exercises(user, shown), _exercises_due(user, shown)
    proofs = {pk: standing.proof for pk, standing in standings.items() if standing.proof is not None}
    records = records_of({(proof.subject_type_id, proof.subject_id) for proof in proofs.values()}, user)
    rows = []
    for pk in shown:
        standing, mine = standings[pk], plans.get(pk, [])
        sources = sorted({names.get(source, "another system") for source in standing.promise.sources.values()})
        silent = [plan for plan in mine if is_silent(plan, at)]
        proof = proofs.get(pk)
        measured_by = records.get((proof.subject_type_id, proof.subject_id)) if proof else None
        row = Row(systems[pk], standing, mine, silent, tests.get(pk), " and ".join(sources), measured_by)
        rows.append(replace(row, next_exercise=exercises.get(pk), exercise_due=due.get(pk)))
    return rows


def _in_force(user: Any) -> Any:
    """Return the backups in force that a reader may see, each with `last_run_at`, its last run that completed."""
    last = BackupRun.objects.visible_to(user).filter(plan=OuterRef("pk"), completed=True).order_by("-finished_at")
    rows = BackupPlan.objects.visible_to(user).filter(retired_at=None)
    return rows.annotate(last_run_at=Subquery(last.values("finished_at")[:1]))


def _silent(user: Any, at: datetime) -> set[int]:
    """Return the systems with a backup that is silent. One query."""
    rows = (
        _in_force(user)
        .order_by()
        .values_list("system_id", "made_at", "frequency_minutes", "grace_minutes", "last_run_at")
    )
    return {pk for pk, made, every, grace, last in rows if silent_since(made, last, every + grace) <= at}


def backups_of(user: Any, system_ids: Iterable[int]) -> dict[int, list[Any]]:
    """Return the backups in force of each system, each with `last_run_at`, its last run that completed. One query."""
    found: dict[int, list[Any]] = defaultdict(list)
    for plan in _in_force(user).filter(system__in=list(system_ids)).order_by("what", "pk"):
        found[plan.system_id].append(plan)
    return found


def is_silent(plan: Any, at: datetime) -> bool:
    """Tell whether a backup, read by `backups_of`, is past its frequency and grace."""
    return bool(plan.silent_from(plan.last_run_at) <= at)


class ProofLine(NamedTuple):
    """One measurement of a system, and the record that measured it where it may be seen."""

    proof: RecoveryProof
    measured_by: Any


def proofs_of(user: Any, system: System, *, most: int) -> list[ProofLine]:
    """Return what was measured of a system, the newest first. One query, and one for each kind of record."""
    proofs = list(RecoveryProof.objects.visible_to(user).filter(system=system)[:most])
    records = records_of({(proof.subject_type_id, proof.subject_id) for proof in proofs}, user)
    return [ProofLine(proof, records.get((proof.subject_type_id, proof.subject_id))) for proof in proofs]


def next_of(user: Any, system: System) -> dict[str, Any]:
    """Return what proves a system next: its restore test, its exercise, and until when one has to be held."""
    return {
        "next_test": _next_tests(user, [system.pk]).get(system.pk),
        "next_exercise": _next_exercises(user, [system.pk]).get(system.pk),
        "exercise_due": _exercises_due(user, [system.pk]).get(system.pk),
    }


def incident_of(user: Any, plan: BackupPlan) -> Any:
    """Return the incident that the last silence of a backup opened or joined, where the reader may see it."""
    asked = Demand.objects.filter(topic=OPEN_INCIDENT, key__startswith=f"backup:{plan.pk}:", made_id__isnull=False)
    last = asked.order_by("-pk").first()
    if last is None or last.made_type_id is None or last.made_id is None:
        return None
    return next(iter(records_of({(last.made_type_id, last.made_id)}, user).values()), None)


def _next_tests(user: Any, system_ids: Collection[int]) -> dict[int, Occurrence]:
    """Return the nearest date of a restore test of each system. Two queries."""
    dates = Occurrence.objects.visible_to(user).filter(state=State.OPEN, plan__proves_recovery=True)
    pairs = dates.filter(plan__systems__in=system_ids).order_by("-due_at", "-pk").values_list("plan__systems", "pk")
    nearest = dict(pairs)
    found = dates.select_related("plan").in_bulk(set(nearest.values()))
    return {system: found[pk] for system, pk in nearest.items()}


def _next_exercises(user: Any, system_ids: Collection[int]) -> dict[int, Exercise]:
    """Return the nearest exercise of each system that nobody has ended yet. One query."""
    rows = Exercise.objects.visible_to(user).filter(state__in=(ExerciseState.SCHEDULED, ExerciseState.RUNNING))
    rows = (
        rows.with_estimate()
        .filter(plan__system__in=system_ids)
        .select_related("plan")
        .order_by("-scheduled_for", "-pk")
    )
    return {row.plan.system_id: row for row in rows}


def _exercises_due(user: Any, system_ids: Collection[int]) -> dict[int, Occurrence]:
    """Return until when the recovery plan of each system has to be exercised, the nearest date. One query.

    `last_verdict` is what the last exercise showed that had a verdict.
    """
    dates = Occurrence.objects.visible_to(user).filter(state=State.OPEN, plan__recovery_plan__system__in=system_ids)
    shown = Exercise.objects.visible_to(user).judged().filter(plan__upkeep=OuterRef("plan"))
    last = shown.order_by("-ended_at", "-pk").values("verdict")[:1]
    dates = dates.annotate(last_verdict=Subquery(last))
    dates = dates.select_related("plan__recovery_plan").order_by("-due_at", "-pk")
    return {row.plan.recovery_plan.system_id: row for row in dates}


def _bars(system_ids: Collection[int], *, user: Any, at: datetime) -> list[Bar]:
    """Return at the end of each month how many of these systems were proven, by the last verdict of each. One query."""
    moments = [at - MONTH * number for number in reversed(range(MONTHS))]
    known = RecoveryProof.objects.visible_to(user).filter(
        ~Q(verdict=Verdict.UNKNOWN), at__gt=at - 3 * 366 * timedelta(days=1), system__in=system_ids
    )
    following = Window(Lead("at"), partition_by="system_id", order_by=["at", "pk"])
    found = (
        known.order_by()
        .annotate(next_at=following)
        .aggregate(**{f"m{number}": Count("pk", filter=_held(moment)) for number, moment in enumerate(moments)})
    )
    counts, most = [found[f"m{number}"] for number in range(MONTHS)], max(len(system_ids), 1)
    return [
        Bar(moment, count, len(system_ids), 8 + number * 46, round(TALLEST * count / most))
        for number, (moment, count) in enumerate(zip(moments, counts, strict=True))
    ]


def _held(moment: datetime) -> Q:
    """Match the proofs that were the last of their system at a moment, and held it proven then."""
    is_last = Q(at__lte=moment) & (Q(next_at=None) | Q(next_at__gt=moment))
    return is_last & Q(verdict=Verdict.MET) & (Q(proven_until=None) | Q(proven_until__gte=moment))
