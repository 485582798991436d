"""The closed lists of recovery plans and exercises."""

from __future__ import annotations

from django.db.models import TextChoices


class Kind(TextChoices):
    """How much of a recovery is really done."""

    TABLETOP = "tabletop", "Tabletop: talked through at a table"
    FUNCTIONAL = "functional", "Functional: part of it is really done"
    FULL = "full", "Full: all of it is really done"
    DRILL = "drill", "Drill: unannounced, on the real clocks"

    @property
    def word(self) -> str:
        """The word alone."""
        return self.value.capitalize()


class ExerciseState(TextChoices):
    """The life of an exercise."""

    SCHEDULED = "scheduled", "Scheduled"
    RUNNING = "running", "Running"
    ENDED = "ended", "Ended"
    CANCELLED = "cancelled", "Called off"


class StepState(TextChoices):
    """How one step of an exercise stands."""

    OPEN = "open", "Open"
    STARTED = "started", "Under way"
    DONE = "done", "Done"
    SKIPPED = "skipped", "Skipped"
