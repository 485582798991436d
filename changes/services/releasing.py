"""The release checklist of a change: a cell for each check of each module that it touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from changes.enums import RUNNING, CellState, Outcome, Status
from changes.models import Cell, Change, Module, ReleaseCheck
from changes.policy import Refused
from changes.services.common import locked, say
from portal.audit.actor import By, actor_of
from portal.audit.stamping import stamp
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.records.models import Demand

REVIEW_TOPIC = "assurance.access-review"
REVIEW_WITHIN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says of a cell: how it stands, why it is not needed, and what shows that it is done."""

    state: str
    because: str = ""
    evidence: str = ""
    opens_review: bool = False


def set_cells(change: Change) -> None:
    """Let a locked change have a cell for each active check of each module that it touches.

    Cells of modules that it no longer touches, or of checks that are asked no more, go while they are open. An answer
    stays: the record of what somebody said is kept, and it does not count. So does a cell that opened an access review,
    which is waited for all the same.
    """
    wanted = {(m, c) for m in change.modules.values_list("pk", flat=True) for c in _checks()}
    standing = {(cell.module_id, cell.check_of_id): cell for cell in Cell.objects.filter(change=change)}
    for module_id, check_id in sorted(wanted - standing.keys()):
        Cell.objects.create(change=change, module_id=module_id, check_of_id=check_id)
    for key in standing.keys() - wanted:
        if standing[key].state == CellState.OPEN and not standing[key].demand_key:
            standing[key].delete()


ANOTHER_TIME = frozenset(
    {
        *("Title", "Type", "Justification", "Modules", "Requested by", "Carried out by"),
        *("Planned start", "Planned end", "Outage", "Rollback last rehearsed", "Risk", "Started on the authority of"),
    }
)
"""What of a change an answer does not speak of: an edit of anything else is other work.

A module has cells of its own, so that one more or less says nothing of the others.
"""


def is_other_work(moved: Iterable[str]) -> bool:
    """Tell whether an edit of these facts makes it other work than the release checklist was answered for."""
    return not ANOTHER_TIME.issuperset(moved)


def ask_again(change: Change, *, modules: Collection[int] | None = None) -> int:
    """Open the answered cells of a locked change, or of these modules; return how many.

    Why something was not needed, and what showed that it was done, stays in the open cell: whoever answers sees it,
    and says whether it still holds.
    """
    cells = Cell.objects.filter(change=change).exclude(state=CellState.OPEN).select_for_update(of=("self",))
    answered = list(cells if modules is None else cells.filter(module__in=modules))
    for cell in answered:
        cell.state = CellState.OPEN
        stamp(cell, "answered", by=None, at=None)
        cell.save()
    return len(answered)


def _checks() -> list[int]:
    return list(ReleaseCheck.objects.filter(active=True).values_list("pk", flat=True))


def open_cells(change: Change) -> int:
    """Return how many cells of the modules that it touches are still open, those included that do not stand yet."""
    modules = list(change.modules.values_list("pk", flat=True))
    answered = Cell.objects.filter(change=change, module__in=modules, check_of__in=_checks())
    return len(modules) * len(_checks()) - answered.exclude(state=CellState.OPEN).count()


def check_matrix(change: Change) -> None:
    """Refuse while a cell of the release checklist is open."""
    count = open_cells(change)
    if count:
        words = "1 cell is" if count == 1 else f"{count} cells are"
        raise Refused(f"{words} still open in the release checklist. Answer them first.")


def answer(
    change: Change, module: Module, check: ReleaseCheck, said: Answer, *, by: By, at: datetime, reason: str = ""
) -> Cell:
    """Answer one cell, or open it again. Refused is raised for one that is not asked, and while somebody is at it."""
    with locked(change, by=by, at=at, reason=reason) as row:
        _check_open_for_answers(row)
        return _answer(row, module.pk, check, said, by=by, at=at)


def answer_row(
    change: Change, module: Module, said: Mapping[ReleaseCheck, Answer], *, by: By, at: datetime, reason: str = ""
) -> list[Cell]:
    """Answer several cells of one module in one gesture: all of them or none."""
    with locked(change, by=by, at=at, reason=reason) as row:
        _check_open_for_answers(row)
        return [_answer(row, module.pk, check, one, by=by, at=at) for check, one in said.items()]


