"""The audit trail as an export, narrowed as its page is: every row with all of its differences, and its seal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import Max, QuerySet
from django.http import QueryDict
from django.utils import timezone

from portal.accounts.models import User
from portal.assurance.exporting.policy import Refused
from portal.assurance.exporting.sources import TableSource, Work, by_key
from portal.assurance.selectors.trail_chips import ACTIONS, chosen
from portal.assurance.selectors.trail_filters import PERIODS, WHATS, Filters
from portal.assurance.selectors.trail_finding import narrowed
from portal.audit.enums import Action
from portal.audit.seals import Seal
from portal.audit.tables import Difference, TrailRow
from portal.lib.cells import in_utc, twice

SOURCE = str(TrailRow._meta.label_lower)
NO_DIFFERENCE = Difference("", None, None)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A row of the trail with its seal, as JSON; None while it waits for one."""

    row: TrailRow
    seal: dict[str, Any] | None


class Trail(TableSource[Sealed]):
    """Who changed or read what, when, why, with the differences in full."""

    slug: ClassVar[str] = "trail"
    name: ClassVar[str] = "Trail"
    explanation: ClassVar[str] = "Who changed or read what, when and why: one line for each field, old and new."
    icon: ClassVar[str] = "history"
    permission: ClassVar[str] = "audit.view_trailrow"

    def check(self, user: User, parameters: Mapping[str, Any]) -> None:
        """Refuse also filters that mean nothing."""
        super().check(user, parameters)
        if odd := filters_of(parameters).odd:
            raise Refused(odd)

    def title(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return what is exported."""
        words = self.narrowing(parameters, zone=zone)
        return f"Trail: {words}" if words else "The whole trail"

    def narrowing(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return the filters in words."""
        filters = filters_of(parameters)
        dates = " to ".join(f"{day:%Y-%m-%d}" for day in (filters.starts, filters.ends) if day is not None)
        if dates and not (filters.starts and filters.ends):
            dates = f"from {dates}" if filters.starts else f"until {dates}"
        words = [PERIODS.get(filters.period, dates), WHATS.get(filters.what, ""), filters.origin]
        words += [chip.label for chip in chosen(filters, [])]
        if filters.action in ACTIONS:  # chosen in its own row of chips, like the period
            words.append(Action(filters.action).label)
        return ", ".join(filter(None, words))

    def columns(self, work: Work) -> list[str]:
        """Return the heads. A row fills as many lines as fields changed, the same but for the last three cells."""
        heads = ["row", "seal", "when (UTC)", f"when ({work.zone.key})", "who", "account", "origin", "address"]
        heads += ["gesture", "action", "privileged", "model", "object", "reference", "name", "record", "event"]
        return [*heads, "reason", "field", "old", "new"]

    def count(self, work: Work) -> int:
        """Return how many rows there are."""
        return self._rows(work).count()

    def batches(self, work: Work) -> Iterator[list[Sealed]]:
        """Yield the rows in the order of writing, up to the last one of now."""
        last = TrailRow.objects.aggregate(last=Max("pk"))["last"] or 0
        for rows in by_key(self._rows(work), last=last):
            seals = seals_of(rows)
            yield [Sealed(row, seals.get(row.pk)) for row in rows]

    def lines(self, record: Sealed, work: Work) -> list[list[Any]]:
        """Return a line for each field that changed, or one for a row that tells no change."""
        row = record.row
        head: list[Any] = [
            row.pk,
            record.seal["position"] if record.seal else None,
            *twice(row.at, work.zone),
            row.actor_name,
            row.actor_id,
            row.origin,
            row.address,
            str(row.gesture or ""),
            row.get_action_display(),
            row.privileged,
            row.model,
            row.object_id,
            row.reference,
            row.name,
            f"{row.root_model} {row.root_id}" if row.root_model else "",
            row.event,
            row.reason,
        ]
        return [[*head, found.field, found.old, found.new] for found in row.differences or [NO_DIFFERENCE]]

    def as_json(self, record: Sealed, work: Work) -> dict[str, Any]:
        """Return the row with its seal, every column under its own name."""
        row = record.row
        values = {field.attname: getattr(row, field.attname) for field in TrailRow._meta.concrete_fields}
        told = {"at": in_utc(row.at), "gesture": str(row.gesture) if row.gesture else None}
        changes = [list(found) for found in row.differences]
        return {**values, **told, "fields": row.fields.split(), "changes": changes, "seal": record.seal}

    def _rows(self, work: Work) -> QuerySet[TrailRow]:
        seen = TrailRow.objects.visible_to(work.user)
        with timezone.override(work.zone):  # the days of the filters are those of the reader
            return narrowed(seen, filters_of(work.parameters), now=work.asked_at).order_by()


def filters_of(parameters: Mapping[str, Any]) -> Filters:
    """Return the filters of the trail's page that an export keeps as the query of its address."""
    return Filters.of(QueryDict(str(parameters.get("query", "")), encoding="utf-8"))


def seals_of(rows: list[TrailRow]) -> dict[int, dict[str, Any]]:
    """Return the seals of rows by their ids, without what only proves them together with the row. One query."""
    names = ("row_id", "position", "payload_digest", "history_digest", "link", "digest")
    found = Seal.objects.filter(source=SOURCE, row_id__in=[row.pk for row in rows]).values_list(*names)
    return {row_id: dict(zip(names[1:], map(_told, told), strict=True)) for row_id, *told in found}


def _told(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
