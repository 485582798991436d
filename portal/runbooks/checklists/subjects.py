"""What a checklist can be worked for: each kind of record says which facts its rules ask, and where it is looked at.

The parts of the portal that own a record register it when the portal starts; nothing here knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules ask of a record: its severity, its type and its systems."""

    severity_id: int | None = None
    type: str = ""
    system_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """A pill that belongs beside the name of a record wherever it is worked for, such as the mark of a drill."""

    word: str
    tone: str = ""
    icon: str = ""


def no_marks(_subject: Any) -> Sequence[Mark]:
    """Return no mark."""
    return ()


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of record that checklists are worked for.

    `kind` is its name in addresses and rules. `types` are the choices of the type that a rule may ask for. `is_over`
    says that nothing is started for a record any more. The model's rows are narrowed by `visible_to` and have a
    `reference` and an address. `versions` names the versions of runbooks whose procedures may be worked for a record;
    without it they are those in force of its systems.
    """

    kind: str
    model: type[models.Model]
    label: str
    facts: Callable[[Any], Facts]
    is_over: Callable[[Any], bool]
    types: Sequence[tuple[str, str]] = ()
    marks: Callable[[Any], Sequence[Mark]] = no_marks
    versions: Callable[[Any], models.QuerySet[Any]] | None = None


_kinds: dict[str, Subject] = {}


def register(subject: Subject) -> None:
    """Add a kind of record. ValueError is raised when its name is taken by another."""
    if _kinds.get(subject.kind, subject) != subject:
        raise ValueError(f"{subject.kind} is registered already.")
    _kinds[subject.kind] = subject


def kinds() -> list[Subject]:
    """Return every kind, in the order of their names."""
    return sorted(_kinds.values(), key=lambda one: one.kind)


def of_kind(kind: str) -> Subject | None:
    """Return the kind of that name."""
    return _kinds.get(kind)


def of_record(record: models.Model) -> Subject | None:
    """Return the kind of a record; nothing when no checklist is worked for such records."""
    return next((one for one in _kinds.values() if isinstance(record, one.model)), None)


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds as a form offers them."""
    return [(one.kind, one.label[:1].upper() + one.label[1:]) for one in kinds()]


def type_choices() -> list[tuple[str, str]]:
    """Return the types of all kinds as a form offers them."""
    return [choice for one in kinds() for choice in one.types]
