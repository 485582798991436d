"""The rows of a published version, read from its text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from portal.runbooks.enums import VersionState
from portal.runbooks.markdown import passages as markdown
from portal.runbooks.markdown.found import Content, Row
from portal.runbooks.markdown.found import Issue as FoundIssue
from portal.runbooks.markdown.found import Procedure as FoundProcedure
from portal.runbooks.markdown.layout import arrange
from portal.runbooks.markdown.passages import passages_of
from portal.runbooks.markdown.reading import read
from portal.runbooks.markdown.understanding import understand
from portal.runbooks.markdown.vocabulary import Role
from portal.runbooks.models import (
    Command,
    ConfigurationFile,
    EnvironmentVariable,
    Issue,
    LogLocation,
    Passage,
    Procedure,
    RunbookVersion,
    Step,
    Threshold,
)
from portal.runbooks.services.common import understood

BELOW = " > "
KINDS: tuple[type[Any], ...] = (
    *(Step, Procedure, Issue, Threshold, ConfigurationFile, EnvironmentVariable, Command, LogLocation),
)
BATCH = 500
YES = frozenset({"yes", "y", "true", "required", "mandatory", "x", "✓", "✔", "✅"})
# An entry of the guide may say in words what others say in points: each line of it is a step then.
SAID_OF_ISSUE = (Role.SYMPTOMS, Role.DIAGNOSIS, Role.RESOLUTION, Role.PREVENTION)
SAID_OF_PROCEDURE = (Role.PREREQUISITES, Role.STEPS, Role.VALIDATION)


@transaction.atomic
def write_lines(version: RunbookVersion) -> Content:
    """Write the rows of a version anew from its text, and return what was understood of it."""
    for kind in KINDS:
        kind.objects.filter(version=version).delete()
    content = understood(version.text)
    procedures = _numbered(version, Procedure, map(_procedure, content.procedures))
    issues = _numbered(version, Issue, ({"title": one.title[:300], "line": one.line} for one in content.issues))
    steps = [
        *_steps(content.procedures, procedures, "procedure", SAID_OF_PROCEDURE),
        *_steps(content.issues, issues, "issue", SAID_OF_ISSUE),
    ]
    _numbered(version, Step, steps)
    _numbered(version, Threshold, map(_threshold, content.thresholds))
    _numbered(version, ConfigurationFile, map(_file, _named(content.files, "file")))
    _numbered(version, EnvironmentVariable, map(_variable, _named(content.variables, "name")))
    _numbered(version, Command, map(_command, content.commands))
    _numbered(version, LogLocation, map(_log, content.logs))
    write_passages(version)
    return content


def write_passages(version: RunbookVersion) -> None:
    """Write the prose of a version anew from its text."""
    layout = arrange(read(version.text))
    Passage.objects.filter(version=version).delete()
    _numbered(version, Passage, map(_passage, passages_of(layout, understand(layout))))


def fill_passages() -> int:
    """Write the prose of versions in force that were published before it was kept; return how many there were."""
    bare = list(RunbookVersion.objects.filter(state=VersionState.PUBLISHED, passages=None).values_list("pk", flat=True))
    for pk in bare:
        write_passages(RunbookVersion.objects.get(pk=pk))
    return len(bare)


def _passage(found: markdown.Passage) -> dict[str, Any]:
    above = (*found.above, found.title) if found.entry else found.above
    return {
        "title": "" if found.entry else found.title[:300], "under": BELOW.join(filter(None, above))[-300:],
        "text": found.text, "shuts_down": found.shuts_down, "line": found.line,
    }  # fmt: skip


def _numbered(version: RunbookVersion, kind: type[Any], values: Iterable[dict[str, Any]]) -> list[Any]:
    rows = [kind(version=version, position=number, **value) for number, value in enumerate(values, start=1)]
    created: list[Any] = kind.objects.bulk_create(rows, batch_size=BATCH)
    return created


def _procedure(found: FoundProcedure) -> dict[str, Any]:
    return {
        "title": found.title[:300],
        "place": found.place.value,
        "under": BELOW.join(found.above)[:300],
        "line": found.line,
        "objective": found.said.get(Role.OBJECTIVE, ""),
        "frequency": found.said.get(Role.FREQUENCY, ""),
        "rollback": found.said.get(Role.ROLLBACK, ""),
        "restore_test": found.said.get(Role.RESTORE_TEST, ""),
    }


def _steps(
    found: Sequence[FoundProcedure | FoundIssue], rows: Sequence[Any], owner: str, said: Sequence[Role]
) -> Iterable[dict[str, Any]]:
    for entry, row in zip(found, rows, strict=True):
        for role in said:
            for text in filter(None, entry.said.get(role, "").split("\n")):
                yield {owner: row, "role": role.value, "text": text, "line": entry.line}
        for step in entry.steps:
            yield {
                owner: row, "role": step.role.value, "number": step.number[:12], "depth": step.depth,
                "text": step.text, "detail": step.detail, "tick": step.tick, "line": step.line,
            }  # fmt: skip


def _named(rows: Iterable[Row], column: str) -> Iterable[Row]:
    return (row for row in rows if plain_cell(row[column]))


def plain_cell(cell: str) -> str:
    """Return what stands in a cell without its emphasis."""
    return cell.strip().strip("`*").strip()


def _threshold(row: Row) -> dict[str, Any]:
    short = {name: row[name][:300] for name in ("metric", "warning", "critical")}
    return {**short, "action": row["action"], "line": row.line}


def _file(row: Row) -> dict[str, Any]:
    return {
        "name": plain_cell(row["file"])[:300], "location": plain_cell(row["location"])[:500],
        "purpose": row["purpose"], "backup": row["backup"][:300], "line": row.line,
    }  # fmt: skip


def _variable(row: Row) -> dict[str, Any]:
    return {
        "name": plain_cell(row["name"])[:200], "required": plain_cell(row["required"]).lower() in YES,
        "default": plain_cell(row["default"])[:300], "description": row["description"], "line": row.line,
    }  # fmt: skip


def _command(row: Row) -> dict[str, Any]:
    return {"text": row["command"], "description": row["description"], "line": row.line}


def _log(row: Row) -> dict[str, Any]:
    text = " ".join(part for part in (row["log"], row["location"]) if part)
    return {"text": text[:500], "description": row["description"], "line": row.line}
