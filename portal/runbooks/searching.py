"""What is found of runbooks and checklists: what is in force, never a draft or what was superseded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from portal.lib.remembering import remembered
from portal.runbooks import holding
from portal.runbooks.enums import VersionState
from portal.runbooks.markdown.vocabulary import Place
from portal.runbooks.models import (
    Checklist,
    ChecklistStep,
    Command,
    ConfigurationFile,
    EnvironmentVariable,
    Issue,
    LogLocation,
    Passage,
    Procedure,
    Runbook,
    Step,
    Threshold,
)
from portal.search.registry import Searchable, Shown

REFERENCE, TITLE = "version__runbook__reference", "version__runbook__title"
SYSTEM = "version__runbook__system"
# How a row says that it tells how to shut down.
HOLDS = {
    Procedure: Q(place=Place.SHUTDOWN.value),
    Step: Q(procedure__place=Place.SHUTDOWN.value),
    Passage: Q(shuts_down=True),
    Command: Q(in_shutdown=True),
}
BELOW = " › "  # noqa: RUF001 - it parts what a row stands under
TROUBLE, PROCEDURES, COMMANDS, SETTINGS = "Troubleshooting", "Procedures and steps", "Commands and logs", "Settings"


def _in_force(model: Any) -> Callable[[Any], QuerySet[Any]]:
    """Return how the parts of versions in force are read, of runbooks that have not been retired."""

    def rows(user: Any) -> QuerySet[Any]:
        found: QuerySet[Any] = model.objects.visible_to(user)
        found = found.filter(version__state=VersionState.PUBLISHED, version__runbook__retired_at=None)
        return _without_shutdown(found) if model in HOLDS else found

    return rows


def _without_shutdown(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows without how to shut systems down that must stay up now, as the pages of runbooks hide it.

    A command knows its line alone: it is a part of the section that began last before it.
    """
    held = remembered((holding.held, "search"), _held)
    if not held or rows.query.is_empty():
        return rows
    if rows.model is Command:
        before = Passage.objects.filter(version=OuterRef("version"), line__lte=OuterRef("line"))
        rows = rows.annotate(in_shutdown=Subquery(before.order_by("-line").values("shuts_down")[:1]))
    return rows.exclude(Q(**{f"{SYSTEM}__in": held}) & HOLDS[rows.model])


def _held() -> list[int]:
    """Return the systems that must not be shut down now, of those whose runbooks say how."""
    told = Passage.objects.filter(shuts_down=True, version__state=VersionState.PUBLISHED)
    keys = told.exclude(**{SYSTEM: None}).order_by().values_list(SYSTEM, flat=True).distinct()
    return sorted(holding.held(keys))


def _runbooks(user: Any) -> QuerySet[Any]:
    return Runbook.objects.visible_to(user).active()


def _runbook(row: Mapping[str, Any]) -> Shown:
    about = f" · {row['system__name']}" if row["system__name"] else ""
    return Shown(row["title"], f"{row['reference']}{about}")


def _of_runbook(row: Mapping[str, Any]) -> str:
    return reverse("runbooks:runbook", args=[row["reference"]])


def _part(name: str, *above: str) -> Callable[[Mapping[str, Any]], Shown]:
    """Return how a part is shown: below its runbook and what it stands under."""

    def show(row: Mapping[str, Any]) -> Shown:
        titles = (row[TITLE], *(row[lookup] for lookup in above))
        return Shown(row[name], BELOW.join(filter(None, titles)))

    return show


def _at(line: str = "") -> Callable[[Mapping[str, Any]], str]:
    """Return where a part stands on the page of its runbook; `line` is that of its section."""

    def url(row: Mapping[str, Any]) -> str:
        return reverse("runbooks:runbook", args=[row[REFERENCE]]) + (f"#s{row[line]}" if line else "")

    return url


def _passages(user: Any) -> QuerySet[Any]:
    return _in_force(Passage)(user).exclude(text="")


def _passage(row: Mapping[str, Any]) -> Shown:
    """Return the prose of a section: below its runbook and what the section stands under."""
    above = [part for part in row["under"].split(" > ") if part]
    title = row["title"] or (above.pop() if above else row[TITLE])
    return Shown(title, BELOW.join([row[TITLE], *above]))


def _steps_of(owner: str) -> Callable[[Any], QuerySet[Any]]:
    def rows(user: Any) -> QuerySet[Any]:
        return _in_force(Step)(user).filter(**{f"{owner}__isnull": False})

    return rows


