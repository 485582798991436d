"""How people call the columns of tables: data, one line for each meaning. A table is understood by its columns."""

from __future__ import annotations

import re
from enum import StrEnum

from portal.runbooks.markdown.vocabulary import plain


class Grid(StrEnum):
    """A table that is understood by its columns."""

    CONTACTS = "contacts"
    THRESHOLDS = "thresholds"
    SEVERITIES = "severities"
    TASKS = "tasks"
    FILES = "files"
    VARIABLES = "variables"
    OBJECTIVES = "objectives"
    HISTORY = "history"
    LOGS = "logs"
    ISSUES = "issues"
    STEPS = "steps"


# Columns by table: our name for each, and how people call it. Those before the bar must be there.
COLUMNS: tuple[tuple[Grid, dict[str, str], frozenset[str]], ...] = (
    (Grid.VARIABLES, {
        "name": r"(environment |env )?(variables?|vars?)( name)?|name|key", "required": r"required|mandatory",
        "default": r"defaults?( values?)?", "description": r"descriptions?|purpose|notes?|meaning",
        "value": r"(example )?values?|examples?",
    }, frozenset({"name", "required|default|value", "description|required"})),
    (Grid.CONTACTS, {
        "role": r"roles?|function|position|team|responsibility", "name": r"names?|person|who",
        "contact": r"contacts?( info(rmation)?| details| method)?|primary|phone|e ?mail|slack|how",
        "backup": r"backups?|secondary|deputy|alternate", "method": r"method",
    }, frozenset({"role|name", "contact", "name|backup|role"})),
    (Grid.THRESHOLDS, {
        "metric": r"metrics?|alert( name)?|indicator|signal|check|sli", "warning": r"warn(ing)?s?( threshold| level)?",
        "critical": r"critical( threshold| level)?|thresholds?|target",
        "action": r"actions?|response|first action|what to do|escalation", "time": r"response time",
    }, frozenset({"metric", "critical|warning", "action|warning|critical"})),
    (Grid.SEVERITIES, {
        "level": r"(severity |priority )?levels?|severit(y|ies)|priorit(y|ies)|sev", "description": r"descriptions?|definition|meaning|criteria",
        "response": r"response( times?)?|(target )?response( time)?|sla", "example": r"examples?|impact",
    }, frozenset({"level", "description|response|example"})),
    (Grid.TASKS, {
        "task": r"(maintenance )?tasks?|activity|item|job|duty", "frequency": r"frequency|schedule|how often|interval|cadence",
        "owner": r"owners?|responsible|who|team", "last": r"last( completed| done| run)?", "due": r"next( due| run)?|due",
    }, frozenset({"task", "frequency"})),
    (Grid.FILES, {
        "file": r"(config(uration)? )?files?( name)?", "location": r"locations?|paths?|where", "purpose": r"purpose|descriptions?|use",
        "backup": r"back ?ups?|backed up",
    }, frozenset({"file", "location|purpose"})),
    (Grid.OBJECTIVES, {
        "tier": r"tiers?|system|service|component|strategy|data|scenario|store|asset|.* type|priority",
        "rto": r"(target )?rto( .*)?|recovery time objective( rto)?", "rpo": r"(target )?rpo( .*)?|recovery point objective( rpo)?",
    }, frozenset({"rto|rpo"})),
    (Grid.HISTORY, {
        "version": r"versions?|rev(ision)?", "date": r"dates?", "author": r"authors?|by|who",
        "changes": r"changes?|descriptions?|summary|notes?",
    }, frozenset({"version|date", "changes", "date|author"})),
    (Grid.LOGS, {
        "log": r"logs?( (source|file|type|name))?", "location": r"locations?|paths?|where|storage.*|file", "description": r"descriptions?|purpose",
    }, frozenset({"log", "location"})),
    (Grid.ISSUES, {
        "issue": r"issues?|problems?|symptoms?|alert|error", "cause": r"(likely |possible |probable )?causes?|diagnosis",
        "resolution": r"resolutions?|fix|solutions?|first action|actions?|mitigation",
    }, frozenset({"issue", "resolution", "cause|issue"})),
    (Grid.STEPS, {
        "step": r"steps?|no|number|phase", "action": r"actions?|tasks?|descriptions?|what|command|procedure|activity",
        "owner": r"owners?|who|responsible|team|role", "result": r"(expected )?(results?|outcomes?)|verification|duration|time",
    }, frozenset({"step", "action|owner"})),
)  # fmt: skip
_GRIDS = tuple(
    (grid, {name: re.compile(pattern) for name, pattern in columns.items()}, needed)
    for grid, columns, needed in COLUMNS
)


def grid_of(header: tuple[str, ...]) -> tuple[Grid, dict[str, int]] | None:
    """Return what a table is by its columns, and where each column is; nothing when it is not known."""
    said = [plain(cell) for cell in header]
    for grid, columns, needed in _GRIDS:
        found: dict[str, int] = {}
        for name, pattern in columns.items():
            at = next((n for n, cell in enumerate(said) if n not in found.values() and pattern.fullmatch(cell)), None)
            if at is not None:
                found[name] = at
        if all(any(name in found for name in either.split("|")) for either in needed) and len(found) > 1:
            return grid, found
    return None
