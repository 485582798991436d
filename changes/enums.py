"""The closed lists of a change."""

from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices


class ChangeType(TextChoices):
    """Standard ones follow a template that was approved; an emergency starts on one named person's authority."""

    STANDARD = "standard", "Standard"
    NORMAL = "normal", "Normal"
    EMERGENCY = "emergency", "Emergency"


class Status(TextChoices):
    """The life of a change. Rejected and cancelled are the side exits."""

    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    ASSESSED = "assessed", "Assessed"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    SCHEDULED = "scheduled", "Scheduled"
    IN_PROGRESS = "in_progress", "In progress"
    VERIFYING = "verifying", "Verifying"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


EDITABLE = (Status.DRAFT, Status.SUBMITTED, Status.ASSESSED, Status.APPROVED, Status.REJECTED, Status.SCHEDULED)
"""While a change is in one of these its content can be edited; what was decided on is void then."""

PLANNED = (Status.SUBMITTED, Status.ASSESSED, Status.APPROVED, Status.SCHEDULED, Status.IN_PROGRESS, Status.VERIFYING)
"""In these a change stands in the schedule, so that others can be in conflict with it."""

RUNNING = (Status.IN_PROGRESS, Status.VERIFYING)
"""In these somebody is at it."""


class Outcome(TextChoices):
    """How a change ended."""

    SUCCESSFUL = "successful", "Successful"
    WITH_ISSUES = "issues", "Successful with issues"
    FAILED = "failed", "Failed"
    ROLLED_BACK = "rolled_back", "Rolled back"


class StepKind(TextChoices):
    """Which of the three plans of a change a step belongs to."""

    IMPLEMENTATION = "implementation", "Implementation"
    VALIDATION = "validation", "Validation"
    ROLLBACK = "rollback", "Rollback"


class Impact(IntegerChoices):
    """What it would touch if it went wrong."""

    SLIGHT = 1, "Hardly anybody would notice"
    MINOR = 2, "Some people, for a while"
    MAJOR = 3, "Many people, or an important function"
    SEVERE = 4, "Everybody, or data"


class Likelihood(IntegerChoices):
    """How likely it is to go wrong."""

    RARE = 1, "Done often, never failed"
    UNLIKELY = 2, "Rehearsed"
    POSSIBLE = 3, "Understood, but not rehearsed"
    LIKELY = 4, "New to us"


class Level(TextChoices):
    """How risky a change is. Thresholds are data: changes.models.RiskBand."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class CellState(TextChoices):
    """How one check of one module stands."""

    OPEN = "open", "Open"
    DONE = "done", "Done"
    NOT_NEEDED = "not_needed", "Not needed"


class GateSource(TextChoices):
    """Who can say that a prerequisite is met."""

    ANYBODY = "anybody", "Somebody, or a CI system"
    PORTAL = "portal", "The portal itself"


class GateResult(TextChoices):
    """What was reported of a prerequisite."""

    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


class Domain(TextChoices):
    """Which part of the company a freeze protects."""

    FINANCE = "finance", "Finance close"
    MARKETING = "marketing", "Marketing campaign"
    PRODUCT = "product", "Product release"
    SALES = "sales", "Sales quarter end"
    OPERATIONS = "operations", "Operations"


class Weight(TextChoices):
    """What a conflict does: it stops, it warns, or it says that all is well."""

    STOPS = "stops", "Stops scheduling"
    WARNS = "warns", "Warning"
    CLEAR = "clear", "Clear"


class FindingState(TextChoices):
    """What became of a write outside of any slot."""

    OPEN = "open", "To be answered"
    ACCEPTED = "accepted", "Accepted"
    TURNED = "turned", "Turned into an emergency change"
