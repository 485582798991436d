"""From the labels of an alert to systems and a severity: by mappings, which are data, and by the systems' own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from incidents.intake.report import Report
from incidents.models import IntakeMapping, IntakeToken
from portal.directory.models import Severity, System

SYSTEM_LABELS = ("system", "service", "job")  # a value that is a system's name in addresses needs no mapping
SEVERITY_LABEL = "severity"
DEFAULT_LEVEL = 3
PRIORITIES = {"p1": "critical", "p2": "high", "p3": "medium", "p4": "low", "p5": "info"}
"""What tools that count priorities mean, by words that the mappings know."""


@dataclass(slots=True)
class Meaning:
    """What the labels mean. `severity_named` is false when no label said it; `unknown` are words that meant nothing."""

    systems: list[System]
    severity: Severity
    severity_named: bool
    unknown: list[str] = field(default_factory=list)


def matches(pattern: str, value: str) -> bool:
    """Tell whether the value has the pattern's form, whatever the case; `*` stands for any characters."""
    first, *others = pattern.casefold().split("*")
    value = value.casefold()
    if not others:
        return value == first
    *middle, last = others
    if not (value.startswith(first) and value.endswith(last) and len(value) >= len(first) + len(last)):
        return False
    place, end = len(first), len(value) - len(last)
    for part in middle:
        found = value.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def meaning_of(report: Report, token: IntakeToken) -> Meaning:
    """Return which systems suffer and how badly. At most four queries, however many alerts the report holds.

    For each alert the matching mapping with the lowest position decides, for the system and for the severity on their
    own; then a label `system`, `service` or `job` that is the name of an active system, and a label `severity` that is
    the code of a level. Of several severities the worst counts; of none, that of the address, else SEV-3.
    """
    book = _Book(token, _values(report.label_sets))
    systems: dict[int, System] = {}
    worst: Severity | None = None
    for labels in report.label_sets:
        system, severity = book.system_of(labels), book.severity_of(labels)
        if system is not None:
            systems[system.pk] = system
        if severity is not None and (worst is None or severity.level < worst.level):
            worst = severity
    words = {labels.get(SEVERITY_LABEL, "") for labels in report.label_sets} - {""}
    return Meaning(
        systems=sorted(systems.values(), key=lambda system: system.name),
        severity=worst or book.fallback(),
        severity_named=worst is not None,
        unknown=[] if worst else sorted(words)[:5],
    )


@dataclass(frozen=True, slots=True)
class Why:
    """What labels were taken to mean, and the mapping (else the label) because of which."""

    meant: System | Severity
    mapping: IntakeMapping | None
    label: str


def reasons_of(report: Report, token: IntakeToken) -> list[Why]:
    """Return why the labels of a report mean what they mean: each system and severity once for each reason."""
    book = _Book(token, _values(report.label_sets))
    found: dict[tuple[object, object], Why] = {}
    for labels in report.label_sets:
        for meant, why in (book.system_and_why(labels), book.severity_and_why(labels)):
            if meant is not None:
                row = why if isinstance(why, IntakeMapping) else None
                found.setdefault((meant, why), Why(meant, row, "" if row is not None else str(why)))
    return list(found.values())


def _values(label_sets: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the values that may be names of systems, as the database is asked for them."""
    found = {labels.get(name, "") for labels in label_sets for name in SYSTEM_LABELS}
    return {form for value in found if 0 < len(value) <= 60 for form in (value, value.casefold())}


class _Book:
    """Mappings, systems and levels, read once for a report."""

    def __init__(self, token: IntakeToken, names: set[str]) -> None:
        rows = IntakeMapping.objects.filter(Q(token=None) | Q(token=token), active=True).select_related(
            "system", "severity"
        )
        self.mappings = list(rows.order_by("position", "id"))
        wanted = sorted(names)[:500]  # the databases limit how many values one query may carry
        rows_of_systems = System.objects.filter(slug__in=wanted, active=True)
        self.systems = {system.slug.casefold(): system for system in rows_of_systems}
        self.levels = list(Severity.objects.order_by("level"))
        self.token = token
        self._known: dict[tuple[int, str], bool] = {}

    def system_of(self, labels: Mapping[str, str]) -> System | None:
        """Return the system that these labels name, or nothing."""
        return self.system_and_why(labels)[0]

    def severity_of(self, labels: Mapping[str, str]) -> Severity | None:
        """Return the level that these labels name, or nothing."""
        return self.severity_and_why(labels)[0]

    def system_and_why(self, labels: Mapping[str, str]) -> tuple[System | None, IntakeMapping | str]:
        """Return the system that these labels name, and the mapping or the label that names it."""
        for row in self.mappings:
            if row.system is not None and row.system.active and self._fits(row, labels):
                return row.system, row
        for name in SYSTEM_LABELS:
            value = labels.get(name, "").casefold()
            if value in self.systems:
                return self.systems[value], name
        return None, ""

    def severity_and_why(self, labels: Mapping[str, str]) -> tuple[Severity | None, IntakeMapping | str]:
        """Return the level that these labels name, and the mapping or the label that names it."""
        for row in self.mappings:
            if row.severity is not None and self._fits(row, labels):
                return row.severity, row
        word = labels.get(SEVERITY_LABEL, "").casefold()
        level = next((level for level in self.levels if level.code.casefold() == word), None)
        if level is None and word in PRIORITIES:
            return self.severity_and_why({SEVERITY_LABEL: PRIORITIES[word]})
        return level, SEVERITY_LABEL if level is not None else ""

    def fallback(self) -> Severity:
        """Return the level of an alert whose labels name none. Severity.DoesNotExist is raised without any level."""
        if self.token.default_severity is not None:
            return self.token.default_severity
        if not self.levels:
            raise Severity.DoesNotExist("There is no severity level. Run the migrations: they load the table.")
        return next((level for level in self.levels if level.level >= DEFAULT_LEVEL), self.levels[-1])

    def _fits(self, row: IntakeMapping, labels: Mapping[str, str]) -> bool:
        value = labels.get(row.label)
        if value is None:
            return False
        key = (row.pk, value)
        if key not in self._known:
            self._known[key] = matches(row.value, value)
        return self._known[key]
