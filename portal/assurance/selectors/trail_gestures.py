"""A page of the trail: rows grouped by what somebody did in one go, under the days on which they did it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from portal.assurance.selectors.retention import Removed, removed_from
from portal.assurance.selectors.trail_filters import Filters, Place
from portal.assurance.selectors.trail_finding import find
from portal.assurance.selectors.trail_sentences import Part, principal, refused, sentence
from portal.audit.enums import EVENTS_OF_READING, Action
from portal.audit.models import TrailRow

PAGE = 25  # gestures
WINDOWS = (200, 400)  # rows that are read at once: a second time only where a huge gesture fills the first
GIANT = 50  # rows after which the rest of a gesture is passed over
MOST_FOLDED = 50
ORIGIN_ICONS = {
    "web": "user-round",
    "admin": "wrench",
    "api": "cable",
    "task": "timer",
    "command": "code",
    "import": "download",
}


@dataclass
class Gesture:
    """What somebody did in one go, as far as it was asked for. `rows` stand newest first; `more` tells of others.

    `removed` is the tombstone that replaced the words of one of them.
    """

    rows: list[TrailRow]
    more: bool = False
    you: bool = False
    removed: Removed | None = None

    @cached_property
    def folded(self) -> bool:
        """Whether several refused sign-ins are one line."""
        return len(self.rows) > 1 and self.rows[0].gesture != self.rows[-1].gesture

    @cached_property
    def main(self) -> TrailRow:
        """The row that says best what it was about."""
        return self.rows[-1] if self.folded else principal(self.rows)

    @property
    def at(self) -> datetime:
        """When it was done, or last done."""
        return self.rows[0].at

    @cached_property
    def words(self) -> list[Part]:
        """What was done, without the actor."""
        return refused(self.rows[::-1], more=self.more) if self.folded else sentence(self.rows)

    @cached_property
    def reason(self) -> str:
        """Why, in the words of whoever did it."""
        return self.main.reason or next((row.reason for row in self.rows if row.reason), "")

    @property
    def count(self) -> str:
        """How many rows, in words."""
        number = len(self.rows)
        return f"{number}+ rows" if self.more else "1 row" if number == 1 else f"{number} rows"

    @property
    def privileged(self) -> bool:
        """Whether it touched who may do what, or what decides."""
        return any(row.privileged for row in self.rows)

    @property
    def reading(self) -> bool:
        """Whether it was reading, not writing."""
        return self.main.action in EVENTS_OF_READING

    @property
    def refused(self) -> bool:
        """Whether a sign-in was refused."""
        return self.main.action == Action.SIGN_IN_REFUSED

    @property
    def origin_icon(self) -> str:
        """The icon of where it came from."""
        return ORIGIN_ICONS.get(self.main.origin, "circle-help")

    @cached_property
    def url(self) -> str:
        """The address of its rows."""
        if self.folded or self.main.gesture is None:
            ids = [("id", row.pk) for row in self.rows[:MOST_FOLDED]]
            return f"{reverse('assurance:rows')}?{urlencode(ids)}"
        return reverse("assurance:gesture", args=[self.main.gesture])


@dataclass(frozen=True, slots=True)
class Day:
    """A local day with what was done on it."""

    date: date
    gestures: list[Gesture]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the trail. The addresses are empty where nothing lies that way.

    `looked` is set where time ran out: how far was looked, and `further` is where to go on.
    """

    days: list[Day]
    newer: str = ""
    older: str = ""
    newest: str = ""
    oldest: str = ""
    looked: datetime | None = None
    further: str = ""
    gestures: list[Gesture] = field(default_factory=list)


