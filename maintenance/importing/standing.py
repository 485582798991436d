"""Plans that stand as rows of the table that an import takes: what is taken out comes back in and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    """Yield a row of each of these plans, those that are retired left out: a table changes nothing of them."""
    rows = plans.exclude(state=PlanState.RETIRED).order_by("pk").select_related(*PEOPLE).prefetch_related("systems")
    for plan in rows.iterator(chunk_size=AT_ONCE):
        yield row_of(plan)


def row_of(plan: Plan) -> dict[str, str]:
    """Return one plan in the columns of an import. What does not apply is empty, as what was last done always is."""
    is_nth = plan.frequency == Frequency.NTH_WEEKDAY
    found: dict[str, Any] = {
        "reference": plan.reference,
        "task": plan.task,
        "procedure": plan.procedure,
        "checklist": plan.checklist.name if plan.checklist else "",
        "runbook": plan.runbook.reference if plan.runbook else "",
        "systems": "; ".join(sorted(system.slug for system in plan.systems.all())),
        "frequency": plan.frequency,
        "every": plan.every,
        "basis": plan.basis,
        "weekday": WEEKDAYS[plan.weekday] if is_nth else "",
        "nth": NTH[plan.nth] if is_nth else "",
        "rule": plan.rule,
        "trigger": plan.trigger,
        "ceiling days": plan.ceiling_days,
        "first date": plan.anchor.isoformat(),
        "due at": plan.due_time.isoformat(timespec="auto" if plan.due_time.second else "minutes"),
        "time zone": plan.time_zone,
        "calendar": plan.calendar.name if plan.calendar else "",
        "shift": plan.shift,
        "owner": plan.owner.name if plan.owner else "",
        "backup": plan.backup.name if plan.backup else "",
        "manager": plan.manager.name if plan.manager else "",
        "team": plan.team.name if plan.team else "",
        "lead days": plan.lead_days,
        "grace days": plan.grace_days,
        "evidence": plan.needs_evidence,
        "sign-off": plan.needs_sign_off,
        "restore test": plan.proves_recovery,
        "last done": "",
        "in force": "yes" if plan.is_in_force else "",
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
