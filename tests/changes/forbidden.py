"""Paths that must lead nowhere: each breaks one thing of a change that stands so, and tries to go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from changes import services
from changes.approving import CHANGE
from changes.enums import CellState, ChangeType, GateResult, Status
from changes.models import Cell, Change, Freeze
from changes.services import Plan
from changes.services.releasing import Answer
from portal.accounts.models import User
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest, Stage
from tests.factories.changes import HOUR

if TYPE_CHECKING:
    from tests.changes.machine import AnyOrder

EDITS = ("test plan", "implementer", "slot", "rollback", "no rollback", "no way back", "type", "modules")


def edit_of(what: str, change: Change, *, people: dict[str, User], at: datetime) -> Plan:
    """Return an edit of one thing of a change."""
    later = at + HOUR
    return {
        "test plan": Plan({"test_plan": f"{change.test_plan} Look."[-200:]}),
        "implementer": Plan({"implementer": people["ruth"]}),
        "slot": Plan({"planned_start": later, "planned_end": later + HOUR}),
        "rollback": Plan(steps={"rollback": [("Undo it slowly", 8)]}),
        "no rollback": Plan(steps={"rollback": []}),
        "no way back": Plan({"rollback_minutes": None, "point_of_no_return": " "}),
        "type": Plan({"type": ChangeType.EMERGENCY if change.type == ChangeType.NORMAL else ChangeType.NORMAL}),
        "modules": Plan(modules=[]),
    }[what]


def reword(change: Change, kind: str) -> None:
    """Change a step past the services, as an import would."""
    step = change.steps.filter(kind=kind).first()
    if step is not None:
        step.text = f"{step.text[:20]}!"
        step.save()


def approve(m: AnyOrder, change: Change, by: User | None, **words: Any) -> None:
    request = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=change.pk).latest("pk")
    given = {"digest": request.digest, "confirmed": True, **words}
    services.approve(change, by=by, at=m.at, **given)


def somebody_who_may(change: Change) -> User | None:
    stage = Stage.objects.filter(request__subject_id=change.pk, request__kind=CHANGE.kind, state="open").first()
    return approvals.may_decide(stage).first() if stage else None


def approve_moved(m: AnyOrder, change: Change) -> None:
    old, person = ApprovalRequest.objects.filter(subject_id=change.pk).latest("pk").digest, somebody_who_may(change)
    services.revise(change, Plan({"test_plan": "Look elsewhere."}), by=change.requester, at=m.at)
    approve(m, change, person, digest=old)


def frozen(m: AnyOrder, change: Change, act: Callable[[], Any]) -> None:
    Freeze.objects.create(name="Freeze", starts=change.planned_start, ends=change.planned_end)
    act()


def start(m: AnyOrder, change: Change, **words: Any) -> None:
    services.start(change, **{"by": change.implementer, "at": max(m.at, change.planned_start), **words})


def start_after(what: Callable[[AnyOrder, Change], Any]) -> Callable[[AnyOrder, Change], None]:
    def act(m: AnyOrder, change: Change) -> None:
        what(m, change)
        start(m, change)

    return act


def edited(m: AnyOrder, change: Change) -> None:
    services.revise(change, Plan({"title": "Another thing"}), by=change.requester, at=m.at)


def without_a_way_back(_m: AnyOrder, change: Change) -> None:
    for step in change.steps.filter(kind="rollback"):
        step.delete()


def opened(m: AnyOrder, change: Change) -> None:
    cell = Cell.objects.select_related("module", "check_of").filter(change=change)[0]
    services.answer(change, cell.module, cell.check_of, Answer(CellState.OPEN), by=change.requester, at=m.at)


def done_without_a_review(m: AnyOrder, change: Change) -> None:
    cell = Cell.objects.select_related("module", "check_of").get(change=change, check_of__opens_review=True)
    services.answer(change, cell.module, cell.check_of, Answer(CellState.DONE), by=change.requester, at=m.at)


def failed(m: AnyOrder, change: Change) -> None:
    m.report_all(change, by=change.requester, result=GateResult.FAILED)


def withdrawn(m: AnyOrder, change: Change) -> None:
    request = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=change.pk).latest("pk")
    approvals.withdraw(request, by=change.requester, at=m.at, reason="Not now")


def revoked(m: AnyOrder, change: Change) -> None:
    services.revoke_template(change.template, by=m.people["henrik"], at=m.at, reason="Outdated")


def schedule_opened(m: AnyOrder, change: Change) -> None:
    m.report_all(change, by=change.requester, result=GateResult.PASSED)
    opened(m, change)  # somebody may have answered them all
    services.schedule(change, by=change.requester, at=m.at)


def at_once(authority: str, reason: str = "It burns") -> Callable[[AnyOrder, Change], None]:
    def act(m: AnyOrder, change: Change) -> None:
        words = {"authority": m.people[authority], "by": change.implementer, "at": m.at, "reason": reason}
        services.start_emergency(change, **words)

    return act


def at_once_on_ones_own_word(m: AnyOrder, change: Change) -> None:
    services.revise(change, Plan({"implementer": None}), by=change.requester, at=m.at)
    words = {"authority": m.people["ruth"], "by": m.people["ruth"], "at": m.at, "reason": "It burns"}
    services.start_emergency(change, **words)


def at_once_without_a_way_back(m: AnyOrder, change: Change) -> None:
    services.revise(change, Plan(steps={"rollback": []}), by=change.requester, at=m.at)
    at_once("ruth")(m, change)


@dataclass(frozen=True)
class Path:
    """What is tried with a change of this type once it is so far. Nothing of a refused attempt stays."""

    until: Status
    act: Callable[[AnyOrder, Change], Any]
    type: str = ChangeType.NORMAL


_BEFORE = {
    "its requester approves it": Path(Status.ASSESSED, lambda m, c: approve(m, c, c.requester)),
    "its implementer approves it": Path(Status.ASSESSED, lambda m, c: approve(m, c, c.implementer)),
    "a superuser without the role approves it": Path(Status.ASSESSED, lambda m, c: approve(m, c, m.people["root"])),
    "a manager approves for the change authority": Path(
        Status.ASSESSED, lambda m, c: approve(m, c, m.people["henrik"])
    ),
    "other words are approved": Path(Status.ASSESSED, lambda m, c: approve(m, c, somebody_who_may(c), digest="0" * 64)),
    "approved without a confirmation": Path(
        Status.ASSESSED, lambda m, c: approve(m, c, somebody_who_may(c), confirmed=False)
    ),
    "content that has moved is approved": Path(Status.ASSESSED, approve_moved),
    "approved within a freeze": Path(
        Status.ASSESSED, lambda m, c: frozen(m, c, lambda: approve(m, c, somebody_who_may(c)))
    ),
    "its requester assesses it": Path(
        Status.SUBMITTED, lambda m, c: services.assess(c, impact=1, likelihood=1, by=c.requester, at=m.at)
    ),
    "its implementer assesses it": Path(
        Status.SUBMITTED, lambda m, c: services.assess(c, impact=1, likelihood=1, by=c.implementer, at=m.at)
    ),
    "a cell of an access review done without one": Path(Status.APPROVED, done_without_a_review),
    "scheduled unapproved": Path(Status.ASSESSED, lambda m, c: services.schedule(c, by=c.requester, at=m.at)),
    "scheduled with an open cell": Path(Status.APPROVED, schedule_opened),
    "started as a draft": Path(Status.DRAFT, start),
    "started unapproved": Path(Status.ASSESSED, start),
    "started unscheduled": Path(Status.APPROVED, start),
}
_SCHEDULED = {
    "started after an edit": start_after(edited),
    "started after an edit past the services": start_after(lambda _m, c: reword(c, "implementation")),
    "started without a rollback plan": start_after(without_a_way_back),
    "started with a cell opened again": start_after(opened),
    "started with a failed gate": start_after(failed),
    "started after its approval was withdrawn": start_after(withdrawn),
    "started before its window": lambda m, c: start(m, c, at=c.planned_start - HOUR),
    "started after its window": lambda m, c: start(m, c, at=c.planned_end),
    "started by somebody else": lambda m, c: start(m, c, by=m.people["ruth"]),
    "started by a superuser": lambda m, c: start(m, c, by=m.people["root"]),
    "started within a freeze": lambda m, c: frozen(m, c, lambda: start(m, c)),
}
_AT_ONCE = {
    "at once on the requester's word": at_once("jonas"),
    "at once on the implementer's word": at_once("amara"),
    "at once on a manager's word": at_once("henrik"),
    "at once on a superuser's word": at_once("root"),
    "at once on the word of whoever starts what nobody carries out": at_once_on_ones_own_word,
    "at once without a reason": at_once("ruth", " "),
    "at once without a rollback plan": at_once_without_a_way_back,
}
PATHS = {
    **_BEFORE,
    **{name: Path(Status.SCHEDULED, act) for name, act in _SCHEDULED.items()},
    "started from a revoked template": Path(Status.SCHEDULED, start_after(revoked), ChangeType.STANDARD),
    **{name: Path(Status.DRAFT, act, ChangeType.EMERGENCY) for name, act in _AT_ONCE.items()},
    "a normal change at once": Path(Status.DRAFT, at_once("ruth")),
}
SHARES = 3
"""Of all that is forbidden to a change, one step of the machine tries every third thing."""


def paths(m: AnyOrder, change: Change) -> list[str]:
    """Return what is forbidden to a change as it stands: to one that Jonas requests and Amara carries out."""
    if (change.requester, change.implementer) != (m.people["jonas"], m.people["amara"]):
        return []
    if change.status == Status.ASSESSED and somebody_who_may(change) is None:
        return []
    found = [name for name, path in PATHS.items() if (path.type, path.until) == (change.type, change.status)]
    return found if Cell.objects.filter(change=change).exists() else [name for name in found if "cell" not in name]
