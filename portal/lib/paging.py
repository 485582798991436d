"""One page of a long list, read by its window: counting stops at a thousand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAGE_SIZE: Final = 25
COUNT_CAP: Final = 1000


def capped(count: int) -> str | int:
    """Return a count that stopped one beyond the cap as it is told: "19", or "more than 1,000"."""
    return count if count <= COUNT_CAP else f"more than {COUNT_CAP:,}"


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows a window belongs to, as the pager component asks for it."""

    count: str | int


@dataclass(frozen=True, slots=True)
class PageWindow:
    """One page of a list, for the pager component: `shown` of its rows, `more` when others come behind."""

    paginator: Total
    number: int
    shown: int
    more: bool

    def start_index(self) -> int:
        """Return the number of the first row shown."""
        return (self.number - 1) * PAGE_SIZE + 1

    def end_index(self) -> int:
        """Return the number of the last row shown."""
        return (self.number - 1) * PAGE_SIZE + self.shown

    def has_previous(self) -> bool:
        """Tell whether a page comes before this one."""
        return self.number > 1

    def has_next(self) -> bool:
        """Tell whether a page comes after this one."""
        return self.more

    def previous_page_number(self) -> int:
        """Return the number of the page before."""
        return self.number - 1

    def next_page_number(self) -> int:
        """Return the number of the page after."""
        return self.number + 1
