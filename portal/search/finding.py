"""What words lead to, for one reader: one query for each kind, over what that reader may see and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Case, IntegerField, Model, Q, Value, When
from django.utils.safestring import SafeString

from portal.search.matching import Matches, tables_with
from portal.search.registry import Searchable, Shown, kinds
from portal.search.words import BEGUN, line_of, marked, marked_code, terms_of, weight

WEIGHED: Final = 100  # rows of a kind that are weighed against one another
SHOWN: Final = 10  # hits of a group on the page
NAMED, SAID, NEAR = 3.0, 1.0, 0.5  # what a word counts in the name, in the text, and in what the row belongs to
READ: Final = 4000  # characters of a row that are weighed where it need not have all the words
OF_SYSTEM: Final = 4.0  # what it counts to be about a system that is asked for


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that was found: its name and the line that matches, marked, how well it fits, how many words it met."""

    label: str
    icon: str
    name: SafeString
    line: SafeString
    context: str
    url: str
    weight: float
    of_system: bool
    met: int


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A row before it is known whether it is shown: only what is shown is marked."""

    kind: Searchable
    row: Mapping[str, Any]
    shown: Shown
    weight: float
    of_system: bool
    met: int


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one group, the best first. `found` counts them; `more` says that there are more than were weighed."""

    name: str
    hits: list[Hit]
    found: int
    more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What words lead to. With `partly`, no row has all of them and these have some."""

    terms: tuple[str, ...]
    groups: list[Group]
    partly: bool = False

    def best(self, most: int) -> list[Hit]:
        """Return the hits that fit best, whatever they are."""
        hits = (hit for group in self.groups for hit in group.hits)
        return sorted(hits, key=lambda hit: -hit.weight)[:most]


def find(words: str, user: Any, *, systems: Collection[int] = (), shown: int = SHOWN) -> Found:
    """Return what the reader may see that has all these words, else what has some of them.

    What is about one of `systems` comes first.
    """
    terms = terms_of(words)
    if not terms:
        return Found(terms, [])
    found = search(terms, user, systems=systems, shown=shown)
    if found.groups or len(terms) == 1:
        return found
    return replace(search(terms, user, systems=systems, shown=shown, any_term=True), partly=True)


def search(
    terms: tuple[str, ...], user: Any, *, systems: Collection[int], only: Collection[str] = (), shown: int = SHOWN,
    any_term: bool = False, without: Model | None = None,
) -> Found:  # fmt: skip
    """Return the rows that meet all terms, or any of them, by group; the group with the best row first.

    `only` names kinds; without any, all are searched. `without` is a record that is left out. One query says which
    tables have the words at all, one more is asked of each kind that does.
    """
    groups: dict[str, list[_Weighed]] = {}
    more: set[str] = set()
    asked = [kind for kind in kinds() if not only or kind.kind in only]
    tables = tables_with((kind.table for kind in asked), terms, any_term=any_term)
    for kind in asked:
        if kind.table not in tables:
            continue
        rows = _rows(kind, terms, user, systems, any_term=any_term)
        left_out = without.pk if isinstance(without, kind.model) else None
        kept = [_weighed(kind, row, terms, systems, any_term=any_term) for row in rows if row["pk"] != left_out]
        if kept:
            groups.setdefault(kind.group, []).extend(kept)
        if len(rows) == WEIGHED:
            more.add(kind.group)
    ranked = [(name, sorted(rows, key=lambda one: -one.weight)) for name, rows in groups.items()]
    ranked.sort(key=lambda group: -group[1][0].weight)
    found = [Group(name, [_hit(one, terms) for one in rows[:shown]], len(rows), name in more) for name, rows in ranked]
    return Found(terms, found)


def _rows(
    kind: Searchable, terms: Sequence[str], user: Any, systems: Collection[int], *, any_term: bool
) -> list[dict[str, Any]]:
    """Return the rows of a kind that are weighed: of the systems first, then by name where that leads, then newest."""
    rows = kind.rows(user).filter(Matches(kind, terms, any_term=any_term))
    order: list[Any] = []
    if kind.system and systems:
        order.append(_first(Q(**{f"{kind.system}__in": list(systems)})))
    if kind.titled:
        order += [_first(Q(**{f"{kind.columns[0]}__icontains": term})) for term in terms]
    wanted = {"pk", *kind.columns, *kind.values, *([kind.system] if kind.system else [])}
    return list(rows.order_by(*order, "-pk").values(*sorted(wanted))[:WEIGHED])


def _first(condition: Q) -> Case:
    return Case(When(condition, then=Value(0)), default=Value(1), output_field=IntegerField())


def _weighed(
    kind: Searchable, row: Mapping[str, Any], terms: Sequence[str], systems: Collection[int], *, any_term: bool
) -> _Weighed:
    """Weigh a row. Where it has all the terms, its longer texts need not be read for that."""
    shown = kind.show(row)
    named, near = weight(shown.name, terms), weight(shown.context, terms)
    said = weight("\n".join(_texts(kind, row))[:READ], terms) if any_term else dict.fromkeys(terms, BEGUN)
    counted = sum(
        max(NAMED * named.get(term, 0.0), SAID * said.get(term, 0.0), NEAR * near.get(term, 0.0)) for term in terms
    )
    of_system = bool(kind.system) and row[kind.system] in systems
    return _Weighed(kind, row, shown, counted + (OF_SYSTEM if of_system else 0.0), of_system, len(named | said))


def _texts(kind: Searchable, row: Mapping[str, Any]) -> list[str]:
    return [str(row[column] or "") for column in kind.columns]


def _hit(one: _Weighed, terms: Sequence[str]) -> Hit:
    """Return a row as it is shown. The line that matches stands below a name that does not say all."""
    kind, shown = one.kind, one.shown
    told = weight(shown.name, terms)
    rest = [text for text in _texts(kind, one.row) if text != shown.name]
    line = line_of(rest, [term for term in terms if term not in told])
    context = "" if line == shown.context else shown.context
    mark = marked_code if kind.markdown else marked
    return Hit(
        shown.label or kind.label, shown.icon or kind.icon, mark(shown.name, terms), mark(line, terms),
        context, kind.url(one.row), one.weight, one.of_system, one.met,
    )  # fmt: skip
