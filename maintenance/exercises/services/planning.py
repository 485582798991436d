"""The verbs of a recovery plan: write it, put it in force, change it in a new version, end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from maintenance import services as maintenance
from maintenance.enums import Basis, Frequency
from maintenance.exercises import policy
from maintenance.exercises.policy import LONGEST_STEP, MOST_STEPS, PLAN_PREFIX
from maintenance.exercises.services.common import locked_plan
from maintenance.exercises.services.running import call_off
from maintenance.models import Plan, RecoveryPlan, RecoveryStep
from maintenance.policy import MOST_LEAD, Refused
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.directory.models import Contact
from portal.lib.blank import is_blank
from portal.records import services as records

FIRST_WITHIN = timedelta(days=30)
"""How soon after a plan is put in force its first exercise is due."""
EDITABLE = frozenset(
    {"title", "system", "summary", "owner", "manager", "every_months", "runbook_version"},
)


@dataclass(frozen=True, slots=True)
class StepWords:
    """One step as somebody writes it down."""

    text: str
    minutes: int
    owner: Contact | None = None
    recovers: bool = True


def draft(values: Mapping[str, Any], steps: Sequence[StepWords], *, by: By, at: datetime, reason: str) -> RecoveryPlan:
    """Write a recovery plan down. Nobody is reminded to exercise it until it is put in force."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        plan = RecoveryPlan(reference=records.next_reference(PLAN_PREFIX), **_known(values))
        stamp(plan, "made", by=by, at=at)
        _check(plan, steps)
        plan.save()
        _write_steps(plan, steps)
        records.write_note(plan, kind="made", text="wrote the recovery plan", by=by, at=at, reason=reason)
    return plan


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - EDITABLE
    if unknown:
        raise ValueError(f"A recovery plan has no {', '.join(sorted(unknown))} to write.")
    return dict(values)


def _check(plan: RecoveryPlan, steps: Sequence[StepWords], before: frozenset[int] = frozenset()) -> None:
    """Refuse what cannot be. Whoever is in `before` stood there already: who left since is flagged, not refused."""
    if is_blank(plan.title):
        raise Refused("Say what is recovered, in a few words.")
    changed = plan.changed_fields()
    for name in ("owner", "manager"):
        person = getattr(plan, name)
        if not person.active and f"{name}_id" in changed:
            raise Refused(f"{person} has left. Name somebody who is still there.")
    _check_steps(steps, before)
    try:
        plan.clean_fields(exclude=["reference", "made_at", "made_by"])
    except ValidationError as problem:
        raise Refused(" ".join(problem.messages)) from None


def _check_steps(steps: Sequence[StepWords], before: frozenset[int]) -> None:
    if not steps:
        raise Refused("A recovery plan has steps. Write down at least one.")
    if len(steps) > MOST_STEPS:
        raise Refused(f"Keep it to {MOST_STEPS} steps: what is longer is two plans.")
    for number, step in enumerate(steps, start=1):
        if is_blank(step.text):
            raise Refused(f"Step {number} says nothing. Write down what is done, or leave it out.")
        if not 0 < step.minutes <= LONGEST_STEP:
            raise Refused(f"Step {number} needs an estimate between 1 minute and 7 days.")
        if step.owner is not None and not step.owner.active and step.owner.pk not in before:
            raise Refused(f"{step.owner} has left. Name somebody else for step {number}.")
    if not any(step.recovers for step in steps):
        raise Refused("At least one step brings the system back. Tick it, so that its time can be measured.")


def _write_steps(plan: RecoveryPlan, steps: Sequence[StepWords]) -> None:
    RecoveryStep.objects.bulk_create(
        RecoveryStep(
            plan=plan, version=plan.version, position=number, text=step.text.strip(), owner=step.owner,
            minutes=step.minutes, recovers=step.recovers,
        )
        for number, step in enumerate(steps, start=1)
    )  # fmt: skip


