"""Plays the changes of the demo company through the services: planned, approved, carried out, undone, in freezes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from changes import services
from changes.approving import CHANGE
from changes.enums import CellState, Domain, GateResult, GateSource, StepKind
from changes.models import Cell, Change, ChangeTemplate, Freeze, Gate, Module
from changes.services import Plan, unauthorised
from changes.services.releasing import Answer
from changes.sweeps import sweep_changes
from portal.accounts.models import User
from portal.approvals import services as approvals
from portal.approvals.enums import StageState
from portal.approvals.models import ApprovalRequest, RuleStage, Stage
from portal.audit.actor import acting
from portal.dashboard.demo.planned import CHANGES, DAY, Act, Planned
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.dashboard.demo.rotating import LONDON
from portal.directory.models import System
from portal.runbooks.checklists import services as checklists
from portal.runbooks.enums import VersionState
from portal.runbooks.models import ChecklistRun, RunbookVersion, RunStep

DECIDERS = {"hannah": "Manager", "arjun": "Change approver"}
COMMIT = "5d1e0a4c9b37"
# name, who owns it, systems, in how many days it begins, its hours, and how it repeats
FREEZES = (
    ("Month end", Domain.FINANCE, ("reporting-warehouse", "billing-bridge"), -60, 48, "FREQ=MONTHLY;BYMONTHDAY=-1"),
    ("Winter campaign", Domain.MARKETING, ("customer-portal",), 13, 120, ""),
    ("Launch of replies by voice", Domain.PRODUCT, ("ticket-desk",), 4, 48, ""),
    ("Quarter end", Domain.SALES, ("billing-bridge",), 24, 96, "FREQ=MONTHLY;INTERVAL=3"),
)
NAMES = ("Tickets", "Replies", "Attachments", "Search", "Views", "Macros", "Automation", "Reports", "Sign-in",
         "Webhooks", "Voice", "Billing")  # fmt: skip


def play(play: Play) -> int:
    """Play every change in the order of time, with the engine sweeping in between; return how many there are.

    Only accounts request and decide: without the demo's logins there are none.
    """
    if not play.people["kwame"].user_id:
        return 0
    play.engine = (*play.engine, sweep_changes)
    play.alone(_settle, play)
    made: dict[int, Change] = {}
    for at, number, step in events(play.now):
        play.sweep_until(at)
        if step == 0:
            made[number] = play.alone(_draft, play, CHANGES[number], _start_of(CHANGES[number], play.now), at)
        else:
            play.alone(_act, play, made[number], CHANGES[number].acts[step - 1], at)
    play.alone(_write_unasked, play)
    play.sweep_until(play.now)
    play.deliver(until=play.now)
    return len(made)


def events(now: datetime) -> list[tuple[datetime, int, int]]:
    """Return what happens to the changes in the order of time: the moment, which change, and which act after its draft.

    Whatever the hour of the present, nothing of it lies ahead.
    """
    return sorted(
        (_moment(_start_of(planned, now), minute), number, step)
        for number, planned in enumerate(CHANGES)
        for step, minute in enumerate([_drafted(planned), *(act.minute for act in planned.acts)])
    )


def _start_of(planned: Planned, now: datetime) -> datetime:
    if planned.ago is not None:
        return (now - timedelta(minutes=planned.ago)).replace(second=0, microsecond=0)
    day = (now.astimezone(LONDON) + timedelta(days=planned.days)).date()
    return datetime.combine(day, time.fromisoformat(planned.clock), LONDON)


def _moment(start: datetime, minute: float) -> datetime:
    """Return when something happened: what was prepared a day before the start or more, within working hours."""
    at = (start + timedelta(minutes=minute)).astimezone(LONDON)
    if minute > -DAY:
        return at
    midnight = at.replace(hour=0, minute=0, second=0)
    return midnight + timedelta(hours=9) + (at - midnight) / 3  # the order of the day stays


def _drafted(planned: Planned) -> float:
    """Return when it was written down: an hour before it was handed in, an emergency just before it began."""
    first = min((act.minute for act in planned.acts), default=-20 * 24 * 60.0)
    return first - (4 if planned.type == "emergency" else 60)


def _settle(play: Play) -> None:
    """Name the modules, write the freezes, and have the template of security patches approved."""
    at, by = play.now - timedelta(days=40), play.people["kwame"]
    with acting(by=by, at=at, origin=ORIGIN, reason="As agreed with finance, marketing and sales"):
        for module, name in zip(Module.objects.order_by("position"), NAMES, strict=False):
            module.name = name
            module.save()
        for name, domain, slugs, days, hours, rule in FREEZES:
            day = datetime.combine((play.now.astimezone(LONDON) + timedelta(days=days)).date(), time(), LONDON)
            freeze = Freeze.objects.create(
                name=name, domain=domain, starts=day, ends=day + timedelta(hours=hours), rule=rule
            )
            freeze.systems.set(System.objects.filter(slug__in=slugs))
        # One alone is the change authority: what it lets start, management approves afterwards.
        stage = RuleStage.objects.get(rule__kind=CHANGE.kind, rule__variant="emergency")
        stage.name, stage.role = "Management", "Manager"
        stage.save()
    template = ChangeTemplate.objects.get(slug="security-patch")
    with acting(by=by, at=at, origin=ORIGIN, anew=True):
        request = approvals.ask(template, by=by, at=at, reason="Patches are applied every week, always the same way")
    for hours, who in ((5, "hannah"), (26, "arjun")):
        _decide(play, request, "approve", who, at + timedelta(hours=hours))


def _decide(play: Play, request: ApprovalRequest, verdict: str, who: str, at: datetime) -> None:
    by = play.people[who]
    with acting(by=by, at=at, origin=ORIGIN, anew=True):
        approvals.decide(
            request, stage=request.stages.get(state=StageState.OPEN), verdict=verdict, digest=request.digest,
            confirmed=True, by=by, at=at, reason="",
        )  # fmt: skip


def _user(play: Play, who: str) -> User:
    return User.objects.get(pk=play.people[who].user_id)


def _draft(play: Play, planned: Planned, start: datetime, at: datetime) -> Change:
    by = _user(play, planned.requester)
    systems = list(System.objects.filter(slug__in=planned.systems))
    values: dict[str, Any] = {
        "implementer": _user(play, planned.implementer),
        "planned_start": start,
        "planned_end": start + timedelta(minutes=planned.minutes),
    }
    with acting(by=by, at=at, origin=ORIGIN):
        if planned.template:
            template = ChangeTemplate.objects.get(slug=planned.template)
            return services.draft_from_template(template, systems=systems, plan=Plan(values), by=by, at=at)
        values |= {
            "title": planned.title, "justification": planned.why, "type": planned.type, "test_plan": planned.test,
            "has_outage": planned.outage is not None, "outage_minutes": planned.outage,
        }  # fmt: skip
        if planned.back:
            values |= {"rollback_minutes": planned.back_minutes, "point_of_no_return": planned.no_return}
        if planned.rehearsed is not None:
            values["rollback_rehearsed_on"] = (at - timedelta(days=planned.rehearsed)).date()
        versions = RunbookVersion.objects.filter(
            runbook__system__slug=planned.runbook, state=VersionState.PUBLISHED, published_at__lte=at
        )
        steps = {"implementation": planned.steps, "validation": planned.checks, "rollback": planned.back}
        modules = Module.objects.order_by("position")[: planned.modules]
        return services.draft(Plan(values, systems, list(modules), steps, list(versions)), by=by, at=at)


def _act(play: Play, change: Change, act: Act, at: datetime) -> None:
    by = _user(play, act.who)
    with acting(by=by, at=at, origin=ORIGIN, reason=act.words.get("reason", "")):
        _VERBS[act.verb](play, Change.objects.get(pk=change.pk), by=by, at=at, **act.words)


def _plainly(service: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _play, change, **words: service(change, **words)


def _verdict(service: Callable[..., Any]) -> Callable[..., Any]:
    """Return the verb of whoever decides at the stage that is open; nothing is left to do once all have."""

    def decide(play: Play, change: Change, *, by: User, at: datetime, reason: str = "") -> None:
        stage = (
            Stage.objects.filter(request__kind=CHANGE.kind, request__subject_id=change.pk, state=StageState.OPEN)
            .select_related("request")
            .first()
        )
        if stage is not None:
            decider = next((_user(play, who) for who, role in DECIDERS.items() if role == stage.role), by)
            with acting(by=decider, at=at, origin=ORIGIN, reason=reason, anew=True):
                service(change, digest=stage.request.digest, confirmed=True, by=decider, at=at, reason=reason)

    return decide


def _start_emergency(play: Play, change: Change, *, authority: str, **words: Any) -> None:
    services.start_emergency(change, authority=_user(play, authority), **words)


def _gates(_play: Play, change: Change, *, by: User, at: datetime, only: tuple[str, ...] = ()) -> None:
    gates = Gate.objects.filter(active=True).exclude(source=GateSource.PORTAL)
    for gate in gates.filter(slug__in=only) if only else gates:
        url = f"https://ci.halyarddesk.example/{change.reference.lower()}/{gate.slug}"
        services.report_gate(change, gate, result=GateResult.PASSED, commit=COMMIT, url=url, by=by, at=at)


def _tick(
    _play: Play, change: Change, *, plan: str, by: User, at: datetime, steps: tuple[int, ...] | None = None
) -> None:
    rows = RunStep.objects.filter(run=ChecklistRun.objects.of(change).get(plan=plan))
    checklists.tick_all(rows.filter(position__in=steps) if steps else rows, by=by, at=at)


def _fail(_play: Play, change: Change, *, step: int, why: str, by: User, at: datetime) -> None:
    run = ChecklistRun.objects.of(change).get(plan=StepKind.IMPLEMENTATION)
    checklists.fail(RunStep.objects.get(run=run, position=step), by=by, at=at, reason=why)


def _matrix(_play: Play, change: Change, *, rows: int, by: User, at: datetime) -> None:
    """Answer all of the first modules: most is done, and of seeds and reviews it is said why they are not needed."""
    modules = change.modules.order_by("position")[:rows]
    for cell in Cell.objects.filter(change=change, module__in=list(modules)).select_related("module", "check_of"):
        services.answer(change, cell.module, cell.check_of, _answer(cell), by=by, at=at)


def _answer(cell: Cell) -> Answer:
    if cell.check_of.opens_review:
        return Answer(CellState.NOT_NEEDED, because="Nobody may do more than before")
    if cell.check_of.slug == "seed-data" and cell.module.position % 3 == 0:
        return Answer(CellState.NOT_NEEDED, because="It has no seed data")
    return Answer(CellState.DONE, evidence=f"Pipeline 4{cell.module.position:02}, green")


def _matrix_part(_play: Play, change: Change, *, row: int, by: User, at: datetime) -> None:
    """Answer the first two checks of one module, and ask for an access review of it."""
    module = change.modules.order_by("position")[row - 1]
    cells = Cell.objects.filter(change=change, module=module).select_related("check_of").order_by("check_of__position")
    for cell in cells:
        if cell.check_of.opens_review:
            services.answer(change, module, cell.check_of, Answer(CellState.DONE, opens_review=True), by=by, at=at)
        elif cell.check_of.position <= 2:
            services.answer(change, module, cell.check_of, Answer(CellState.DONE), by=by, at=at)


def _write_unasked(play: Play) -> None:
    """Have the administrator write to a system outside of any change, and let the engine look."""
    by, at = play.people["kwame"], play.now - timedelta(hours=20)
    with acting(by=by, at=at, origin=ORIGIN, reason="The vendor has moved"):
        system = System.objects.get(slug="webhook-gateway")
        system.description = f"{system.description} It leaves through the new proxy."
        system.save()
    unauthorised.look(since=at, at=at + timedelta(minutes=1))


_VERBS: dict[str, Callable[..., Any]] = {
    "submit": _plainly(services.submit),
    "assess": _plainly(services.assess),
    "approve": _verdict(services.approve),
    "reject": _verdict(services.reject),
    "schedule": _plainly(services.schedule),
    "start": _plainly(services.start),
    "emergency": _start_emergency,
    "verify": _plainly(services.verify),
    "rollback": _plainly(services.roll_back),
    "close": _plainly(services.close),
    "cancel": _plainly(services.cancel),
    "note": _plainly(services.add_note),
    "gates": _gates,
    "tick": _tick,
    "failstep": _fail,
    "matrix": _matrix,
    "matrix_part": _matrix_part,
}
