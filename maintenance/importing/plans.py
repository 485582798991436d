"""What the rows of a table do: a new plan, a change of one that stands, or a refusal with its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from maintenance import services
from maintenance.enums import Basis, Frequency, PlanState, Shift
from maintenance.importing.standing import NTH, WEEKDAYS, plans_of, without_what_stands
from maintenance.importing.tables import Rows
from maintenance.models import Plan
from maintenance.policy import Refused
from portal.audit.actor import By
from portal.directory.models import Calendar, Contact, System, Team
from portal.runbooks.models import Checklist, Runbook

HINTS: dict[str, str] = {
    "reference": "MNT-000012: the row changes that plan. Empty: it writes a new one.",
    "task": "What is done, in a few words.",
    "procedure": "How it is done.",
    "checklist": "The name of a checklist.",
    "runbook": "The reference of a runbook, such as RBK-000003.",
    "systems": "Names or short names, with a semicolon between them.",
    "frequency": "daily, weekly, monthly, nth_weekday, last_day, annual, custom or as_needed.",
    "every": "A number: every 2 weeks, every 3 months.",
    "basis": "fixed (counted from the calendar) or floating (from when it was last done).",
    "weekday": "monday to sunday, for nth_weekday.",
    "nth": "first, second, third, fourth or last, for nth_weekday.",
    "rule": "A recurrence rule, for custom: FREQ=MONTHLY;BYDAY=2TU.",
    "trigger": "When it is needed, for as_needed.",
    "ceiling days": "After how many days it is due anyway, for as_needed.",
    "first date": "2026-12-01.",
    "due at": "17:00.",
    "time zone": "Europe/London.",
    "calendar": "The name of a working calendar, for shift.",
    "shift": "none, next or previous: where a date goes that is not worked.",
    "owner": "The name of somebody who is still there.",
    "backup": "The same.",
    "manager": "The same.",
    "team": "The name of a team.",
    "lead days": "How many days before its date it may be done.",
    "grace days": "How many days after its date the manager is told.",
    "evidence": "yes or no: it has to be shown.",
    "sign-off": "yes or no: a second person signs.",
    "restore test": "yes or no: it is done by recording a restore test of its systems.",
    "last done": "2026-11-30, with yes in the column in force: the next date follows from it.",
    "in force": "yes: it comes round from now on. Empty: it is a draft, or stays as it is.",
}
"""What each column takes, as people are told."""
COLUMNS = tuple(HINTS)
MOST_ON_PAGE = 200
"""Rows that a page writes at once: about 30 milliseconds each."""
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0", ""}
_NTH = {word: number for number, word in NTH.items()} | {str(number): number for number in NTH}
_EPOCH = date(1899, 12, 30)  # of the serial numbers in which spreadsheets keep days


@dataclass(frozen=True, slots=True)
class Line:
    """What one row does: "new", "change", "same" or "refused", and a sentence about it."""

    number: int
    task: str
    what: str
    says: str


def take(rows: Rows, *, by: By, at: datetime, reason: str, dry: bool = False, most: int | None = None) -> list[Line]:
    """Do what the rows say, all of them or none, and return a line about each, in their order.

    A dry run does the same and takes all of it back, so that what it shows is what will happen. One row that is refused
    refuses the file. Refused is raised at once for a column that nobody knows, and with `most` where more rows than
    that do not merely say what stands: each of those takes dozens of statements, and somebody waits.
    """
    _check_columns(rows)
    with transaction.atomic():
        plans, written = plans_of(rows.values()), dict[str, int]()
        left = [_left(row, plans) for row in rows.values()]
        writing = sum(row.keys() != {"reference"} for row in left)
        if most is not None and writing > most:
            raise Refused(
                f"The file writes or changes {writing:,} plans, and a page takes {most:,} at once. Divide it, or let "
                "whoever runs the portal take it in whole: manage.py import_plans FILE."
            )
        lines = [
            _line(number, row, full, plans, written, by=by, at=at, reason=reason)
            for row, (number, full) in zip(left, rows.items(), strict=True)
        ]
        if dry or any(line.what == "refused" for line in lines):
            transaction.set_rollback(True)
    return lines


def _check_columns(rows: Rows) -> None:
    """Raise Refused, once for the whole file, where a column has a name that nobody knows."""
    unknown = sorted({head for row in rows.values() for head in row} - {*COLUMNS, ""})
    if unknown:
        raise Refused(f"Nobody knows the column “{unknown[0][:40]}”. Columns are: {', '.join(COLUMNS)}.")


def _left(row: dict[str, str], plans: dict[str, Plan]) -> dict[str, str]:
    """Return what a row says that does not stand already; the whole row where it names no plan or has a stray cell."""
    plan = plans.get(row.get("reference", "").upper())
    return row if plan is None or "" in row else without_what_stands(row, plan)


def _line(
    number: int,
    row: dict[str, str],
    full: dict[str, str],
    plans: dict[str, Plan],
    written: dict[str, int],
    *,
    by: By,
    at: datetime,
    reason: str,
) -> Line:
    """Do what a row says. `written` knows by their task which rows of this file wrote a new plan."""
    task, reference = full.get("task", "")[:160], row.get("reference", "").upper()
    if reference and reference not in plans:  # an earlier row may have changed it
        row = _left(full, plans_of([full]))
    if row.keys() == {"reference"} and reference in plans:
        return Line(number, task, "same", f"{reference} says this already.")
    plans.pop(reference, None)
    try:
        with transaction.atomic():
            what, says = _do(row, written, by=by, at=at, reason=reason)
    except Refused as refused:
        return Line(number, task, "refused", str(refused))
    if what == "new":
        written[full["task"]] = number
    return Line(number, task, what, says)


def _do(row: dict[str, str], written: dict[str, int], *, by: By, at: datetime, reason: str) -> tuple[str, str]:
    if "" in row:
        raise Refused(
            f"“{row[''][:40]}” stands under no heading. Give its column a name, or clear it; in CSV, words that hold a "
            "comma stand in quotation marks."
        )
    values, systems = _values(row), _systems(row.get("systems", ""))
    last_done, in_force = _day(row, "last done"), _yes(row, "in force")
    if last_done is not None and not in_force:
        raise Refused("When it was last done counts as it is put in force. Write yes in the column in force, too.")
    reference = row.get("reference", "").upper()
    if reference:
        return _change(reference, row, values, systems, by=by, at=at, reason=reason)
    if (earlier := written.get(values.get("task", ""))) is not None:
        raise Refused(f"Row {earlier} writes a plan of this task already. Leave one of them.")
    standing = Plan.objects.exclude(state=PlanState.RETIRED).filter(task=values.get("task", "")).first()
    if standing is not None:
        raise Refused(f"A plan of this task stands already. To change it, give its reference: {standing.reference}.")
    if "anchor" not in values:
        raise Refused("Give its first date, such as 2026-12-01.")
    plan = services.draft(values, systems, by=by, at=at, reason=reason)
    if not in_force:
        return "new", f"A new draft: {plan.as_rule().phrase}."
    plan = services.put_in_force(plan, by=by, at=at, reason=reason, last_done_on=last_done)
    first = plan.occurrences.get(state="open")
    return "new", f"A new plan in force: {plan.as_rule().phrase}, due {first.due_on:%a %d %b %Y}."


def _change(
    reference: str,
    row: dict[str, str],
    values: dict[str, Any],
    systems: list[System],
    *,
    by: By,
    at: datetime,
    reason: str,
) -> tuple[str, str]:
    """Change the plan that stands as the filled cells say; an empty one leaves what stands."""
    plan = Plan.objects.filter(reference=reference).first()
    if plan is None:
        raise Refused(f"There is no plan {reference[:20]}.")
    starts = _yes(row, "in force") and plan.state != PlanState.IN_FORCE
    if row.get("in force") and not starts and plan.state == PlanState.IN_FORCE:
        _check_stays(plan, row)
    named = systems if row.get("systems") else None
    before = set(plan.systems.values_list("pk", flat=True))
    moves = {name for name, value in values.items() if getattr(plan, name) != value}
    if named is not None and {system.pk for system in named} != before:
        moves.add("systems")
    if moves:
        plan = services.revise(plan, values, named, by=by, at=at, reason=reason)
    if starts:
        services.put_in_force(plan, by=by, at=at, reason=reason, last_done_on=_day(row, "last done"))
        moves.add("in force")
    if not moves:
        return "same", f"{reference} says this already."
    return "change", f"{reference} changes: {', '.join(sorted(name.replace('_', ' ') for name in moves))}."


def _check_stays(plan: Plan, row: dict[str, str]) -> None:
    """Refuse what a table cannot do to a plan in force, rather than leave it out unseen."""
    if not _yes(row, "in force"):
        raise Refused(f"{plan.reference} is in force. Retire it on its page, with the reason.")
    if row.get("last done"):
        raise Refused(
            f"{plan.reference} is in force already: what was done is said on its page. Leave last done empty."
        )


def _values(row: dict[str, str]) -> dict[str, Any]:
    """Return the words of a plan that a row gives; Refused says what nobody can read."""
    found: dict[str, Any] = {}
    for column, (field, reads) in _READS.items():
        if row.get(column):
            found[field] = reads(column, row[column])
    flags = {"evidence": "needs_evidence", "sign-off": "needs_sign_off", "restore test": "proves_recovery"}
    for column, field in flags.items():
        if row.get(column):
            found[field] = _yes(row, column)
    if (first := _day(row, "first date")) is not None:
        found["anchor"] = first
    return found


def _whole(column: str, words: str) -> int:
    if not (words.isascii() and words.isdigit() and len(words) < 5):
        raise Refused(f"“{words[:40]}” in the column {column} is no whole number of at most four digits.")
    return int(words)


def _one(rows: QuerySet[Any], field: str, words: str, kind: str) -> Any:
    found = list(rows.filter(**{f"{field}__iexact": words})[:2])
    if not found:
        raise Refused(f"There is no {kind} “{words[:80]}”.")
    if len(found) > 1:
        raise Refused(f"There are several of the name “{words[:80]}”. Write this plan on its page.")
    return found[0]


def _systems(words: str) -> list[System]:
    names = [name.strip() for name in words.replace(",", ";").split(";") if name.strip()]
    rows = System.objects.filter(active=True)
    return [rows.filter(slug=name).first() or _one(rows, "name", name, "system") for name in names]


def _choice(choices: Any) -> Callable[[str, str], Any]:
    known = {key: key for key in choices.values} | {label.lower(): key for key, label in choices.choices}
    return lambda column, words: _among(column, words, known)


def _named(model: Any, kind: str, **narrowed: Any) -> Callable[[str, str], Any]:
    return lambda _column, words: _one(model.objects.filter(**narrowed), "name", words, kind)


def _among(column: str, words: str, known: dict[str, Any]) -> Any:
    if words.lower() not in known:
        raise Refused(f"“{words[:40]}” is no {column}. It is one of: {', '.join(sorted(map(str, known)))}.")
    return known[words.lower()]


def _day(row: dict[str, str], column: str) -> date | None:
    words = row.get(column, "")
    if not words:
        return None
    if words.isascii() and words.isdigit() and len(words) == 5:
        return _EPOCH + timedelta(days=int(words))
    try:
        return date.fromisoformat(words[:10])
    except ValueError:
        raise Refused(f"“{words[:40]}” is no day. Write it as 2026-12-01.") from None


def _hour(_column: str, words: str) -> time:
    try:
        return time.fromisoformat(words)
    except ValueError:
        raise Refused(f"“{words[:40]}” is no hour. Write it as 17:00.") from None


def _yes(row: dict[str, str], column: str) -> bool:
    words = row.get(column, "").lower()
    if words not in _YES | _NO:
        raise Refused(f"“{words[:40]}” in the column {column} is neither yes nor no.")
    return words in _YES


_PERSON = _named(Contact, "active person", active=True)
# column: the field that it fills, and what reads it
_READS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    **{column: (column.replace(" ", "_"), lambda _column, words: words)
       for column in ("task", "procedure", "rule", "trigger", "time zone")},
    **{column: (column.replace(" ", "_"), _whole) for column in ("every", "ceiling days", "lead days", "grace days")},
    **{column: (column, _PERSON) for column in ("owner", "backup", "manager")},
    "team": ("team", _named(Team, "team", active=True)),
    "calendar": ("calendar", _named(Calendar, "calendar")),
    "checklist": ("checklist", _named(Checklist, "checklist", active=True)),
    "runbook": ("runbook", lambda _column, words: _one(Runbook.objects.active(), "reference", words, "runbook")),
    "frequency": ("frequency", _choice(Frequency)),
    "basis": ("basis", _choice(Basis)),
    "shift": ("shift", _choice(Shift)),
    "due at": ("due_time", _hour),
    "weekday": ("weekday", lambda column, words: _among(column, words, {d: n for n, d in enumerate(WEEKDAYS)})),
    "nth": ("nth", lambda column, words: _among(column, words, _NTH)),
}  # fmt: skip