def revise(
    plan: RecoveryPlan, values: Mapping[str, Any], steps: Sequence[StepWords], *, by: By, at: datetime, reason: str
) -> RecoveryPlan:
    """Change a recovery plan. Where its steps change, they are a new version; exercises keep theirs."""
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        policy.next_plan_state("revise", row.state)
        for name, value in _known(values).items():
            setattr(row, name, value)
        stood = list(row.steps_now().select_related("owner"))
        _check(row, steps, frozenset(step.owner_id for step in stood if step.owner_id is not None))
        kept = [StepWords(step.text, step.minutes, step.owner, step.recovers) for step in stood]
        moved = kept != [StepWords(step.text.strip(), step.minutes, step.owner, step.recovers) for step in steps]
        if moved:
            row.version += 1
        changed = row.changed_fields()
        row.save()
        if moved:
            _write_steps(row, steps)
        if changed:
            words = f"wrote version {row.version}" if moved else "changed the recovery plan"
            records.write_note(row, kind="revised", text=words, by=by, at=at, reason=reason)
            _align_upkeep(row, by=by, at=at, reason=reason)
    return row


def _upkeep_values(plan: RecoveryPlan) -> dict[str, Any]:
    return {
        "task": f"Exercise: {plan.title}",
        "procedure": f"Schedule and work an exercise of {plan.reference} that really recovers something.",
        "frequency": Frequency.MONTHLY, "every": plan.every_months, "basis": Basis.FLOATING, "owner": plan.owner,
        "manager": plan.manager, "lead_days": MOST_LEAD, "grace_days": 14,
    }  # fmt: skip


def _align_upkeep(plan: RecoveryPlan, *, by: By, at: datetime, reason: str) -> None:
    """Let the plan of maintenance that reminds of exercises say the same as the recovery plan."""
    if plan.upkeep is not None:
        values = _upkeep_values(plan)
        differing = {name: value for name, value in values.items() if getattr(plan.upkeep, name) != value}
        if differing:
            maintenance.revise(plan.upkeep, differing, [plan.system], by=by, at=at, reason=reason)


def put_in_force(plan: RecoveryPlan, *, by: By, at: datetime, reason: str) -> RecoveryPlan:
    """Let a recovery plan be exercised. A plan of maintenance reminds of the next exercise, every so many months."""
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        row.state = policy.next_plan_state("put in force", row.state)
        gone = [str(who) for who in (row.owner, row.manager) if not who.active]
        if gone:
            raise Refused(f"{' and '.join(gone)} left. Name somebody who is still there.")
        values = {**_upkeep_values(row), "anchor": (at + FIRST_WITHIN).date(), "time_zone": row.owner.time_zone}
        upkeep: Plan = maintenance.draft(values, [row.system], by=by, at=at, reason=reason)
        row.upkeep = maintenance.put_in_force(upkeep, by=by, at=at, reason=reason)
        stamp(row, "activated", by=by, at=at)
        row.save()
        words = f"put the recovery plan in force; {upkeep.reference} reminds of its exercises"
        records.write_note(row, kind="in_force", text=words, by=by, at=at, reason=reason)
    return row


def retire(plan: RecoveryPlan, *, by: By, at: datetime, reason: str) -> RecoveryPlan:
    """End a recovery plan. What its exercises measured stays; those that are scheduled are called off.

    Nobody is reminded of another one. Refused is raised while one is running.
    """
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        row.state = policy.next_plan_state("retire", row.state)
        policy.check_reason("retire", reason)
        ahead = list(row.exercises.filter(ended_at=None, cancelled_at=None).order_by("pk"))
        for exercise in ahead:
            if exercise.is_running:
                raise Refused(f"{exercise.reference} is running. End it or call it off first.")
        why = f"The recovery plan {row.reference} was retired: {reason.strip()}"
        for exercise in ahead:
            call_off(exercise, by=by, at=at, reason=why)
        stamp(row, "retired", by=by, at=at)
        row.save()
        if row.upkeep is not None:
            maintenance.retire(row.upkeep, by=by, at=at, reason=reason)
        records.write_note(row, kind="retired", text="retired the recovery plan", by=by, at=at, reason=reason)
    return row
