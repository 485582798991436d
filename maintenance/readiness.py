"""The holes of maintenance and recovery: what nobody answers for, what nobody has ended, what stands on too little."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from maintenance.models import BackupPlan, Exercise, Plan
from portal.approvals import services as approvals
from portal.approvals.subjects import OBJECTIVE
from portal.directory.enums import Verdict
from portal.directory.models import RecoveryObjective, RecoveryProof
from portal.directory.readiness import Hole
from portal.lib import durations, times

CONSEQUENCE = "What is promised of its recovery is a hope until then."


UNTOLD = "Once it is overdue past its grace, the administrators are told instead."
UNENDED = "Until it is ended it measures nothing, and proves nothing."
MOST_PLANS = 20  # named one by one


def plans_without_a_lead() -> list[Hole]:
    """Return a hole for each plan whose overdue dates nobody of its own hears of; of many the first and how many."""
    rows = Plan.objects.leading_nowhere().select_related("manager", "recovery_plan").order_by("pk")
    found = [_without_a_lead(plan) for plan in rows[: MOST_PLANS + 1]]
    if len(found) > MOST_PLANS:
        more = rows.count() - MOST_PLANS
        plans = "1 more maintenance plan has" if more == 1 else f"{more:,} more maintenance plans have"
        sentence = (
            f"{plans} a manager who has left, and nobody of a team who can be told. Take the plans along as CSV, name "
            "other managers there and import it."
        )
        found[MOST_PLANS:] = [Hole("plan", None, "amber", sentence, reverse("maintenance:import"), UNTOLD)]
    return found


def _without_a_lead(plan: Plan) -> Hole:
    where = plan.upheld or plan  # what reminds of exercises takes its manager from the recovery plan
    lacks = "nobody of its team is still there" if plan.team_id else "it names no team"
    sentence = f"{plan.manager}, who manages {where}, has left, and {lacks}. Name another manager."
    return Hole("plan", plan, "amber", sentence, where.get_absolute_url(), UNTOLD)


def left_running(*, at: datetime) -> list[Hole]:
    """Return a hole for each exercise that runs hours longer than its steps were to take: nobody has ended it."""
    running = Exercise.objects.running().with_estimate().select_related("plan").order_by("started_at", "pk")
    return [_left_running(exercise) for exercise in running if exercise.is_left_running(at)]


def _left_running(exercise: Exercise) -> Hole:
    estimate = durations.words(exercise.estimate.total_seconds())
    since = times.exact(exercise.started_at) if exercise.started_at is not None else "its start"
    sentence = (
        f"{exercise.reference} {exercise.title} has not been ended since {since}; its steps "
        f"were to take {estimate}. End it or call it off."
    )
    return Hole("exercise", exercise, "amber", sentence, exercise.get_absolute_url(), UNENDED)


def holes(*, with_approvals: bool) -> list[Hole]:
    """Return a hole for each system whose own promise stands on too little, with everything that is missing.

    `with_approvals` names what is not approved as it stands, for readers who may know. At most five queries.
    """
    backups = BackupPlan.objects.filter(system=OuterRef("system"), retired_at=None)
    proofs = RecoveryProof.objects.filter(system=OuterRef("system"), verdict=Verdict.MET)
    rows = (
        RecoveryObjective.objects.filter(~Q(rto_minutes=None, rpo_minutes=None), system__active=True)
        .annotate(is_backed_up=Exists(backups), was_proven=Exists(proofs))
        .select_related("system").order_by("system__name", "pk")
    )  # fmt: skip
    promised = list(rows)
    standings = approvals.standings(OBJECTIVE, [row.pk for row in promised]) if with_approvals and promised else {}
    found = []
    for row in promised:
        missing = [] if row.is_backed_up else ["no backup of it is written down"]
        missing += [] if row.was_proven else ["it was never proven"]
        missing += ["it is not approved as it stands"] if row.pk in standings and not standings[row.pk].approved else []
        if missing:
            sentence = f"{row.system} promises its recovery, and {_listed(missing)}."
            mend = reverse("maintenance:recovery-system", args=[row.system.slug])
            found.append(Hole("system", row.system, "amber", sentence, mend, CONSEQUENCE))
    return found


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
