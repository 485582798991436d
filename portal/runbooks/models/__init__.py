"""Runbooks, their versions, what is read from them, and the checklists that are worked from them."""

from portal.runbooks.models.checklist import Checklist, ChecklistRule, ChecklistStep, ChecklistVersion
from portal.runbooks.models.checklist_run import ChecklistRun, RunEvent, RunStep
from portal.runbooks.models.configuration import ConfigurationMark, ConfigurationRule
from portal.runbooks.models.content import (
    Command,
    ConfigurationFile,
    EnvironmentVariable,
    Issue,
    LogLocation,
    Passage,
    Procedure,
    Step,
    Threshold,
)
from portal.runbooks.models.runbook import Runbook, RunbookVersion

__all__ = [
    "Checklist",
    "ChecklistRule",
    "ChecklistRun",
    "ChecklistStep",
    "ChecklistVersion",
    "Command",
    "ConfigurationFile",
    "ConfigurationMark",
    "ConfigurationRule",
    "EnvironmentVariable",
    "Issue",
    "LogLocation",
    "Passage",
    "Procedure",
    "RunEvent",
    "RunStep",
    "Runbook",
    "RunbookVersion",
    "Step",
    "Threshold",
]
