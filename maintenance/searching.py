"""What is found of maintenance and recovery by its words: plans, windows, backups, restore tests, exercises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from maintenance.enums import Frequency, PlanState, WindowState
from maintenance.exercises.enums import ExerciseState, Kind
from maintenance.models import BackupPlan, Exercise, Plan, RecoveryPlan, RestoreTest, Window
from portal.search.registry import Searchable, Shown


def _plans(user: Any) -> QuerySet[Any]:
    return Plan.objects.visible_to(user)


def _plan(row: Mapping[str, Any]) -> Shown:
    state = f"{row['reference']} · {Frequency(row['frequency']).label} · {PlanState(row['state']).label}"
    return Shown(row["task"], state)


def _page(row: Mapping[str, Any]) -> str:
    return reverse("maintenance:plan", args=[row["reference"]])


def _windows(user: Any) -> QuerySet[Any]:
    return Window.objects.visible_to(user)


def _window(row: Mapping[str, Any]) -> Shown:
    return Shown(row["title"], f"{row['reference']} · {WindowState(row['state']).label}")


def _window_page(row: Mapping[str, Any]) -> str:
    return reverse("maintenance:window", args=[row["reference"]])


def _recovery_plans(user: Any) -> QuerySet[Any]:
    return RecoveryPlan.objects.visible_to(user)


def _recovery_plan(row: Mapping[str, Any]) -> Shown:
    return Shown(row["title"], f"{row['reference']} · {PlanState(row['state']).label}")


def _recovery_plan_page(row: Mapping[str, Any]) -> str:
    return reverse("maintenance:recovery-plan", args=[row["reference"]])


def _exercises(user: Any) -> QuerySet[Any]:
    return Exercise.objects.visible_to(user)


def _exercise(row: Mapping[str, Any]) -> Shown:
    title = f"{Kind(row['kind']).word} exercise of {row['plan__title']}"
    return Shown(title, f"{row['reference']} · {ExerciseState(row['state']).label}")


def _exercise_page(row: Mapping[str, Any]) -> str:
    return reverse("maintenance:exercise", args=[row["reference"]])


def _backups(user: Any) -> QuerySet[Any]:
    return BackupPlan.objects.visible_to(user)


def _backup(row: Mapping[str, Any]) -> Shown:
    ended = " · Retired" if row["retired_at"] else ""
    return Shown(row["what"], f"{row['reference']} · {row['system__name']}{ended}")


def _backup_page(row: Mapping[str, Any]) -> str:
    return reverse("maintenance:backup", args=[row["reference"]])


def _restore_tests(user: Any) -> QuerySet[Any]:
    return RestoreTest.objects.visible_to(user)


def _restore_test(row: Mapping[str, Any]) -> Shown:
    verdict = "Restored" if row["succeeded"] else "Failed"
    return Shown(f"Restore test of {row['system__name']}", f"{row['reference']} · {verdict}")


def _restore_test_page(row: Mapping[str, Any]) -> str:
    return reverse("maintenance:restore-test", args=[row["reference"]])


FOUND = Searchable(
    kind="plan", prefix="MNT", label="Maintenance plan", group="Maintenance", icon="wrench", model=Plan,
    columns=("task", "reference", "procedure"), rows=_plans, show=_plan, url=_page,
    values=("frequency", "state"), titled=True,
)  # fmt: skip
WINDOWS = Searchable(
    kind="window", prefix="MNW", label="Maintenance window", group="Maintenance", icon="calendar-clock", model=Window,
    columns=("title", "reference", "note"), rows=_windows, show=_window, url=_window_page,
    values=("state",), titled=True,
)  # fmt: skip
RECOVERY_PLANS = Searchable(
    kind="recovery-plan", prefix="RCP", label="Recovery plan", group="Recovery", icon="life-buoy", model=RecoveryPlan,
    columns=("title", "reference", "summary"), rows=_recovery_plans, show=_recovery_plan, url=_recovery_plan_page,
    values=("state",), titled=True,
)  # fmt: skip
EXERCISES = Searchable(
    kind="exercise", prefix="EXR", label="Exercise", group="Recovery", icon="heart-pulse", model=Exercise,
    columns=("reference", "summary"), rows=_exercises, show=_exercise, url=_exercise_page,
    values=("kind", "state", "plan__title"),
)  # fmt: skip
BACKUPS = Searchable(
    kind="backup", prefix="BKP", label="Backup", group="Recovery", icon="database", model=BackupPlan,
    columns=("what", "reference", "place"), rows=_backups, show=_backup, url=_backup_page,
    values=("system__name", "retired_at"), system="system", titled=True,
)  # fmt: skip
RESTORE_TESTS = Searchable(
    kind="restore-test", prefix="RST", label="Restore test", group="Recovery", icon="rotate-ccw", model=RestoreTest,
    columns=("reference", "found"), rows=_restore_tests, show=_restore_test, url=_restore_test_page,
    values=("succeeded", "system__name"), system="system",
)  # fmt: skip