def _part_of(
    kind: str, label: str, group: str, icon: str, model: Any, columns: tuple[str, ...], *, anchored: bool = False
) -> Searchable:
    return Searchable(
        kind=kind, label=label, group=group, icon=icon, model=model, columns=columns, rows=_in_force(model),
        show=_part(columns[0]), url=_at("line" if anchored else ""), system=SYSTEM,
        values=(REFERENCE, TITLE, *(["line"] if anchored else [])), markdown=model is not Command,
    )  # fmt: skip


def _step_of(owner: str, label: str, group: str, icon: str) -> Searchable:
    above, line = f"{owner}__title", f"{owner}__line"
    return Searchable(
        kind=f"step-of-{owner}", label=label, group=group, icon=icon, model=Step, columns=("text", "detail"),
        rows=_steps_of(owner), show=_part("text", above), url=_at(line),
        values=(REFERENCE, TITLE, above, line), system=SYSTEM, markdown=True,
    )  # fmt: skip


def _checklists(user: Any) -> QuerySet[Any]:
    return Checklist.objects.visible_to(user).filter(active=True)


def _checklist(row: Mapping[str, Any]) -> Shown:
    return Shown(row["name"], row["purpose"])


def _of_checklist(row: Mapping[str, Any]) -> str:
    return reverse("checklists:template", args=[row["slug"]])


def _checklist_steps(user: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = ChecklistStep.objects.visible_to(user)
    return rows.filter(version__checklist__active=True, version__number=F("version__checklist__version"))


def _checklist_step(row: Mapping[str, Any]) -> Shown:
    context = f"{row['version__checklist__name']}{BELOW}step {row['position']}"
    return Shown(row["text"], context)


def _of_checklist_step(row: Mapping[str, Any]) -> str:
    return reverse("checklists:template", args=[row["version__checklist__slug"]])


RUNBOOK = Searchable(
    kind="runbook", prefix="RBK", label="Runbook", group="Runbooks", icon="book-open", model=Runbook,
    columns=("title", "reference"), rows=_runbooks, show=_runbook, url=_of_runbook,
    values=("system__name",), system="system",
)  # fmt: skip
PARTS = (
    _part_of("issue", "Troubleshooting", TROUBLE, "wrench", Issue, ("title",), anchored=True),
    _step_of("issue", "Troubleshooting", TROUBLE, "wrench"),
    _part_of(
        "procedure", "Procedure", PROCEDURES, "list-checks", Procedure, ("title", "objective", "rollback"),
        anchored=True,
    ),
    _step_of("procedure", "Step", PROCEDURES, "list-checks"),
    _part_of("command", "Command", COMMANDS, "code", Command, ("text", "description")),
    _part_of("log", "Log", COMMANDS, "scroll-text", LogLocation, ("text", "description")),
    _part_of("threshold", "Alert threshold", TROUBLE, "gauge", Threshold, ("metric", "action")),
    _part_of("file", "Configuration file", SETTINGS, "file-text", ConfigurationFile, ("name", "location", "purpose")),
    _part_of("variable", "Variable", SETTINGS, "sliders-horizontal", EnvironmentVariable, ("name", "description")),
)  # fmt: skip
PASSAGE = Searchable(
    kind="passage", label="Section", group="Runbooks", icon="file-text", model=Passage, columns=("title", "text"),
    rows=_passages, show=_passage, url=_at("line"), values=(REFERENCE, TITLE, "under", "line"), system=SYSTEM,
    markdown=True,
)  # fmt: skip
CHECKLIST = Searchable(
    kind="checklist", label="Checklist", group="Checklists", icon="clipboard-check", model=Checklist,
    columns=("name", "purpose"), rows=_checklists, show=_checklist, url=_of_checklist, values=("slug",),
)  # fmt: skip
CHECKLIST_STEP = Searchable(
    kind="checklist-step", label="Checklist step", group="Checklists", icon="square-check", model=ChecklistStep,
    columns=("text",), rows=_checklist_steps, show=_checklist_step, url=_of_checklist_step,
    values=("version__checklist__name", "version__checklist__slug", "position"), markdown=True,
)  # fmt: skip
KINDS = (RUNBOOK, *PARTS, PASSAGE, CHECKLIST, CHECKLIST_STEP)
