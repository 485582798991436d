"""The pages of the portal that a step can lead to, by names that stay while addresses move."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its label, the name of its address, and what is asked of it."""

    label: str
    view: str
    query: str = ""

    @property
    def url(self) -> str:
        """Return the address; "" where this portal has no such page."""
        try:
            return reverse(self.view) + self.query
        except NoReverseMatch:
            return ""


PAGES: MappingProxyType[str, Page] = MappingProxyType(
    {
        "now": Page("Now", "dashboard:now"),
        "status": Page("Status", "dashboard:status"),
        "readiness": Page("Readiness", "dashboard:readiness"),
        "health": Page("Health of the portal", "dashboard:healthz"),
        "incidents": Page("Open incidents", "incidents:list"),
        "security-incidents": Page("Security incidents", "incidents:list", "?type=security"),
        "communications": Page("Communications", "incidents:communications"),
        "sources": Page("Sources of alerts", "incidents:sources"),
        "evidence": Page("Evidence", "evidence:list"),
        "damaged-evidence": Page("Altered or missing evidence", "evidence:list", "?show=damaged"),
        "systems": Page("Systems", "directory:systems"),
        "on-call": Page("On call", "directory:on-call"),
        "people": Page("People and teams", "directory:people"),
        "approvals": Page("Approvals", "approvals:list"),
        "trail": Page("Trail", "assurance:trail"),
        "reviews": Page("Reviews", "assurance:reviews"),
        "exports": Page("Exports", "assurance:exports"),
        "runbooks": Page("Runbooks", "runbooks:list"),
        "security-procedures": Page("Security procedures", "runbooks:security"),
        "maintenance": Page("Maintenance", "maintenance:list"),
        "metrics": Page("Metrics", "monitoring:list"),
        "configuration": Page("Configuration", "checklists:configuration"),
        "board": Page("Checklist board", "checklists:board"),
    }
)


def page_choices() -> list[tuple[str, str]]:
    """Return the pages as a form offers them."""
    return [(key, page.label) for key, page in PAGES.items()]


def page_of(key: str) -> Page | None:
    """Return the page with this name, where this portal has it."""
    page = PAGES.get(key)
    return page if page is not None and page.url else None
