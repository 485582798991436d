"""How recovery plans and exercises look: word, tone and icon of their states, and the marks of their timelines."""

from __future__ import annotations

from datetime import datetime

from maintenance.exercises.enums import ExerciseState, StepState
from maintenance.looks import PLAN_LOOKS, Look
from maintenance.models import Exercise
from portal.directory.enums import Verdict

EXERCISE_LOOKS: dict[str, Look] = {
    ExerciseState.SCHEDULED: Look("Scheduled", "plain", "calendar-clock"),
    ExerciseState.RUNNING: Look("Running", "blue", "timer"),
    ExerciseState.ENDED: Look("Ended", "", "circle-stop"),
    ExerciseState.CANCELLED: Look("Called off", "", "ban"),
}
DUE = Look("Due", "red", "octagon-alert")
UNENDED = Look("Still running", "amber", "triangle-alert")
STEP_LOOKS: dict[str, Look] = {
    StepState.OPEN: Look("Open", "plain", "circle-dashed"),
    StepState.STARTED: Look("Under way", "blue", "timer"),
    StepState.DONE: Look("Done", "green", "circle-check"),
    StepState.SKIPPED: Look("Skipped", "", "circle-minus"),
}
VERDICT_LOOKS: dict[str, Look] = {
    Verdict.MET: Look("Met", "green", "circle-check"),
    Verdict.NOT_MET: Look("Not met", "red", "circle-x"),
    Verdict.UNKNOWN: Look("Unknown", "amber", "circle-help"),
}
MARKS: dict[str, tuple[str, str]] = {
    "made": ("plus", ""), "in_force": ("play", "green"), "revised": ("pencil-line", ""), "retired": ("archive", ""),
    "exercise": ("heart-pulse", ""), "moved": ("calendar-clock", "amber"), "started": ("play", "blue"),
    "ended": ("circle-stop", "green"), "cancelled": ("ban", ""), "step_started": ("timer", ""),
    "step_done": ("circle-check", "green"), "step_skipped": ("circle-minus", "amber"), "step_back": ("undo-2", "amber"),
    "action": ("clipboard-list", ""), "reminded": ("send", ""), "link": ("link", ""),
}  # fmt: skip


def look_of(exercise: Exercise, *, at: datetime) -> Look:
    """Return how an exercise looks now."""
    if exercise.is_left_running(at):
        return UNENDED
    if exercise.state == ExerciseState.SCHEDULED and exercise.scheduled_for < at:
        return DUE
    return EXERCISE_LOOKS[exercise.state]


__all__ = ["EXERCISE_LOOKS", "MARKS", "PLAN_LOOKS", "STEP_LOOKS", "VERDICT_LOOKS", "look_of"]
