"""Writing escalation policies: all steps of a policy and whom they page, in one act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents.enums import TargetKind
from incidents.models import EscalationPolicy, EscalationStep, EscalationTarget
from incidents.policy import Refused
from portal.audit.actor import By, acting

MOST_STEPS = 20
LONGEST_DELAY = 86400  # seconds; the same limit stands in the model
_ASIDE = 1000  # positions that no step has, for steps that change places

Target = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class StepDraft:
    """One step as it is to be: the row that it changes, or none; seconds after the step before; whom it pages."""

    step_id: int | None
    delay_seconds: int
    targets: tuple[Target, ...] = ()


@transaction.atomic
def set_steps(policy: EscalationPolicy, drafts: Sequence[StepDraft], *, by: By, at: datetime, reason: str) -> bool:
    """Make these, in their order, the steps of the policy; tell whether that changed anything.

    Steps that no draft names are taken away. Targets are pairs of a TargetKind and an id, or the value of an emergency
    role. Running escalations go on with the snapshot that they started on. Refused is raised for too many steps.
    """
    if len(drafts) > MOST_STEPS:
        raise Refused(f"A policy has at most {MOST_STEPS} steps. The steps can repeat instead.")
    with acting(by=by, at=at, reason=reason):
        EscalationPolicy.objects.select_for_update(of=("self",)).get(pk=policy.pk)
        standing = {step.pk: step for step in policy.steps.prefetch_related("targets")}
        kept = {draft.step_id for draft in drafts}
        gone = [step for pk, step in standing.items() if pk not in kept]
        for step in gone:
            _take_away(step)
        moved = _make_room([standing.get(draft.step_id or 0) for draft in drafts])
        changed = [_write(policy, standing, draft, position) for position, draft in enumerate(drafts, start=1)]
    return bool(gone) or moved or any(changed)


def new_version(policy: EscalationPolicy, *, by: By, at: datetime, reason: str) -> None:
    """Count an edit, so that a running escalation can say that its policy has changed since it started."""
    policy.version += 1
    with acting(by=by, at=at, reason=reason):
        policy.save()


def _take_away(step: EscalationStep) -> None:
    for target in step.targets.all():
        target.delete()
    step.delete()


def _make_room(steps: Sequence[EscalationStep | None]) -> bool:
    """Move steps that change places aside first: no two may ever have one position."""
    moving = [step for position, step in enumerate(steps, start=1) if step is not None and step.position != position]
    for step in moving:
        step.position += _ASIDE
        step.save()
    return bool(moving)


def _write(policy: EscalationPolicy, standing: dict[int, EscalationStep], draft: StepDraft, position: int) -> bool:
    step = standing.get(draft.step_id or 0)
    created = step is None
    if step is None:
        step = EscalationStep(policy=policy)
    changed = created or (step.position, step.delay_seconds) != (position, draft.delay_seconds)
    step.position, step.delay_seconds = position, draft.delay_seconds
    if changed:
        step.save()
    return _set_targets(step, draft.targets, known=[] if created else list(step.targets.all())) or changed


def _set_targets(step: EscalationStep, wanted: Sequence[Target], *, known: list[EscalationTarget]) -> bool:
    present = {key_of(target): target for target in known}
    gone = [target for key, target in present.items() if key not in wanted]
    added = [key for key in dict.fromkeys(wanted) if key not in present]
    for target in gone:
        target.delete()
    for kind, value in added:
        field = "role" if kind == TargetKind.ROLE else f"{_FIELDS[kind]}_id"
        EscalationTarget.objects.create(step=step, kind=kind, **{field: value})
    return bool(gone or added)


_FIELDS: dict[str, str] = {TargetKind.PERSON: "contact", TargetKind.TEAM: "team", TargetKind.CHANNEL: "channel"}


def key_of(target: EscalationTarget) -> Target:
    """Return kind and id, or role, of a target."""
    if target.kind == TargetKind.ROLE:
        return (target.kind, target.role)
    return (target.kind, getattr(target, f"{_FIELDS[target.kind]}_id"))
