"""What can be found: the part that owns a kind of record registers it when the portal starts.

A kind names the columns that are searched, and who may see which rows; nothing here knows the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class Shown:
    """One row as a result: what it is called, what it belongs to, and its own label where that differs."""

    name: str
    context: str
    label: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Searchable:
    """One kind of row that is found.

    `label` says what one of them is, `group` what they stand under. `columns` are searched, the name of the row
    first; they are columns of its own table. `rows` returns what a reader may see of it and what is in force, always
    through `visible_to`. `show` says how one of them reads, `url` where it stands: that is asked only of what is
    shown. `values` are the lookups that both read beside the columns and the key. `system` leads to
    the system that it is about. `titled` says that a word in the first column comes before one in another, however
    old the row. `markdown` says that code is written between backticks there, and shown as code. `prefix` is that
    of its references, such as MNT: a reference that is typed leads to its row.
    """

    kind: str
    label: str
    group: str
    icon: str
    model: type[models.Model]
    columns: tuple[str, ...]
    rows: Callable[[Any], QuerySet[Any]]
    show: Callable[[Mapping[str, Any]], Shown]
    url: Callable[[Mapping[str, Any]], str]
    values: tuple[str, ...] = ()
    system: str = ""
    titled: bool = False
    markdown: bool = False
    prefix: str = ""

    @property
    def table(self) -> str:
        """The table of its rows."""
        return self.model._meta.db_table


_kinds: dict[str, Searchable] = {}


def register(*kinds: Searchable) -> None:
    """Add kinds, in the order in which they are shown where nothing else decides.

    ValueError is raised for a name that another has, and for a model that is searched by other columns already: it has
    one index.
    """
    for kind in kinds:
        standing = _kinds.get(kind.kind)
        if standing is not None and standing != kind:
            raise ValueError(f"{kind.kind} is registered already.")
        if any(one.model is kind.model and one.columns != kind.columns for one in _kinds.values()):
            raise ValueError(f"{kind.kind} searches {kind.model.__name__} by other columns than another kind does.")
        _kinds[kind.kind] = kind


def kinds() -> list[Searchable]:
    """Return every kind, in the order of registration."""
    return list(_kinds.values())


def of_prefix(prefix: str) -> Searchable | None:
    """Return the kind whose references begin so."""
    return next((kind for kind in _kinds.values() if kind.prefix == prefix), None) if prefix else None


def indexed() -> dict[str, tuple[str, ...]]:
    """Return the columns that are searched, by table."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in _kinds.values():
        meta = kind.model._meta
        fields: dict[str, Any] = {field.name: field for field in meta.concrete_fields}
        found[meta.db_table] = tuple(fields[name].column for name in kind.columns)
    return found
