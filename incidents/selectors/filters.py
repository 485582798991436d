"""The filters of the incident list as an address: every view of the list is a link."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from incidents.enums import OPEN, IncidentType, Status

VIEWS = ("open", "mine", "all")
KINDS = ("real", "drill")
SORTS = ("urgent", "newest", "oldest", "worst", "mildest")
REFERENCE = re.compile(r"^(?:inc-?)?0*(\d{1,9})$", re.IGNORECASE)
LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked the list for. What an address misspells is left out."""

    view: str = "open"
    severity: int | None = None
    status: str = ""
    type: str = ""
    system: str = ""
    commander: int | None = None
    kind: str = ""
    q: str = ""
    sort: str = "urgent"
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Read the address. A settled state or a reference opens the view of all incidents."""
        found = cls(
            view=_one_of(query.get("view", ""), VIEWS, "open"),
            severity=_number(query.get("severity", "")),
            status=_one_of(query.get("status", ""), Status.values, ""),
            type=_one_of(query.get("type", ""), IncidentType.values, ""),
            system=query.get("system", "")[:60],
            commander=_number(query.get("commander", "")),
            kind=_one_of(query.get("kind", ""), KINDS, ""),
            q=" ".join(query.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH],
            sort=_one_of(query.get("sort", ""), SORTS, "urgent"),
            page=max(_number(query.get("page", "")) or 1, 1),
        )
        settled = bool(found.status) and found.status not in OPEN
        return replace(found, view="all") if found.view == "open" and (settled or found.reference) else found

    @property
    def reference(self) -> str:
        """The reference that the search means: INC-000042 for "42", "inc-42" and "INC-000042"."""
        match = REFERENCE.match(self.q)
        return f"INC-{int(match[1]):06d}" if match else ""

    @property
    def words(self) -> list[str]:
        """The words that the search asks for, at most eight."""
        return [] if self.reference else self.q.split()[:8]

    @property
    def narrowed(self) -> bool:
        """Whether anything but the view and the order was asked for."""
        return any((self.severity, self.status, self.type, self.system, self.commander, self.kind, self.q))

    def address(self, **changes: Any) -> str:
        """Return the address of this list with some filters changed, on its first page unless `page` is given."""
        wanted = replace(self, **{"page": 1, **changes})
        plain = Filters()
        asked = {name: getattr(wanted, name) for name in _NAMES if getattr(wanted, name) != getattr(plain, name)}
        return reverse("incidents:list") + (f"?{urlencode(asked)}" if asked else "")

    def kept(self) -> list[tuple[str, str]]:
        """Return what a search form must carry along: everything but the words and the page."""
        plain = Filters()
        names = [name for name in _NAMES if name not in {"q", "page"}]
        return [(name, str(getattr(self, name))) for name in names if getattr(self, name) != getattr(plain, name)]


_NAMES = ("view", "severity", "status", "type", "system", "commander", "kind", "q", "sort", "page")


def _one_of(found: str, choices: Any, otherwise: str) -> str:
    return found if found in choices else otherwise


def _number(found: str) -> int | None:
    return int(found) if found.isascii() and found.isdigit() and len(found) <= 9 else None
