"""The closed lists of checklists."""

from __future__ import annotations

from django.db.models import TextChoices


class StepState(TextChoices):
    """How a step of a run stands. Left open is what remains when a run ends before its steps do."""

    OPEN = "open", "Open"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    LEFT = "left", "Left open"


SETTLED = (StepState.DONE, StepState.FAILED, StepState.SKIPPED)


class What(TextChoices):
    """What happened in a run."""

    STARTED = "started", "Started"
    TICKED = "ticked", "Ticked"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    UNDONE = "undone", "Undone"
    HANDED_OVER = "handed-over", "Handed over"
    NOTED = "noted", "Noted"
    ATTACHED = "attached", "Attached"
    ENDED = "ended", "Ended"
    RESUMED = "resumed", "Resumed"


class Frequency(TextChoices):
    """When a checklist is worked."""

    NEEDED = "needed", "When needed"
    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"
    EMERGENCY = "emergency", "In an emergency"
