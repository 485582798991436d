"""The incidents as an export, narrowed as their list is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import QueryDict

from incidents.models import Incident
from incidents.selectors.filters import Filters
from incidents.selectors.listing import contact_of, narrowed
from portal.assurance.exporting.sources import TableSource, Work, by_key
from portal.lib.cells import in_utc, twice

MOMENTS = ("declared", "acknowledged", "activated", "mitigated", "resolved", "closed", "cancelled")


class Incidents(TableSource[Incident]):
    """The list of incidents with its filters."""

    slug: ClassVar[str] = "incidents"
    name: ClassVar[str] = "Incidents"
    explanation: ClassVar[str] = "The list of incidents, with who did what when and the systems that each affects."
    icon: ClassVar[str] = "siren"
    permission: ClassVar[str] = "incidents.view_incident"

    def title(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return the name of the view."""
        view = _filters(parameters).view
        return {"open": "Open incidents", "mine": "My incidents"}.get(view, "Incidents")

    def narrowing(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return the filters as the list's address says them."""
        return ", ".join(f"{name}: {value}" for name, value in _words(_filters(parameters)))

    def columns(self, work: Work) -> list[str]:
        """Return the heads: each moment stands twice, with its author."""
        heads = ["reference", "title", "drill", "type", "severity", "major", "state", "systems", "commander", "source"]
        for name in MOMENTS:
            heads += [f"{name} (UTC)", f"{name} ({work.zone.key})", f"{name} by"]
        return [*heads, "description"]

    def count(self, work: Work) -> int:
        """Return how many there are."""
        return self._rows(work).values("pk").count()

    def batches(self, work: Work) -> Iterator[list[Incident]]:
        """Yield them in the order of their declaration."""
        return by_key(self._rows(work).select_related("severity", "commander").prefetch_related("systems"))

    def lines(self, record: Incident, work: Work) -> list[list[Any]]:
        """Return the one line of an incident."""
        line: list[Any] = [
            record.reference,
            record.title,
            "DRILL" if record.is_drill else "",
            record.get_type_display(),
            record.severity.code,
            record.is_major,
            record.get_status_display(),
            ", ".join(system.name for system in record.systems.all()),
            str(record.commander or ""),
            record.source,
        ]
        for name in MOMENTS:
            line += [*twice(getattr(record, f"{name}_at"), work.zone), getattr(record, f"{name}_by")]
        return [[*line, record.description]]

    def as_json(self, record: Incident, work: Work) -> dict[str, Any]:
        """Return an incident with its moments in UTC."""
        return {
            "id": record.pk,
            "reference": record.reference,
            "title": record.title,
            "description": record.description,
            "type": record.type,
            "severity": record.severity.code,
            "major": record.is_major,
            "drill": record.is_drill,
            "state": record.status,
            "systems": [system.name for system in record.systems.all()],
            "commander": str(record.commander) if record.commander else None,
            "source": record.source,
            **{name: _moment(record, name) for name in MOMENTS},
        }

    def _rows(self, work: Work) -> QuerySet[Incident]:
        contact = contact_of(work.user)
        return narrowed(work.user, _filters(work.parameters), contact_id=contact.pk if contact else None)


def _moment(record: Incident, name: str) -> dict[str, str] | None:
    at = getattr(record, f"{name}_at")
    return {"at": in_utc(at), "by": getattr(record, f"{name}_by")} if at is not None else None


def _filters(parameters: Mapping[str, Any]) -> Filters:
    return Filters.of(QueryDict(str(parameters.get("query", "")), encoding="utf-8"))


def _words(filters: Filters) -> list[tuple[str, str]]:
    return [(name, value) for name, value in filters.kept() if name not in {"view", "sort"}] + (
        [("words", filters.q)] if filters.q else []
    )
