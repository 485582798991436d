"""Writing a change down, editing it, and handing it in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from changes import approving, policy
from changes.enums import ChangeType, Status, StepKind
from changes.models import Change, ChangeStep, ChangeTemplate, Module
from changes.policy import NotYours, Refused
from changes.services import deciding
from changes.services.common import account_of, check_part, keep_period, locked, move, say, steps_of
from changes.services.releasing import ask_again, is_other_work, set_cells
from portal.accounts.models import User
from portal.approvals import services as approvals
from portal.approvals.shown import canonical, differences
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.directory.models import System
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.runbooks.enums import VersionState
from portal.runbooks.models import RunbookVersion

PREFIX = "CHG"
SYSTEM = "system: changes"
FIELDS = (
    "title",
    "justification",
    "type",
    "implementer",
    "planned_start",
    "planned_end",
    "has_outage",
    "outage_minutes",
    "test_plan",
    "rollback_minutes",
    "point_of_no_return",
    "rollback_rehearsed_on",
)
KEPT = ("justification", "test_plan", "rollback_minutes", "point_of_no_return")
"""What a standard change has from its template, besides its steps."""
OTHER_PLANS = "Its plans are those of its template, which was approved. Make a normal change for other plans."
LONGEST_TITLE = 200
OTHER_TITLE = (
    "A standard change is called what its template says, which was approved. Make a normal change of anything else."
)
Step = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change consists of, as a form or a template gives it; what is not named stays as it is.

    `steps` maps the kinds of plan to their steps, each a text and its minutes.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    systems: Collection[System] | None = None
    modules: Collection[Module] | None = None
    steps: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    runbooks: Collection[RunbookVersion] | None = None


def draft(plan: Plan, *, by: By, at: datetime, reason: str = "") -> Change:
    """Write down a change. Whoever does so is its requester, for good.

    Refused is raised without an account, without a title, and for a slot that cannot be.
    """
    requester = account_of(by)
    if requester is None:
        raise NotYours("Only somebody who signs in requests a change.")
    if plan.values.get("type") == ChangeType.STANDARD:
        raise Refused("A standard change is made from a template. Choose the template first.")
    return _draft(plan, requester, by=by, at=at, reason=reason)


def _draft(plan: Plan, requester: User, *, by: By, at: datetime, reason: str, **fixed: Any) -> Change:
    check_part(by)
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        change = Change(reference=records.next_reference(PREFIX), requester=requester, **fixed)
        stamp(change, "requested", by=by, at=at)
        _apply(change, plan)
        _check(change)
        change.save()
        _attach(change, plan)
        say(change, "drafted", "drafted the change", by=by, at=at, reason=reason)
    return change


def draft_from_template(
    template: ChangeTemplate, *, systems: Collection[System], plan: Plan | None = None, by: By, at: datetime,
    reason: str = "",
) -> Change:  # fmt: skip
    """Write down a standard change, copied from its template. Later edits of the template never change it.

    Refused is raised for a template that was revoked or is not approved as it stands, and for systems that it is not
    for. `plan` adds when it is done and by whom.
    """
    requester = account_of(by)
    if requester is None:
        raise NotYours("Only somebody who signs in requests a change.")
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        held = ChangeTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)
        check_template(held, systems)
        steps: dict[str, list[Step]] = {}
        for step in held.steps.order_by("kind", "position"):
            steps.setdefault(step.kind, []).append((step.text, step.minutes))
        values = {name: getattr(held, name) for name in KEPT} | {"title": _title_of(held, systems)}
        values |= dict(plan.values if plan else {})
        if (plan and plan.steps) or any(values[name] != getattr(held, name) for name in KEPT):
            raise Refused(OTHER_PLANS)
        if values["title"] != _title_of(held, systems):
            raise Refused(OTHER_TITLE)
        modules, runbooks = (plan.modules, plan.runbooks) if plan else (None, None)
        copied = Plan({**values, "type": ChangeType.STANDARD}, systems, modules, steps, runbooks)
        return _draft(copied, requester, by=by, at=at, reason=reason, template=held, template_version=held.version)


def _title_of(template: ChangeTemplate, systems: Collection[System]) -> str:
    """Return what a standard change is called: the title that was approved with its template, and its systems."""
    names = ", ".join(sorted(system.name for system in systems))
    return f"{template.title}: {names}"[:LONGEST_TITLE] if names else template.title


def check_template(template: ChangeTemplate, systems: Collection[System] = ()) -> None:
    """Refuse a template that was revoked, is not approved as it stands, or is for other systems."""
    if template.revoked_at is not None:
        raise Refused(f"The template {template} was revoked. Make a normal change, or choose another template.")
    if not approvals.standing(template).approved:
        raise Refused(f"The template {template} is not approved as it stands. Ask for its approval first.")
    allowed = set(template.systems.values_list("pk", flat=True))
    others = [system.name for system in systems if allowed and system.pk not in allowed]
    if others:
        raise Refused(f"The template {template} is not for {', '.join(sorted(others))}. Make a normal change.")


def check_follows(change: Change, template: ChangeTemplate) -> None:
    """Refuse a standard change that is not what its template says now: nobody else has approved its plans.

    The template is locked after the change: whoever revokes or edits it, or takes its approval back, does so before
    this looks, or after what rests on it has been written.
    """
    template = ChangeTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)
    check_template(template, change.systems.all())
    if change.template_version != template.version:
        raise Refused(
            f"The template {template} was edited after this change was made from it. Cancel it, and make it anew."
        )
    plans = [_plans(one.steps.order_by("kind", "position")) for one in (change, template)]
    if plans[0] != plans[1] or any(getattr(change, name) != getattr(template, name) for name in KEPT):
        raise Refused("Its plans are no longer those of its template, which was approved. Cancel it, and make it anew.")


def _plans(steps: Iterable[Any]) -> list[tuple[str, str, int | None]]:
    return [(step.kind, step.text.strip(), step.minutes) for step in steps]


def check_runbooks(row: Change) -> None:
    """Refuse a version of a runbook that is not in force any more."""
    gone = row.runbooks.exclude(state=VersionState.PUBLISHED, runbook__retired_at=None).select_related("runbook")
    names = sorted(map(str, gone))
    if names:
        raise Refused(f"Not in force any more: {', '.join(names)}. Choose the version that is, or leave it out.")


def revise(change: Change, plan: Plan, *, by: By, at: datetime, reason: str = "") -> Change:
    """Edit what a change consists of.

    What was decided on is void then: a change that was assessed, approved or scheduled is submitted again, in a new
    version, and whoever decided is told what changed. Refused is raised once somebody is at it or it is over, and
    for an edit that leaves a change that was handed in without what it must have.
    """
    deciding.follow(change, at=at)  # what was rejected elsewhere is a draft again, and handed in again
    with locked(change, by=by, at=at, reason=reason) as row:
        policy.check_editable(row.status)
        _check_standard(row, plan)
        if row.template is not None and plan.systems is not None:
            plan = replace(plan, values={**plan.values, "title": _title_of(row.template, plan.systems)})
        before, slot = canonical(approving.facts_of(_whole(row))), (row.planned_start, row.planned_end)
        _apply(row, plan)
        _check(row)
        if row.status not in (Status.DRAFT, Status.REJECTED) and (row.planned_start, row.planned_end) != slot:
            policy.check_slot(row.planned_start, row.planned_end, at=at)
        row.save()
        _attach(row, plan)
        moved = [one.label for one in differences(before, canonical(approving.facts_of(_whole(row))))]
        if moved:
            _moved(row, moved, by=by, at=at, reason=reason)
            if row.status == Status.SUBMITTED:  # nobody hands it in again: what it had to have then, it has now
                policy.check_complete(row, systems=row.systems.count(), steps=steps_of(row))
    return row


def _check_standard(row: Change, plan: Plan) -> None:
    """Keep a standard change to its template: its plans are what was approved."""
    kept = {*KEPT, "type"} & set(plan.values)
    moved = [name for name in kept if plan.values[name] != getattr(row, name)]
    if row.type != ChangeType.STANDARD:
        if plan.values.get("type") == ChangeType.STANDARD:
            raise Refused("A standard change is made from a template. Choose the template first.")
        return
    if moved or plan.steps:
        raise Refused(OTHER_PLANS)
    if plan.values.get("title", row.title) != row.title:
        raise Refused(OTHER_TITLE)


def _moved(row: Change, moved: Sequence[str], *, by: By, at: datetime, reason: str) -> None:
    was = row.status
    move(row, "revise")
    if was != Status.DRAFT:  # what was rejected is another version too: no override of a freeze goes over to it
        row.version += 1
    for name in ("assessed", "approved", "rejected", "scheduled"):
        stamp(row, name, by=None, at=None)
    row.risk_points, row.risk_level, row.risk_sum = None, "", []
    row.save()
    keep_period(row)
    request = approvals.standing(row).request
    if request is not None and request.is_live:
        approvals.notice(request, at=at)
    again = ask_again(row) if is_other_work(moved) else 0
    void = " What was decided is void." if was in (Status.ASSESSED, Status.APPROVED, Status.SCHEDULED) else ""
    say(row, "revised", f"edited the change, version {row.version}", by=by, at=at, reason=reason, detail=void.strip(),
        data={"version": row.version, "moved": list(moved)})  # fmt: skip
    if again:
        cells = "a cell" if again == 1 else f"{again} cells"
        say(row, "asked_again", f"asked {cells} of the release checklist again", by=SYSTEM, at=at,
            detail="What was answered was of other work. Each cell still shows what was said.")  # fmt: skip


def submit(change: Change, *, by: By, at: datetime, reason: str = "") -> Change:
    """Hand a change in. Refused names everything that it lacks; only its requester hands it in."""
    with locked(change, by=by, at=at, reason=reason) as row:
        if account_of(by) != row.requester:
            raise NotYours(f"Only {row.requester}, who requests it, submits it.")
        move(row, "submit")
        policy.check_slot(row.planned_start, row.planned_end, at=at)
        policy.check_complete(row, systems=row.systems.count(), steps=steps_of(row))
        check_runbooks(row)
        if row.template is not None:
            check_follows(row, row.template)
        stamp(row, "submitted", by=by, at=at)
        stamp(row, "rejected", by=None, at=None)
        row.save()
        row.submitted_text = canonical(approving.facts_of(_whole(row)))
        row.save()
        set_cells(row)
        say(row, "submitted", "submitted the change", by=by, at=at, reason=reason)
    return row


def _whole(row: Change) -> Change:
    found = approving.CHANGE.read(row.pk)
    if found is None:
        raise Refused("This change is gone.")
    whole: Change = found
    return whole


def _apply(change: Change, plan: Plan) -> None:
    unknown = set(plan.values) - set(FIELDS)
    if unknown:
        raise ValueError(f"A change has no such fields: {', '.join(sorted(unknown))}.")
    for name, value in plan.values.items():
        setattr(change, name, value)
    change.title = " ".join(change.title.split())[:200]
    if not change.has_outage:
        change.outage_minutes = None


def _check(change: Change) -> None:
    if is_blank(change.title):
        raise Refused("Give it a title: what is changed, in a few words.")
    if (change.planned_start is None) != (change.planned_end is None):
        raise Refused("Say when it is to start and to end.")
    if change.planned_start and change.planned_end:
        policy.check_slot(change.planned_start, change.planned_end, at=change.planned_start)


def _attach(change: Change, plan: Plan) -> None:
    if plan.systems is not None:
        change.systems.set(plan.systems)
    if plan.modules is not None:
        touched = set(change.modules.values_list("pk", flat=True))
        change.modules.set(plan.modules)
        if change.submitted_at is not None:
            set_cells(change)
            ask_again(change, modules=set(change.modules.values_list("pk", flat=True)) - touched)
    if plan.runbooks is not None:
        change.runbooks.set(plan.runbooks)
    for kind, steps in plan.steps.items():
        set_steps(change, StepKind(kind), steps)


def set_steps(change: Change, kind: StepKind, steps: Sequence[Step]) -> None:
    """Let one plan of a change consist of these steps, in this order; only what differs is written."""
    wanted = [(text.strip(), minutes) for text, minutes in steps if not is_blank(text)]
    standing = list(change.steps.filter(kind=kind).order_by("position"))
    for position, (text, minutes) in enumerate(wanted, start=1):
        row = standing[position - 1] if position <= len(standing) else ChangeStep(change=change, kind=kind)
        row.position, row.text, row.minutes = position, text[:500], minutes
        row.save()
    for row in standing[len(wanted) :]:
        row.delete()
