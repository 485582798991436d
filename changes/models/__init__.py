"""The records of changes."""

from changes.models.changes import Change, ChangeQuerySet, ChangeStep
from changes.models.findings import Finding
from changes.models.freezes import Freeze, FreezeOverride
from changes.models.gates import Gate, GateReport, GateToken
from changes.models.modules import Module, ReleaseCheck
from changes.models.release import Cell
from changes.models.rules import RiskBand, RiskRule
from changes.models.templates import ChangeTemplate, TemplateStep

__all__ = [
    "Cell",
    "Change",
    "ChangeQuerySet",
    "ChangeStep",
    "ChangeTemplate",
    "Finding",
    "Freeze",
    "FreezeOverride",
    "Gate",
    "GateReport",
    "GateToken",
    "Module",
    "ReleaseCheck",
    "RiskBand",
    "RiskRule",
    "TemplateStep",
]