def page_of(
    seen: QuerySet[TrailRow], filters: Filters, *, reader: Any, now: datetime, link: Callable[..., str] | None = None
) -> Page:
    """Return the page that the filters ask for, of the rows in `seen`. One query, a few more around huge gestures.

    `link` makes the address of another place of the list: by default that of the trail with the same filters.
    """
    place = filters.after if filters.backwards else filters.before
    read = _Reading(seen, filters, now)
    lines = sorted(read.gestures(None if filters.last else place), key=_newest, reverse=True)
    for line in lines:
        line.you = line.main.actor_id == reader.pk
    note_removed(lines)
    return _paged(lines, filters, read, link or filters.address)


def note_removed(gestures: Sequence[Gesture]) -> None:
    """Note where the words of a row were removed by a tombstone. Two queries where that is so, else none."""
    removed = removed_from(row for gesture in gestures for row in gesture.rows)
    for gesture in gestures if removed else ():
        gesture.removed = next((removed[row.pk] for row in gesture.rows if row.pk in removed), None)


class _Reading:
    """Reads rows until a page is full, and remembers how far it came."""

    def __init__(self, seen: QuerySet[TrailRow], filters: Filters, now: datetime) -> None:
        self.seen, self.filters, self.now = seen, filters, now
        self.end: Place | None = None
        self.refused_from: str | None = None
        self.runs = 0
        self.more = False
        self.looked: datetime | None = None

    def gestures(self, place: Place | None) -> list[Gesture]:
        """Return a page of gestures in the order of reading."""
        found: dict[Any, Gesture] = {}
        for window in WINDOWS:
            giants = [key for key, gesture in found.items() if gesture.more and isinstance(key, UUID)]
            some = find(self.seen, self.filters, limit=window, now=self.now, place=self.end or place, without=giants)
            full = self._take(found, some.rows)
            if full or len(some.rows) < window:
                self.looked = None if full else some.looked
                self.more = full or some.looked is not None
                break
            self.more = True
        return list(found.values())

    def _take(self, found: dict[Any, Gesture], rows: list[TrailRow]) -> bool:
        """Add rows to their gestures; return True once the page is full."""
        for row in rows:
            key = self._key(row)
            if key not in found:
                if len(found) == PAGE:
                    return True
                found[key] = Gesture([])
            gesture = found[key]
            if len(gesture.rows) < GIANT:
                gesture.rows.insert(0, row) if self.filters.backwards else gesture.rows.append(row)
            else:
                gesture.more = True
            self.end = Place(row.at, row.pk)
        return False

    def _key(self, row: TrailRow) -> Any:
        """Return what the rows of one line share: the gesture, or that sign-ins from one address were refused."""
        if row.action != Action.SIGN_IN_REFUSED:
            self.refused_from = None
            return row.gesture or row.pk
        if self.refused_from != row.address:
            self.refused_from = row.address
            self.runs += 1
        return "refused", self.runs


def _newest(gesture: Gesture) -> tuple[datetime, int]:
    return gesture.at, gesture.rows[0].pk


def _paged(lines: list[Gesture], filters: Filters, read: _Reading, link: Callable[..., str]) -> Page:
    """Return the page with its addresses to both sides."""
    if not lines and read.looked is None:
        return Page([])
    rows = [(row.at, row.pk) for line in lines for row in line.rows]
    ends = [Place(*edge) for edge in (min(rows, default=None), max(rows, default=None)) if edge is not None]
    more = bool(ends) and read.more and read.looked is None
    if filters.backwards:
        older, newer = (bool(ends) and not filters.last), more
        places = (ends[0] if ends else None, read.end)
    else:
        older, newer = more, bool(ends) and filters.before is not None
        places = (read.end, ends[-1] if ends else None)
    further = {"after" if filters.backwards else "before": Place(read.looked, 0)} if read.looked else {}
    return Page(
        [Day(day, list(some)) for day, some in groupby(lines, key=lambda line: timezone.localtime(line.at).date())],
        newer=link(after=places[1]) if newer else "",
        older=link(before=places[0]) if older else "",
        newest=link() if newer else "",
        oldest=link(last=True) if older else "",
        looked=read.looked,
        further=link(**further) if further else "",
        gestures=lines,
    )
