"""The closed lists of the directory."""

from __future__ import annotations

from django.db.models import TextChoices


class MethodKind(TextChoices):
    """How somebody can be reached. A number of the kind telephone is shown to be called; nothing is sent to it."""

    EMAIL = "email", "E-mail"
    NTFY = "ntfy", "ntfy"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    PUSHOVER = "pushover", "Pushover"
    SMS = "sms", "Text message"
    VOICE = "voice", "Telephone, called by the portal"
    PHONE = "phone", "Telephone, called by people"


# What the company's Twilio account delivers. The address is a plain telephone number.
BY_TWILIO = (MethodKind.SMS, MethodKind.VOICE)


class Occasion(TextChoices):
    """How insistently somebody is paged. The severity says which of the two an incident asks for."""

    USUAL = "usual", "Usual pages"
    LOUD = "loud", "Loud pages"


class EmergencyRole(TextChoices):
    """The roles of the emergency-contact table (owner's runbook template)."""

    PRIMARY_OWNER = "primary_owner", "Primary Owner"
    SECURITY_LEAD = "security_lead", "Security Lead"
    OPERATIONS_LEAD = "operations_lead", "Operations Lead"
    DATA_PROTECTION = "data_protection", "Data Protection Officer"
    COMMUNICATIONS = "communications", "Communications Lead"
    VENDOR = "vendor", "Vendor Contact"


class Tone(TextChoices):
    """Colours of the look, each with its word."""

    RED = "red", "Red"
    ORANGE = "orange", "Orange"
    AMBER = "amber", "Amber"
    GREEN = "green", "Green"
    BLUE = "blue", "Blue"
    VIOLET = "violet", "Violet"
    GREY = "grey", "Grey"


class Clock(TextChoices):
    """The clocks of an incident (owner's operational procedures)."""

    RESPONSE = "response", "Response"
    ACTIVATION = "activation", "Emergency activation"
    STAKEHOLDERS = "stakeholders", "Stakeholders"
    CUSTOMERS = "customers", "Customers"
    EXECUTIVES = "executives", "Executives"
    RESOLVE = "resolve", "Resolve"


class LimitUnit(TextChoices):
    """What the limit of a clock counts."""

    MINUTES = "minutes", "minutes"
    BUSINESS_DAYS = "business_days", "business days, by the end of the day"
    OBJECTIVE = "objective", "the tightest RTO of the affected systems"


class TurnUnit(TextChoices):
    """What the length of a turn is counted in. An hour is an hour of the clock on the wall."""

    HOURS = "hours", "hours"
    DAYS = "days", "days"
    WEEKS = "weeks", "weeks"


class SwapState(TextChoices):
    """Where a request for a swap stands."""

    ASKED = "asked", "Asked"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class FeedTopic(TextChoices):
    """What a secret address of a calendar shows."""

    ON_CALL = "on-call", "On call"
    CHANGES = "changes", "Change calendar"
    MAINTENANCE = "maintenance", "Maintenance calendar"


class Verdict(TextChoices):
    """How what was measured stands to what was promised."""

    MET = "met", "Met"
    NOT_MET = "not met", "Not met"
    UNKNOWN = "unknown", "Unknown"


class ProofKind(TextChoices):
    """What measured a recovery."""

    RESTORE = "restore test", "Restore test"
    EXERCISE = "exercise", "Exercise"
    INCIDENT = "incident", "Incident"
