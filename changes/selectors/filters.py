"""The filters of the list of changes as an address: every view of the list is a link."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from changes.enums import ChangeType, Level, Outcome, Status

VIEWS = ("open", "mine", "decide", "reviews", "closed", "all")
SORTS = ("planned", "newest", "oldest", "risk")
ENDED = (Status.CLOSED, Status.CANCELLED)
REFERENCE = re.compile(r"^(?:chg-?)?0*(\d{1,9})$", re.IGNORECASE)
MONTH = re.compile(r"^\d{4}-(?:0[1-9]|1[0-2])$")
LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked the list for. What an address misspells is left out.

    `month` is that in which a change was closed, such as 2026-11; `caused` asks for those that caused an incident.
    """

    view: str = "open"
    type: str = ""
    status: str = ""
    risk: str = ""
    outcome: str = ""
    system: str = ""
    month: str = ""
    caused: str = ""
    q: str = ""
    sort: str = "planned"
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Read the address. A state that is over, or a reference, opens the view of all changes."""
        found = cls(
            view=_one_of(query.get("view", ""), VIEWS, "open"),
            type=_one_of(query.get("type", ""), ChangeType.values, ""),
            status=_one_of(query.get("status", ""), Status.values, ""),
            risk=_one_of(query.get("risk", ""), Level.values, ""),
            outcome=_one_of(query.get("outcome", ""), Outcome.values, ""),
            system=query.get("system", "").replace("\x00", "")[:60],
            month=query.get("month", "") if MONTH.match(query.get("month", "")) else "",
            caused=_one_of(query.get("caused", ""), ("1",), ""),
            q=" ".join(query.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH],
            sort=_one_of(query.get("sort", ""), SORTS, "planned"),
            page=max(_number(query.get("page", "")) or 1, 1),
        )
        over = found.status in ENDED or found.outcome or found.month or found.caused or found.reference
        return replace(found, view="all") if found.view == "open" and over else found

    @property
    def reference(self) -> str:
        """The reference that the search means: CHG-000042 for "42", "chg-42" and "CHG-000042"."""
        match = REFERENCE.match(self.q)
        return f"CHG-{int(match[1]):06d}" if match else ""

    @property
    def words(self) -> list[str]:
        """The words that the search asks for, at most eight."""
        return [] if self.reference else self.q.split()[:8]

    @property
    def narrowed(self) -> bool:
        """Whether anything but the view and the order was asked for."""
        return any(getattr(self, name) for name in _NAMES if name not in {"view", "sort", "page"})

    def address(self, **changes: Any) -> str:
        """Return the address of this list with some filters changed, on its first page unless `page` is given."""
        wanted = replace(self, **{"page": 1, **changes})
        plain = Filters()
        asked = {name: getattr(wanted, name) for name in _NAMES if getattr(wanted, name) != getattr(plain, name)}
        return reverse("changes:list") + (f"?{urlencode(asked)}" if asked else "")

    def kept(self) -> list[tuple[str, str]]:
        """Return what a search form must carry along: everything but the words and the page."""
        plain = Filters()
        names = [name for name in _NAMES if name not in {"q", "page"}]
        return [(name, str(getattr(self, name))) for name in names if getattr(self, name) != getattr(plain, name)]


_NAMES = ("view", "type", "status", "risk", "outcome", "system", "month", "caused", "q", "sort", "page")


def _one_of(found: str, choices: Any, otherwise: str) -> str:
    return found if found in choices else otherwise


def _number(found: str) -> int | None:
    return int(found) if found.isascii() and found.isdigit() and len(found) <= 9 else None
