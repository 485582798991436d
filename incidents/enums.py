"""The closed lists of an incident."""

from __future__ import annotations

from django.db.models import TextChoices


class Status(TextChoices):
    """The life of an incident. Cancelled and merged are the side exits."""

    DECLARED = "declared", "Declared"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    MITIGATED = "mitigated", "Mitigated"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"
    MERGED = "merged", "Merged"


OPEN = (Status.DECLARED, Status.ACKNOWLEDGED, Status.MITIGATED)


class IncidentType(TextChoices):
    """What kind of incident it is. A security incident pages the security lead at once."""

    OPERATIONAL = "operational", "Operational"
    SECURITY = "security", "Security"


class FunctionalImpact(TextChoices):
    """What a security incident does to services (NIST SP 800-61r2, table 3-2)."""

    NONE = "no-effect", "None: services reach everybody as before"
    LOW = "low", "Low: critical services reach everybody, less well"
    MEDIUM = "medium", "Medium: a critical service is lost to some of its users"
    HIGH = "high", "High: a critical service is lost to everybody"


class InformationImpact(TextChoices):
    """What a security incident does to information (NIST SP 800-61r2, table 3-3)."""

    NONE = "no-loss", "None: nothing was seen, taken, changed or lost"
    PRIVACY = "privacy", "Privacy breach: personal data was seen or taken"
    PROPRIETARY = "proprietary", "Proprietary breach: confidential information was seen or taken"
    INTEGRITY = "integrity", "Integrity loss: data was changed or deleted"


class Recoverability(TextChoices):
    """What recovering from a security incident takes (NIST SP 800-61r2, table 3-4)."""

    REGULAR = "regular", "Regular: predictable, with the means at hand"
    SUPPLEMENTED = "supplemented", "Supplemented: predictable, with more means"
    EXTENDED = "extended", "Extended: unpredictable, with help from outside"
    NOT_RECOVERABLE = "not-recoverable", "Not recoverable, such as data that was published"


class AttackVector(TextChoices):
    """How a security incident came in (NIST SP 800-61r2, section 3.1.1)."""

    MEDIA = "media", "External or removable media"
    ATTRITION = "attrition", "Attrition: brute force, denial of service"
    WEB = "web", "Web: a site or a web application"
    EMAIL = "email", "E-mail: a message, a link or a file in it"
    IMPERSONATION = "impersonation", "Impersonation: something harmless was replaced"
    IMPROPER_USE = "improper-use", "Improper usage: against the rules, by somebody with access"
    LOSS = "loss", "Loss or theft of equipment"
    OTHER = "other", "Other, or not known yet"


class ContainmentState(TextChoices):
    """A step of containment waits until somebody has done it, or says why not."""

    OPEN = "open", "Open"
    DONE = "done", "Done"
    SKIPPED = "skipped", "Skipped"


# Kinds of urgent messages. Who got one of the first three was called to work: a member, where it is restricted.
PAGE = "incident_page"
SECURITY_PAGE = "incident_security"
ACTIVATION_PAGE = "incident_activation"
EXHAUSTED = "incident_exhausted"
OUTSIDE_PAGE = "incident_outside"  # of a restricted incident, to administrators as the last resort
CALLED = (PAGE, SECURITY_PAGE, ACTIVATION_PAGE)
COMMUNICATION = "communication"  # what somebody wrote for an audience


class Audience(TextChoices):
    """Who a recorded update is for. Telling them is what meets their clock."""

    STAKEHOLDERS = "stakeholders", "Stakeholders"
    CUSTOMERS = "customers", "Customers"
    EXECUTIVES = "executives", "Executives"


class CommunicationState(TextChoices):
    """The life of one message to an audience. Sent and withdrawn are the end."""

    DRAFTED = "drafted", "Draft"
    WAITING = "waiting", "Waiting for approval"
    APPROVED = "approved", "Approved"
    SENT = "sent", "Sent"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Occasion(TextChoices):
    """Which message of an incident a template is for."""

    FIRST = "first", "First message"
    NEXT = "next", "Next update"
    END = "end", "After mitigation or the end"


class TargetKind(TextChoices):
    """Whom a step of an escalation policy reaches."""

    PERSON = "person", "Person"
    TEAM = "team", "Whoever is on call for a team"
    ROLE = "role", "Emergency role of the affected systems"
    CHANNEL = "channel", "Channel"


class EscalationState(TextChoices):
    """The life of one escalation."""

    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped"
    EXHAUSTED = "exhausted", "Exhausted"


class IntakeKind(TextChoices):
    """The forms of alert that an intake address understands."""

    ALERTMANAGER = "alertmanager", "Prometheus Alertmanager"
    GRAFANA = "grafana", "Grafana alerting"
    PAGERDUTY = "pagerduty", "PagerDuty Events v2"
    SNS = "sns", "CloudWatch over SNS"
    UPTIME_KUMA = "uptime-kuma", "Uptime Kuma"
    HEARTBEAT = "heartbeat", "Heartbeat"
    EMAIL = "email", "E-mail"
    GENERIC = "generic", "Any JSON, by a mapping"
    JSON = "json", "Plain JSON"


class Stance(TextChoices):
    """What one post says of its alert."""

    FIRING = "firing", "It fires"
    RESOLVED = "resolved", "It is resolved"
    ACKNOWLEDGED = "acknowledged", "Somebody is on it"
    NOTHING = "nothing", "Nothing to act on"


class Signing(TextChoices):
    """Whether an address asks for a signature. One of the body alone says nothing of when it was sent."""

    NONE = "none", "No signature"
    TIMED = "timed", "A signature with its time"
    BODY = "body", "A signature with its time, or of the body alone"


class TopicState(TextChoices):
    """The life of a subscription to an SNS topic."""

    WAITING = "waiting", "Waits to be confirmed"
    CONFIRMED = "confirmed", "Confirmed"
    ENDED = "ended", "Ended"


class PayloadField(TextChoices):
    """What a line of a generic mapping finds in a payload."""

    TITLE = "title", "Title"
    KEY = "key", "Key"
    STATUS = "status", "Status"
    SEVERITY = "severity", "Severity"
    SYSTEM = "system", "System"
    DESCRIPTION = "description", "Description"
    URL = "url", "Address to look at"
    STARTED_AT = "started_at", "When it began"


class DeliveryResult(TextChoices):
    """What became of one post to an intake address."""

    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    FAILED = "failed", "Failed, the source was asked to send it again"
