"""The checklists that every portal begins with: the incident checklist, the standing duties, the release checklist.

They are data that an administrator may edit: `load` makes what is missing and never touches what stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice

from portal.audit.actor import By
from portal.directory.models import Severity, Team
from portal.runbooks.checklists import services
from portal.runbooks.checklists.enums import Frequency
from portal.runbooks.checklists.services import Line
from portal.runbooks.models import Checklist, ChecklistRule

REASON = "Reference data of this version"
OWNERS = ("oncall", "security", "platform", "support", "ops")  # of the components, in turn
COMPONENTS = 80
MODULES = 40
INCIDENT = "incident-response"


@dataclass(frozen=True, slots=True)
class Given:
    """One checklist: its steps as (team, what to do, page), and the rules that start it."""

    slug: str
    name: str
    purpose: str
    steps: Sequence[tuple[str, str, str]]
    frequency: Frequency = Frequency.NEEDED
    severities: Sequence[int] = ()
    types: Sequence[str] = ()
    shuts_down: bool = False


def _components() -> list[tuple[str, str, str]]:
    owners = islice(cycle(OWNERS), COMPONENTS)
    return [
        (owner, f"Validate component {number} and collect logs.", "evidence")
        for number, owner in enumerate(owners, start=1)
    ]


def _modules() -> list[tuple[str, str, str]]:
    asked = (
        ("platform", "Validate impacted module: module_{0}", "systems"),
        ("platform", "Confirm database migrations of module_{0}", ""),
        ("support", "Confirm seed data compatibility of module_{0}", ""),
        ("support", "Confirm notification templates of module_{0}", "communications"),
        ("security", "Confirm access review of module_{0} if needed", "reviews"),
    )
    return [(team, text.format(number), page) for number in range(1, MODULES + 1) for team, text, page in asked]


CHECKLISTS = (
    Given(
        INCIDENT,
        "Incident response",
        "Every component is validated by the team that owns it, and its logs are collected.",
        _components(),
        Frequency.EMERGENCY,
        severities=(1, 2),
    ),
    Given(
        "security-incident-response",
        "Security incident response",
        "Nothing is shut down, the incident is contained, and its evidence stands up.",
        (
            ("oncall", "Do NOT shut down systems: that destroys evidence.", ""),
            ("oncall", "Contact the security lead at once.", "on-call"),
            ("security", "Follow the procedures of SECURITY.md.", "security-procedures"),
            ("security", "Categorise the incident by the NIST guidelines.", "security-incidents"),
            ("security", "Contain it, so that it does not spread.", "security-incidents"),
            ("ops", "Document all actions, each with its time.", "incidents"),
            ("platform", "Preserve logs and evidence under their SHA-256.", "evidence"),
            ("security", "Keep the chain of custody of everything collected.", "evidence"),
        ),
        Frequency.EMERGENCY,
        types=("security",),
    ),
    Given(
        "system-failure-response",
        "System failure response",
        "The failure is graded, the right people are on it, and the system is back or rolled back.",
        (
            ("oncall", "Classify the severity: critical, high, medium or low.", "incidents"),
            ("oncall", "Activate the emergency response within 5 minutes where it is critical.", "on-call"),
            ("platform", "Carry out the recovery procedure; roll back where it does not help.", "runbooks"),
        ),
        Frequency.EMERGENCY,
    ),
    Given(
        "emergency-communication",
        "Emergency communication",
        "Everybody who must hear of a major incident has heard in time.",
        (
            ("oncall", "Notify stakeholders within 15 minutes where it is critical.", "communications"),
            ("support", "Notify customers within 30 minutes.", "communications"),
            ("ops", "Give the executive summary within 60 minutes where it is major.", "communications"),
        ),
        Frequency.EMERGENCY,
    ),
    Given(
        "common-procedures",
        "Common procedures",
        "What is looked at before anything else.",
        (
            ("ops", "Validate service health endpoints", "health"),
            ("support", "Check queue backlog and SLA breach reports", "status"),
            ("security", "Review audit logs for privileged changes", "trail"),
            ("platform", "Investigate integration job failures", "sources"),
            ("ops", "Perform maintenance windows if needed", "maintenance"),
        ),
    ),
    Given(
        "daily-operations",
        "Daily operations",
        "The systems are healthy, and nobody learns it from a customer.",
        (
            ("ops", "Validate the 15 core health metrics; they are checked every 15 minutes.", "health"),
            ("platform", "Compare real-time metrics with the performance baselines.", "metrics"),
            ("security", "Review the security scans of the 8 critical attack vectors.", "security-incidents"),
            ("platform", "Look at the trends of CPU, memory, storage and network.", "metrics"),
            ("platform", "API response time is below 200 ms (95th percentile).", "metrics"),
            ("ops", "System uptime is at least 99.9 %.", "status"),
            ("support", "The error rate is below 0.1 % across all endpoints.", "metrics"),
            ("security", "There are fewer than 2 critical security issues today.", "security-incidents"),
        ),
        Frequency.DAILY,
    ),
    Given(
        "weekly-operations",
        "Weekly operations",
        "There is room for the next weeks, and no patch is left lying.",
        (
            ("platform", "Look at the 7-day rolling averages of resource use for capacity planning.", "metrics"),
            ("platform", "Review what triggered scaling, and what could be better.", "metrics"),
            ("platform", "Name and carry out performance improvements.", "approvals"),
            ("security", "Assess critical security patches and what compliance asks.", "systems"),
            ("ops", "Test patches in the staging environment.", "maintenance"),
            ("ops", "Coordinate the deployment of patches across production.", "maintenance"),
        ),
        Frequency.WEEKLY,
    ),
    Given(
        "monthly-operations",
        "Monthly operations",
        "Security, access and compliance are audited, and what was learned is reported.",
        (
            ("security", "Scan all systems for vulnerabilities.", "systems"),
            ("security", "Audit access permissions and privilege escalations.", "reviews"),
            ("security", "Verify GDPR, CAN-SPAM and what the industry asks.", "exports"),
            ("platform", "Analyse performance in depth and recommend improvements.", "metrics"),
            ("platform", "Evaluate the use of resources and what costs could be saved.", "metrics"),
            ("ops", "Report the operational figures of the month.", "status"),
        ),
        Frequency.MONTHLY,
    ),
    Given(
        "system-startup",
        "System startup",
        "The system runs, is healthy and is watched.",
        (
            ("platform", "Environment validated", ""),
            ("platform", "Dependencies available", "status"),
            ("platform", "Configuration verified", "configuration"),
            ("platform", "Start it as its runbook says.", "runbooks"),
            ("ops", "Health checks passing", "status"),
            ("ops", "Monitoring active", "metrics"),
            ("ops", "Logs showing normal operation", ""),
        ),
    ),
    Given(
        "system-shutdown",
        "System shutdown",
        "The system is stopped gracefully, and nothing of it is left behind.",
        (
            ("ops", "Notification sent to stakeholders", "communications"),
            ("platform", "Backup completed (if required)", ""),
            ("platform", "Stop it as its runbook says.", "runbooks"),
            ("platform", "All processes stopped", ""),
            ("platform", "Resources released", ""),
            ("ops", "Final logs captured", "evidence"),
        ),
        shuts_down=True,
    ),
    Given(
        "system-backup",
        "System backup",
        "A backup stands that was read back.",
        (
            ("platform", "Make the backup as its runbook says.", "runbooks"),
            ("platform", "Backup completed successfully", ""),
            ("platform", "Backup integrity verified", ""),
            ("ops", "Backup stored securely", ""),
        ),
    ),
    Given(
        "deployment",
        "Deployment",
        "What goes out was reviewed, tested, scanned and approved, and can be taken back.",
        (
            ("platform", "Code review complete", ""),
            ("platform", "Tests passing", ""),
            ("security", "Security scan clean", ""),
            ("ops", "Approval obtained", "approvals"),
            ("platform", "Rollback plan at hand", "runbooks"),
            ("platform", "Deploy it as its runbook says.", "runbooks"),
        ),
    ),
    Given(
        "release",
        "Release",
        "Every module that a release touches is validated before it goes out.",
        _modules(),
    ),
)


def load(*, by: By, at: datetime) -> None:
    """Make the checklists that are missing, each with its rules. Run it inside `acting`."""
    missing = {given.slug for given in CHECKLISTS} - set(Checklist.objects.values_list("slug", flat=True))
    if not missing:
        return
    teams = {team.slug: team for team in Team.objects.all()}
    levels = {severity.level: severity for severity in Severity.objects.all()}
    for given in CHECKLISTS:
        if given.slug in missing and {team for team, _, _ in given.steps} <= teams.keys():
            _make(given, teams, levels, by=by, at=at)


def _make(given: Given, teams: dict[str, Team], levels: dict[int, Severity], *, by: By, at: datetime) -> None:
    lines = [Line(text, teams[team], page) for team, text, page in given.steps]
    words = {"purpose": given.purpose, "frequency": given.frequency, "shuts_down": given.shuts_down}
    made = services.make(name=given.name, slug=given.slug, lines=lines, by=by, at=at, reason=REASON, **words)
    for level in given.severities:
        if level in levels:
            ChecklistRule.objects.create(checklist=made, severity=levels[level])
    for kind in given.types:
        ChecklistRule.objects.create(checklist=made, type=kind)
