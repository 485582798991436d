"""Plans that stand as rows of the table that an import takes: what is taken out comes back in and changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from maintenance.enums import Frequency, PlanState
from maintenance.models import Plan
from portal.lib.cells import plain, unguarded

AT_ONCE = 1000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
PEOPLE = ("owner", "backup", "manager", "team", "calendar", "checklist", "runbook")


def rows_of(plans: QuerySet[Any]) -> Iterator[dict[str, str]]:
    """Yield a row of each of these plans, those that are retired left out: a table changes nothing of them.

    Plain values are read, two queries for each thousand plans: to make every plan, its people and its systems as
    objects takes ten times as long.
    """
    rows = plans.exclude(state=PlanState.RETIRED).order_by("pk").values("pk", *_READ)
    chunk = list(rows[:AT_ONCE])
    while chunk:
        first, last = chunk[0]["pk"], chunk[-1]["pk"]
        named = Plan.systems.through.objects.filter(plan__gte=first, plan__lte=last)
        slugs: dict[int, list[str]] = defaultdict(list)
        for pk, slug in named.values_list("plan_id", "system__slug"):
            slugs[pk].append(slug)
        for values in chunk:
            yield _row(values, slugs.get(values["pk"], ()))
        chunk = list(rows.filter(pk__gt=last)[:AT_ONCE]) if len(chunk) == AT_ONCE else []


def row_of(plan: Plan) -> dict[str, str]:
    """Return one plan in the columns of an import. What does not apply is empty, as what was last done always is."""
    values = {name: _read(plan, name) for name in _READ}
    return _row(values, [system.slug for system in plan.systems.all()])


_READ = (
    *("reference", "task", "procedure", "checklist__name", "runbook__reference", "frequency", "every", "basis"),
    *("weekday", "nth", "rule", "trigger", "ceiling_days", "anchor", "due_time", "time_zone", "calendar__name"),
    *("shift", "lead_days", "grace_days", "needs_evidence", "needs_sign_off", "proves_recovery", "state"),
    *("owner__name", "backup__name", "manager__name", "team__name"),
)
"""What a row is made of, as a query names it."""


def _read(plan: Plan, name: str) -> Any:
    """Return what a plan that was read already holds under the name that a query has for it."""
    field, _, inner = name.partition("__")
    value = getattr(plan, field)
    return getattr(value, inner) if inner and value is not None else value


def _row(values: Mapping[str, Any], systems: Iterable[str]) -> dict[str, str]:
    is_nth = values["frequency"] == Frequency.NTH_WEEKDAY
    due = values["due_time"]
    found: dict[str, Any] = {
        "reference": values["reference"],
        "task": values["task"],
        "procedure": values["procedure"],
        "checklist": values["checklist__name"],
        "runbook": values["runbook__reference"],
        "systems": "; ".join(sorted(systems)),
        "frequency": values["frequency"],
        "every": values["every"],
        "basis": values["basis"],
        "weekday": WEEKDAYS[values["weekday"]] if is_nth else "",
        "nth": NTH[values["nth"]] if is_nth else "",
        "rule": values["rule"],
        "trigger": values["trigger"],
        "ceiling days": values["ceiling_days"],
        "first date": values["anchor"].isoformat(),
        "due at": due.isoformat(timespec="auto" if due.second else "minutes"),
        "time zone": values["time_zone"],
        "calendar": values["calendar__name"],
        "shift": values["shift"],
        "owner": values["owner__name"],
        "backup": values["backup__name"],
        "manager": values["manager__name"],
        "team": values["team__name"],
        "lead days": values["lead_days"],
        "grace days": values["grace_days"],
        "evidence": values["needs_evidence"],
        "sign-off": values["needs_sign_off"],
        "restore test": values["proves_recovery"],
        "last done": "",
        "in force": "yes" if values["state"] == PlanState.IN_FORCE else "",
    }
    return {column: "" if value is None else plain(value) for column, value in found.items()}


def plans_of(rows: Iterable[dict[str, str]]) -> dict[str, Plan]:
    """Return the plans that rows name, by reference. Two queries."""
    wanted = {row.get("reference", "").upper() for row in rows} - {""}
    found = Plan.objects.filter(reference__in=wanted).select_related(*PEOPLE).prefetch_related("systems")
    return {plan.reference: plan for plan in found}


def without_what_stands(row: dict[str, str], plan: Plan) -> dict[str, str]:
    """Return the filled cells of a row that say something else than the plan does, and its reference.

    Whether it is in force stays beside when it was last done: one counts only with the other.
    """
    stands = row_of(plan)
    kept = {"reference", "in force"} if row.get("last done") else {"reference"}
    return {
        column: cell
        for column, cell in row.items()
        if column in kept or (cell and not _says(cell, stands.get(column, "")))
    }


def _says(cell: str, stands: str) -> bool:
    """Tell whether a cell holds a text as the import would read it: without blanks around it, lines ended as by \\n."""
    texts = {_lines(stands), _lines(unguarded(stands))}
    return _lines(cell) in texts


def _lines(text: str) -> str:
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")
