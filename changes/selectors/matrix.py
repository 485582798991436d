"""The release checklist of a change as a matrix: what stands in each cell, what is open, what could be carried over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from changes.enums import RUNNING, CellState, Status
from changes.looks import CELL_LOOKS
from changes.models import Cell, Change, Module, ReleaseCheck
from changes.services.releasing import last_release
from portal.records.models import Demand


@dataclass(frozen=True, slots=True)
class Face:
    """One cell as it is shown."""

    cell: Cell | None
    check: ReleaseCheck
    tone: str
    icon: str
    word: str
    title: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether it waits for an answer."""
        return self.cell is not None and self.cell.state == CellState.OPEN

    @property
    def act_word(self) -> str:
        """Return the word of the link that answers it: of an open question the question."""
        return "Needed?" if self.is_open else self.word


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """One module with its cells, in the order of the checks."""

    module: Module
    faces: list[Face]

    @property
    def open_count(self) -> int:
        """Return how many of its cells are open."""
        return sum(face.is_open for face in self.faces)

    @property
    def tickable(self) -> bool:
        """Tell whether a cell is open that a tick answers: what is a question is not."""
        return any(face.is_open and not face.check.opens_review for face in self.faces)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole checklist. `asked` tells whether its cells stand already: they do from submission on."""

    checks: list[ReleaseCheck]
    rows: list[ModuleRow]
    total: int
    answered: int
    asked: bool
    answerable: bool

    @property
    def open_count(self) -> int:
        """Return how many cells are open."""
        return self.total - self.answered

    @property
    def is_asked_again(self) -> bool:
        """Tell whether an open cell still shows what was said before an edit."""
        return any(face.is_open and face.title for row in self.rows for face in row.faces)


def matrix_of(change: Change, *, user: Any) -> Matrix:
    """Return the release checklist of a change. Four queries however many modules it touches."""
    checks = list(ReleaseCheck.objects.visible_to(user).filter(active=True))
    modules = sorted(change.modules.all(), key=lambda module: (module.position, module.name))
    cells = list(Cell.objects.visible_to(user).filter(change=change))
    reviews = _reviews(cells)
    known = {(cell.module_id, cell.check_of_id): cell for cell in cells}
    rows = [
        ModuleRow(module, [face_of(known.get((module.pk, check.pk)), check, reviews) for check in checks])
        for module in modules
    ]
    faces = [face for row in rows for face in row.faces]
    return Matrix(
        checks=checks,
        rows=rows,
        total=len(faces),
        answered=sum(face.cell is not None and not face.is_open for face in faces),
        asked=bool(cells),
        answerable=change.status not in (*RUNNING, Status.CLOSED, Status.CANCELLED),
    )


def _reviews(cells: Collection[Cell]) -> dict[str, bool]:
    """Return whether each access review that a cell opened is done, by its key."""
    keys = [cell.demand_key for cell in cells if cell.demand_key]
    rows = Demand.objects.filter(key__in=keys).values_list("key", "answered_at") if keys else ()
    return {key: answered_at is not None for key, answered_at in rows}


def face_of(cell: Cell | None, check: ReleaseCheck, reviews: dict[str, bool]) -> Face:
    """Return how one cell looks."""
    if cell is None:
        return Face(None, check, "not", "circle-dashed", "Not asked yet")
    tone, icon = CELL_LOOKS[cell.state]
    by = f"{cell.answered_by}" if cell.answered_by else ""
    if cell.state == CellState.NOT_NEEDED:
        return Face(cell, check, tone, icon, "Not needed", f"{cell.because} ({by})")
    if cell.state == CellState.DONE and cell.demand_key:
        done = reviews.get(cell.demand_key, False)
        word, look = ("Reviewed", ("done", "circle-check")) if done else ("Review open", ("open", "clipboard-check"))
        return Face(cell, check, *look, word, by)
    if cell.state == CellState.DONE:
        return Face(cell, check, tone, icon, "Done", f"{cell.evidence} ({by})" if cell.evidence else by)
    before = cell.because or cell.evidence
    return Face(cell, check, tone, icon, "Open", f"Asked again after an edit. Said before: {before}" if before else "")


def face_for(cell: Cell, check: ReleaseCheck) -> Face:
    """Return how one cell looks, read by itself. One query at most."""
    return face_of(cell, check, _reviews([cell]))


@dataclass(frozen=True, slots=True)
class Carried:
    """What the last release said of one module that is not needed, and that is open here."""

    module: Module
    answers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CarryOver:
    """The last release of these modules, and what could be taken over from it; never by itself."""

    last: Change
    modules: list[Carried]


def carry_over_of(change: Change, *, user: Any) -> CarryOver | None:
    """Return what the last release offers, nothing where it offers nothing. Three queries."""
    last = last_release(change)
    if last is None or not Change.objects.visible_to(user).filter(pk=last.pk).exists():
        return None
    mine = Cell.objects.visible_to(user).filter(change=change, state=CellState.OPEN)
    open_here = set(mine.values_list("module_id", "check_of_id"))
    found: dict[int, Carried] = {}
    rows = Cell.objects.visible_to(user).filter(change=last, state=CellState.NOT_NEEDED)
    for cell in rows.select_related("module", "check_of").order_by("module__position", "check_of__position"):
        if (cell.module_id, cell.check_of_id) in open_here:
            carried = found.setdefault(cell.module_id, Carried(cell.module, []))
            carried.answers.append((cell.check_of.name, cell.because))
    return CarryOver(last, list(found.values())) if found else None
