"""The report of communications: which were due, met, missed and skipped, by severity and audience, within a period.

Counted by the database: the same number of queries for ten incidents and for a hundred thousand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, CharField, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import QueryDict
from django.urls import reverse

from incidents.clocks import CLOCK
from incidents.enums import Audience
from incidents.looks import Look
from incidents.models import Incident
from incidents.selectors.facets import Chip, Facet
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import Severity

PERIODS = {7: "7 days", 30: "30 days", 90: "90 days", 365: "A year"}
USUAL = 30
RESULTS: dict[str, Look] = {
    "met": Look("Met", "green", "circle-check"),
    "missed": Look("Missed", "red", "octagon-alert"),
    "skipped": Look("Skipped", "", "circle-minus"),
    "running": Look("Running", "plain", "timer"),
}
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked the report for. What an address misspells is left out."""

    days: int = USUAL
    severity: int | None = None
    audience: str = ""
    result: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        """Read the address."""
        days, audience, result = _number(query.get("days")), query.get("audience", ""), query.get("result", "")
        return cls(
            days=days if days in PERIODS else USUAL,
            severity=_number(query.get("severity")) or None,
            audience=audience if audience in Audience.values else "",
            result=result if result in RESULTS else "",
            page=max(_number(query.get("page")), 1),
        )

    def address(self, **changes: Any) -> str:
        """Return the address of this report with some of it changed, on its first page."""
        wanted, plain = replace(self, **{"page": 1, **changes}), Asked()
        names = ("days", "severity", "audience", "result", "page")
        asked = {name: getattr(wanted, name) for name in names if getattr(wanted, name) != getattr(plain, name)}
        return reverse("incidents:communications") + (f"?{urlencode(asked)}" if asked else "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 6 else 0


@dataclass(frozen=True, slots=True)
class Cell:
    """How many clocks of one line ended so, and where they are listed."""

    number: int
    url: str
    result: str
    look: Look


@dataclass(frozen=True, slots=True)
class Line:
    """One severity and audience, or all of them together."""

    level: int
    code: str
    audience: str
    total: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Kept:
    """One clock in the list below the counts."""

    incident: Incident
    audience: str
    update: bool
    look: Look
    due_at: datetime
    met_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The counts, the clocks behind them, and the filters as links."""

    total: Line
    lines: list[Line]
    clocks: list[Kept]
    facets: list[Facet]
    before: str
    after: str


def report_of(user: Any, asked: Asked, *, at: datetime) -> Report:
    """Return the report for one reader. Seven queries at most."""
    codes = dict(Severity.objects.visible_to(user).order_by("level").values_list("level", "code"))
    rows = _clocks(user, asked, at=at)
    numbers: dict[tuple[int, str], dict[str, int]] = {}
    counted = rows.order_by().values("level", "audience", "result").annotate(number=Count("pk"))
    for one in counted:
        numbers.setdefault((one["level"], one["audience"]), {})[one["result"]] = one["number"]
    places = {audience: place for place, audience in enumerate(Audience.values)}
    keys = sorted(numbers, key=lambda key: (key[0], places[key[1]]))
    lines = [_line(level, codes.get(level, ""), audience, numbers[level, audience], asked) for level, audience in keys]
    together = {name: sum(found.get(name, 0) for found in numbers.values()) for name in RESULTS}
    listed = rows.filter(result=asked.result) if asked.result else rows
    first = (asked.page - 1) * PAGE_SIZE
    shown = list(listed.order_by("-due_at", "-pk")[first : first + PAGE_SIZE + 1])
    return Report(
        total=_line(asked.severity, "", asked.audience, together, asked),
        lines=lines,
        clocks=_kept(user, shown[:PAGE_SIZE]),
        facets=_facets(asked, codes),
        before=asked.address(page=asked.page - 1) if asked.page > 1 else "",
        after=asked.address(page=asked.page + 1) if len(shown) > PAGE_SIZE else "",
    )


def _clocks(user: Any, asked: Asked, *, at: datetime) -> QuerySet[Any]:
    """Return the clocks of communications of the real incidents that the reader may see, with severity and result."""
    seen = Incident.objects.visible_to(user).real().filter(declared_at__gte=at - timedelta(days=asked.days)).order_by()
    if asked.severity:
        seen = seen.filter(severity__level=asked.severity)
    wanted = [asked.audience] if asked.audience else Audience.values
    of_audience = [When(Q(key=one) | Q(key__startswith=f"{one}."), then=Value(one)) for one in wanted]
    results = Case(
        When(state=DeadlineState.MET, then=Value("met")),
        When(Q(state=DeadlineState.FIRED) | Q(state=DeadlineState.PENDING, due_at__lt=at), then=Value("missed")),
        When(state=DeadlineState.CANCELLED, payload__has_key="skip", then=Value("skipped")),
        When(state=DeadlineState.PENDING, then=Value("running")),
        default=Value(""),
        output_field=CharField(),
    )
    level = Incident.objects.visible_to(user).filter(pk=OuterRef("subject_id")).order_by().values("severity__level")
    kind = ContentType.objects.get_for_model(Incident)
    rows = Deadline.objects.filter(subject_type=kind, subject_id__in=seen.values("pk"), kind=CLOCK)
    audience = Case(*of_audience, default=Value(""), output_field=CharField())
    rows = rows.annotate(audience=audience, result=results, level=Subquery(level[:1]))
    return rows.exclude(audience="").exclude(result="")


def _line(level: int | None, code: str, audience: str, numbers: dict[str, int], asked: Asked) -> Line:
    cells = [
        Cell(numbers.get(name, 0), asked.address(severity=level, audience=audience, result=name), name, look)
        for name, look in RESULTS.items()
    ]
    label = Audience(audience).label if audience else ""
    return Line(level or 0, code, label, sum(cell.number for cell in cells), cells)


def _kept(user: Any, rows: list[Any]) -> list[Kept]:
    incidents = Incident.objects.visible_to(user).select_related("severity").in_bulk({row.subject_id for row in rows})
    return [
        Kept(
            incidents[row.subject_id], Audience(row.audience).label, "." in row.key, RESULTS[row.result],
            row.due_at, row.met_at, row.payload.get("skip", {}).get("reason", ""),
        )
        for row in rows
        if row.subject_id in incidents
    ]  # fmt: skip


def _facets(asked: Asked, codes: dict[int, str]) -> list[Facet]:
    def chips(name: str, choices: dict[Any, str], otherwise: Any, *, lasting: bool = False) -> list[Chip]:
        now = getattr(asked, name)
        return [
            Chip(
                label,
                asked.address(**{name: otherwise if value == now and not lasting else value}),
                value == now,
                lasting=lasting,
            )
            for value, label in choices.items()
        ]

    return [
        Facet("Declared within", chips("days", PERIODS, USUAL, lasting=True)),
        Facet("Severity", chips("severity", codes, None)),
        Facet("Audience", chips("audience", dict(Audience.choices), "")),
        Facet("Result", chips("result", {name: look.word for name, look in RESULTS.items()}, "")),
    ]
