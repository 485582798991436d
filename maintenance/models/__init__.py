"""The records of maintenance."""

from maintenance.models.backups import BackupPlan, BackupRun, RestoreTest
from maintenance.models.exercises import Exercise, ExerciseQuerySet, ExerciseStep, RecoveryPlan, RecoveryStep
from maintenance.models.occurrences import Occurrence, OccurrenceQuerySet
from maintenance.models.plans import Plan, PlanQuerySet
from maintenance.models.tokens import PlanToken
from maintenance.models.windows import Window, WindowQuerySet, WindowSeries

__all__ = [
    "BackupPlan",
    "BackupRun",
    "Exercise",
    "ExerciseQuerySet",
    "ExerciseStep",
    "Occurrence",
    "OccurrenceQuerySet",
    "Plan",
    "PlanQuerySet",
    "PlanToken",
    "RecoveryPlan",
    "RecoveryStep",
    "RestoreTest",
    "Window",
    "WindowQuerySet",
    "WindowSeries",
]
