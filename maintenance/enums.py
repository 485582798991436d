"""The closed lists of maintenance."""

from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices


class Frequency(TextChoices):
    """How often a task comes round."""

    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"
    NTH_WEEKDAY = "nth_weekday", "On a weekday of the month"
    LAST_DAY = "last_day", "On the last day of the month"
    ANNUAL = "annual", "Annual"
    CUSTOM = "custom", "By a recurrence rule"
    AS_NEEDED = "as_needed", "As needed"


class Basis(TextChoices):
    """What the next date is counted from."""

    FIXED = "fixed", "Fixed: from the calendar"
    FLOATING = "floating", "Floating: from when it was last done"


class Shift(TextChoices):
    """What becomes of a date that is not worked."""

    NONE = "none", "It stands"
    NEXT = "next", "The next working day"
    PREVIOUS = "previous", "The previous working day"


class Nth(IntegerChoices):
    """Which of the weekdays of a month."""

    FIRST = 1, "First"
    SECOND = 2, "Second"
    THIRD = 3, "Third"
    FOURTH = 4, "Fourth"
    LAST = -1, "Last"


class Weekday(IntegerChoices):
    """The days of the week, as Python counts them."""

    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


class PlanState(TextChoices):
    """The life of a plan: a draft reminds nobody; one that is retired comes round no more."""

    DRAFT = "draft", "Draft"
    IN_FORCE = "in_force", "In force"
    RETIRED = "retired", "Retired"


class State(TextChoices):
    """The life of one occurrence."""

    OPEN = "open", "Open"
    TO_SIGN = "to_sign", "To be signed off"
    COMPLETED = "completed", "Completed"
    SKIPPED = "skipped", "Skipped"
    MISSED = "missed", "Missed"
    WITHDRAWN = "withdrawn", "Withdrawn"


STANDING = (State.OPEN, State.TO_SIGN)
"""In these somebody still has to do something about it. A plan has at most one such occurrence."""


class Source(TextChoices):
    """Who says that a task is done."""

    PERSON = "person", "A person"
    JOB = "job", "The job itself"
    CHANGE = "change", "A change"
    TEST = "test", "A restore test"
    CARRIED = "carried", "Carried over from before"


class WindowKind(TextChoices):
    """How a window comes to be."""

    ONE_OFF = "one_off", "One-off"
    RECURRING = "recurring", "Recurring"
    MANUAL = "manual", "Opened by hand"


class WindowState(TextChoices):
    """The life of a maintenance window."""

    SCHEDULED = "scheduled", "Scheduled"
    IN_PROGRESS = "in_progress", "In progress"
    VERIFYING = "verifying", "Verifying"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


RUNNING = (WindowState.IN_PROGRESS, WindowState.VERIFYING)
"""In these somebody is at work on the systems of the window."""
