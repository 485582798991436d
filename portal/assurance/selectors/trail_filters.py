"""The filters of the trail as an address: every view of it is a link."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from portal.audit.enums import EVENTS_OF_READING, EVENTS_OF_SIGNING_IN, Action
from portal.audit.history import AuditHistory

PERIODS = {"today": "Today", "7d": "7 days", "30d": "30 days", "quarter": "This quarter"}
_DAYS = {"today": 1, "7d": 7, "30d": 30}
ORIGINS = ("web", "admin", "api", "task", "command", "import")
WHATS = {
    "privileged": "Privileged",
    "approvals": "Approvals",
    "incidents": "Incidents",
    "people": "Roles and people",
    "sign-ins": "Sign-ins",
    "reading": "Reading",
}
PEOPLE = frozenset(
    {
        "accounts.user",
        "auth.group",
        "directory.contact",
        "directory.contactmethod",
        "directory.team",
        "assurance.engagement",
    }
)
LONGEST_SEARCH, LONGEST_VALUE, MOST_WORDS = 100, 200, 8
_MODEL = re.compile(r"[a-z_0-9]+\.[a-z_0-9]+")
_FIELD = re.compile(r"[a-z_0-9]{1,63}")
_CURSOR = re.compile(r"(-?\d{1,18})\.(\d{1,18})")
_ORIGIN = re.compile(r"[a-z-]{1,20}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A place between rows of the trail: just before or after the row of this moment and id."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.id}"

    @classmethod
    def of(cls, text: str) -> Place | None:
        """Read a place from an address; nothing for what is none."""
        match = _CURSOR.fullmatch(text) if text.isascii() else None
        if match is None:
            return None
        try:
            return cls(_EPOCH + int(match[1]) * _MICROSECOND, int(match[2]))
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked the trail for. `odd` says what in the address means nothing; then no row fits."""

    q: str = ""
    period: str = ""
    starts: date | None = None
    ends: date | None = None
    what: str = ""
    origin: str = ""
    person: int | None = None
    part: str = ""
    model: str = ""
    object: str = ""
    action: str = ""
    field: str = ""
    before: Place | None = None
    after: Place | None = None
    last: bool = False
    odd: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Read the address."""
        given = {name: query.get(name, "").replace("\x00", "").strip()[:LONGEST_VALUE] for name in _ALL}
        found: dict[str, Any] = {}
        wrong: list[str] = []
        for name in _ALL:
            if given[name]:
                value = _READ[name](given[name])
                if value is None:
                    wrong.append(f"“{given[name][:60]}” is no {_NOUNS[name]}.")
                else:
                    found[_COLUMN.get(name, name)] = value
        if found.get("object") and not found.get("model"):
            wrong.append("An object is named with its kind.")
        return cls(**found, odd=" ".join(wrong))

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for but a place in the list."""
        return bool(self.odd) or any(getattr(self, name) != getattr(_PLAIN, name) for name in _KEPT)

    @property
    def words(self) -> list[str]:
        """The words that are searched for, in small letters; at most eight."""
        return words_of(self.q)

    @property
    def backwards(self) -> bool:
        """Whether the page is read from its older end: towards newer rows, or the very last page."""
        return self.last or self.after is not None

    def bounds(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the first moment asked for and the first one no more, in the active zone; nothing where open."""
        zone = timezone.get_current_timezone()
        if self.period:
            today = timezone.localtime(now, zone).date()
            quarter = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
            first = quarter if self.period == "quarter" else today - timedelta(days=_DAYS[self.period] - 1)
            return datetime.combine(first, time(), zone), None
        starts = datetime.combine(self.starts, time(), zone) if self.starts else None
        ends = datetime.combine(self.ends + timedelta(days=1), time(), zone) if self.ends else None
        return starts, ends

    def models(self) -> list[str]:
        """Return the kinds of objects that `what` means; none when it is not about kinds."""
        if self.what == "people":
            return sorted(PEOPLE)
        if self.what in {"incidents", "approvals"}:
            return sorted(model._meta.label_lower for model in apps.get_app_config(self.what).get_models())
        return []

    def actions(self) -> list[str]:
        """Return the actions that `what` means; none when it is not about actions."""
        return list({"sign-ins": EVENTS_OF_SIGNING_IN, "reading": EVENTS_OF_READING}.get(self.what, ()))

    def address(self, **changes: Any) -> str:
        """Return the address of the trail with some filters changed, on its first page unless a place is given."""
        query = self.query(**changes)
        return reverse("assurance:trail") + (f"?{query}" if query else "")

    def query(self, **changes: Any) -> str:
        """Return the query of that address."""
        wanted = replace(self, **{"before": None, "after": None, "last": False, "odd": "", **changes})
        asked = {name: _told(getattr(wanted, _COLUMN.get(name, name))) for name in _ALL}
        return urlencode({name: value for name, value in asked.items() if value})

    def kept(self) -> list[tuple[str, str]]:
        """Return what a search form must carry along: everything but the words and the place."""
        return [(name, _told(getattr(self, _COLUMN.get(name, name)))) for name in _ALL if self._is_kept(name)]

    def _is_kept(self, name: str) -> bool:
        return name not in {"q", "before", "after", "last"} and bool(_told(getattr(self, _COLUMN.get(name, name))))


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are looked for: letters and figures, in small letters, at most eight."""
    return re.findall(r"[^\W_]+", text.lower())[:MOST_WORDS]


def known_models() -> frozenset[str]:
    """Return the kinds of objects whose changes the trail tells."""
    return frozenset(model._meta.label_lower for model in AuditHistory.of)


def _one_of(choices: Any) -> Any:
    return lambda text: text if text in choices else None


def _matching(pattern: re.Pattern[str]) -> Any:
    return lambda text: text if text.isascii() and pattern.fullmatch(text) else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 9000 else None


def _told(value: Any) -> str:
    if value is None or value is False or value == "":
        return ""
    return "1" if value is True else str(value)


_READ: dict[str, Any] = {
    "q": lambda text: " ".join(text.split())[:LONGEST_SEARCH],
    "period": _one_of(PERIODS),
    "from": _day,
    "to": _day,
    "what": _one_of(WHATS),
    "origin": _matching(_ORIGIN),
    "person": _number,
    "part": lambda text: text,
    "model": _matching(_MODEL),
    "object": lambda text: text if len(text) <= 64 else None,
    "action": _one_of(Action.values),
    "field": _matching(_FIELD),
    "before": Place.of,
    "after": Place.of,
    "last": lambda text: True if text == "1" else None,
}
_NOUNS = {
    "q": "search",
    "period": "period",
    "from": "day; write it as 2026-11-17",
    "to": "day; write it as 2026-11-17",
    "what": "kind of act",
    "origin": "origin",
    "person": "account",
    "part": "part of the system",
    "model": "kind of object",
    "object": "object",
    "action": "action",
    "field": "field",
    "before": "place in the trail",
    "after": "place in the trail",
    "last": "page",
}
_ALL = tuple(_READ)
_COLUMN = {"from": "starts", "to": "ends"}
_KEPT = ("q", "period", "starts", "ends", "what", "origin", "person", "part", "model", "object", "action", "field")
_PLAIN = Filters()