def _check_open_for_answers(row: Change) -> None:
    if row.status in (*RUNNING, Status.CLOSED, Status.CANCELLED):
        raise Refused(f"This change is {row.get_status_display().lower()}. Its release checklist stands as it is.")


def _answer(row: Change, module_id: int, check: ReleaseCheck, said: Answer, *, by: By, at: datetime) -> Cell:
    cell = Cell.objects.filter(change=row, module_id=module_id, check_of=check).select_for_update(of=("self",)).first()
    if cell is None:
        raise Refused("This module is not touched by the change, so nothing is asked of it.")
    if said.state == CellState.NOT_NEEDED and is_blank(said.because):
        raise Refused("Say in a few words why it is not needed.")
    if said.opens_review and not (check.opens_review and said.state == CellState.DONE):
        raise Refused("Only a check that asks for an access review opens one.")
    if check.opens_review and said.state == CellState.DONE and not said.opens_review:
        raise Refused("Say whether an access review is needed: yes opens one, and no says why.")
    was_open = cell.state == CellState.OPEN
    cell.state, cell.because, cell.evidence = said.state, said.because.strip()[:500], said.evidence.strip()[:500]
    if said.state == CellState.OPEN:
        cell.because = cell.evidence = ""
        stamp(cell, "answered", by=None, at=None)
    else:
        stamp(cell, "answered", by=by, at=at)
    if said.opens_review and (not cell.demand_key or (was_open and _is_reviewed(cell))):
        cell.demand_key = _open_review(row, cell, by=by, at=at)
    cell.save()
    return cell


def _is_reviewed(cell: Cell) -> bool:
    """Tell whether the review that a cell opened is done: it was of what the change was then."""
    return not Demand.objects.filter(key=cell.demand_key, answered_at=None).exists()


def _open_review(row: Change, cell: Cell, *, by: By, at: datetime) -> str:
    """Ask portal.assurance for an access review. The change cannot be closed until it is answered."""
    key = f"{row.reference}:{cell.module.slug}:{cell.check_of.slug}"
    key += f":{row.version}" if cell.demand_key else ""  # the first was of an older version
    records.ask(
        topic=REVIEW_TOPIC, key=key, system=cell.module.system, by=by, at=at, answer_by=at + REVIEW_WITHIN,
        payload={"change": row.reference, "module": cell.module.name, "title": f"{row.reference}: {cell.module.name}"},
    )  # fmt: skip
    say(row, "review", f"opened an access review of {cell.module.name}", by=by, at=at)
    return key


def last_release(change: Change) -> Change | None:
    """Return the newest change that was closed well and touched a module of this one: what can be carried over."""
    well = (Outcome.SUCCESSFUL, Outcome.WITH_ISSUES)
    others = Change.objects.filter(status=Status.CLOSED, outcome__in=well, modules__in=change.modules.all())
    return others.exclude(pk=change.pk).order_by("-closed_at", "-pk").first()


def carry_over(change: Change, modules: Collection[Module], *, by: By, at: datetime, reason: str = "") -> list[Cell]:
    """Take over, for these modules, what the last release said was not needed. What was done is done anew.

    Somebody asks for it by name: it never happens by itself, and each cell says where its answer is from.
    """
    with locked(change, by=by, at=at, reason=reason) as row:
        _check_open_for_answers(row)
        last = last_release(row)
        if last is None:
            raise Refused("No release before this one touched these modules.")
        wanted = {module.pk for module in modules}
        old = Cell.objects.filter(change=last, module__in=wanted, state=CellState.NOT_NEEDED).select_related("check_of")
        carried = []
        for cell in old:
            mine = Cell.objects.filter(change=row, module=cell.module_id, check_of=cell.check_of, state=CellState.OPEN)
            if mine.exists():
                words = f"As in {last.reference}: {cell.because}"
                said = Answer(CellState.NOT_NEEDED, because=words)
                carried.append(_answer(row, cell.module_id, cell.check_of, said, by=by, at=at))
        if not carried:
            raise Refused(f"{last.reference} says of none of these modules that something is not needed.")
        names = actor_of(by).name
        say(row, "carried", f"carried over {len(carried)} answers from {last.reference}", by=by, at=at,
            detail=f"{names} asked for it.")  # fmt: skip
    return carried
