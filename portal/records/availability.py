"""How much of a time a system was there: gross, and net of the time within maintenance windows. Pure but for `read`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import Q

from portal.lib.visibility import narrowed
from portal.records.models import Period

INCIDENT, MAINTENANCE = "incident", "maintenance"
OUTAGE_LEVEL = 1
"""Incidents of this level mean that a system is away; milder ones that it suffers."""
Span: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Availability:
    """The figures of one system over a time. `planned` lay within windows, `excluded` is the outage of that.

    Gross asks the whole time. Net asks the time outside of windows alone: what lay within one is neither outage nor
    service, so that it leaves the numerator and the denominator.
    """

    total: timedelta
    outage: timedelta
    excluded: timedelta
    planned: timedelta

    @property
    def gross(self) -> float:
        """Return the share of the whole time without an outage, between 0 and 1."""
        return 1 - self.outage / self.total

    @property
    def net(self) -> float | None:
        """Return the share of the time outside of windows without an outage; nothing where no time lay outside."""
        counted = self.total - self.planned
        return 1 - (self.outage - self.excluded) / counted if counted else None

    @property
    def gross_words(self) -> str:
        """Return gross in percent."""
        return in_percent(self.gross)

    @property
    def net_words(self) -> str:
        """Return net in percent, or that there is none: no time lay outside of windows."""
        return "none" if self.net is None else in_percent(self.net)


def in_percent(share: float) -> str:
    """Return a share in percent, rounded down: only what was there all the time says 100 %."""
    return "100 %" if share >= 1 else f"{int(share * 100_000) / 1000:.3f} %"


def availability(outages: Iterable[Span], windows: Iterable[Span], *, since: datetime, until: datetime) -> Availability:
    """Return the figures of one system between two moments. What overlaps counts once; ValueError: no time."""
    if until <= since:
        raise ValueError("There is no time between these moments.")
    away = merged(outages, since=since, until=until)
    planned = merged(windows, since=since, until=until)
    total = until.astimezone(UTC) - since.astimezone(UTC)
    return Availability(total, _sum(away), _sum(_common(away, planned)), _sum(planned))


def merged(spans: Iterable[Span], *, since: datetime, until: datetime) -> list[Span]:
    """Return the spans cut to the time, in order, those that touch or overlap as one. All in UTC: clocks may change."""
    low, high = since.astimezone(UTC), until.astimezone(UTC)
    cut = sorted((max(start.astimezone(UTC), low), min(end.astimezone(UTC), high)) for start, end in spans)
    found: list[Span] = []
    for start, end in cut:
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _common(first: list[Span], second: list[Span]) -> list[Span]:
    """Return what two lists of spans, each in order and without overlaps, have in common."""
    found, here, there = [], 0, 0
    while here < len(first) and there < len(second):
        start, end = max(first[here][0], second[there][0]), min(first[here][1], second[there][1])
        if start < end:
            found.append((start, end))
        if first[here][1] < second[there][1]:
            here += 1
        else:
            there += 1
    return found


def _sum(spans: Iterable[Span]) -> timedelta:
    return sum((end - start for start, end in spans), timedelta(0))


def read(system_ids: Collection[int], *, since: datetime, until: datetime, user: Any) -> dict[int, Availability]:
    """Return the figures of those of these systems that had an outage or a window, as far as a reader may see them."""
    kinds = Q(kind=INCIDENT, weight__lte=OUTAGE_LEVEL) | Q(kind=MAINTENANCE)
    lasting = Q(ends=None) | Q(ends__gt=since)
    rows = narrowed(Period.objects.filter(kinds, lasting, system_id__in=system_ids, starts__lt=until), user)
    outages: dict[int, list[Span]] = defaultdict(list)
    windows: dict[int, list[Span]] = defaultdict(list)
    for pk, kind, starts, ends in rows.values_list("system_id", "kind", "starts", "ends"):
        (outages if kind == INCIDENT else windows)[pk].append((starts, ends or until))
    return {
        pk: availability(outages[pk], windows[pk], since=since, until=until) for pk in {*outages, *windows}
    }  # fmt: skip
