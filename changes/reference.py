"""Rows that every installation starts with: checks, gates, modules, the sums of risk, and the security patch.

Loading is idempotent: what is missing while nothing of its kind stands is made, and what somebody edited is left alone.
"""

from __future__ import annotations

from changes.enums import GateSource, Level, StepKind
from changes.models import ChangeTemplate, Gate, Module, ReleaseCheck, RiskBand, RiskRule, TemplateStep

REASON = "Reference data of this version"
PATCH_TOPIC = "maintenance.security-patch"
MODULES = 40

CHECKS = (
    ("validated", "Module validated", False),
    ("migrations", "Database migrations", False),
    ("seed-data", "Seed data compatibility", False),
    ("templates", "Notification templates", False),
    ("access-review", "Access review", True),
)
GATES = (
    ("code-review", "Code review complete", GateSource.ANYBODY),
    ("tests", "Tests passing", GateSource.ANYBODY),
    ("security-scan", "Security scan clean", GateSource.ANYBODY),
    ("approval", "Approval obtained", GateSource.PORTAL),
)
BANDS = ((Level.LOW, 0), (Level.MEDIUM, 6), (Level.HIGH, 10))
RULES = (
    ("failed-changes", "A change of these systems failed or was rolled back within 12 months", 2),
    ("open-incidents", "An incident is open on these systems", 3),
    ("short-rto", "The systems must be back within an hour", 2),
)
PATCH = (
    (StepKind.IMPLEMENTATION, "Assess the patch: what it mends, what it touches, how urgent it is", 30),
    (StepKind.IMPLEMENTATION, "Test it in staging, with the checks of every module it touches", 60),
    (StepKind.IMPLEMENTATION, "Coordinate: tell the owners of the systems and name the time", 15),
    (StepKind.IMPLEMENTATION, "Deploy it to production", 30),
    (StepKind.VALIDATION, "Verify that the patched version runs and that health checks pass", 15),
    (StepKind.ROLLBACK, "Put back the version that ran before", 15),
    (StepKind.ROLLBACK, "Verify that health checks pass", 10),
)


def load() -> None:
    """Make what is missing of each kind while none of its kind stands."""
    _load_release()
    if not RiskBand.objects.exists():
        for level, threshold in BANDS:
            RiskBand.objects.create(level=level, from_points=threshold)
    if not RiskRule.objects.exists():
        for slug, name, points in RULES:
            RiskRule.objects.create(slug=slug, name=name, points=points)
    if not ChangeTemplate.objects.exists():
        _load_patch()


def _load_release() -> None:
    if not ReleaseCheck.objects.exists():
        for position, (slug, name, opens) in enumerate(CHECKS, start=1):
            ReleaseCheck.objects.create(slug=slug, name=name, position=position, opens_review=opens)
    if not Gate.objects.exists():
        for position, (slug, name, source) in enumerate(GATES, start=1):
            Gate.objects.create(slug=slug, name=name, position=position, source=source)
    if not Module.objects.exists():
        for number in range(1, MODULES + 1):
            Module.objects.create(slug=f"module_{number}", name=f"Module {number}", position=number)


def _load_patch() -> None:
    template = ChangeTemplate.objects.create(
        slug="security-patch",
        name="Security patch",
        title="Apply a security patch",
        justification="A fix of the maker closes a weakness. What is patched late is attacked first.",
        test_plan="The checks of every module it touches pass in staging before it is deployed.",
        rollback_minutes=25,
        point_of_no_return="None: the version before is kept until the change is closed.",
        answers_topic=PATCH_TOPIC,
    )
    positions: dict[StepKind, int] = {}
    for kind, text, minutes in PATCH:
        positions[kind] = positions.get(kind, 0) + 1
        TemplateStep.objects.create(template=template, kind=kind, position=positions[kind], text=text, minutes=minutes)
