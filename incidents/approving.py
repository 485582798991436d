"""How an escalation policy is shown to those who approve it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse

from incidents.models import EscalationPolicy, EscalationTarget
from portal.approvals.editing import Edits
from portal.approvals.registry import Approvable, DefaultStage
from portal.approvals.shown import Fact, fact
from portal.approvals.subjects import named
from portal.lib import durations


def _rows() -> QuerySet[EscalationPolicy]:
    targets = ("contact", "team", "channel")
    return EscalationPolicy.objects.prefetch_related(
        "systems", "steps", *(f"steps__targets__{target}" for target in targets)
    )


def _facts(policy: EscalationPolicy) -> Iterator[Fact]:
    yield fact("Name", policy.name)
    yield fact("Used for systems", _several(named(system) for system in policy.systems.all()))
    yield fact("Used when no other fits", policy.is_default)
    yield fact("Used for security incidents", policy.for_security)
    yield fact("Active", policy.active)
    steps = sorted(policy.steps.all(), key=lambda step: step.position)
    for number, step in enumerate(steps, start=1):
        yield fact(f"Step {number} waits", seconds(step.delay_seconds))
        targets = sorted(step.targets.all(), key=lambda target: target.pk)
        yield fact(f"Step {number} pages", _several(_target(target) for target in targets))
    yield fact("Last wait", seconds(policy.final_wait_seconds))
    yield fact("Steps repeat", f"{policy.repeat} times after the first")


def seconds(count: int) -> str:
    """Return a wait exactly and as people say it: "300 s (5 min)"."""
    return f"{count} s ({durations.words(count)})" if count >= durations.MINUTE else f"{count} s"


def _several(names: Iterator[str | None]) -> str:
    return "\n".join(sorted(filter(None, names)))


def _target(target: EscalationTarget) -> str:
    who = named(target.contact or target.team or target.channel) or target.get_role_display()
    return f"{target.get_kind_display()}: {who}"


_EDITS = Edits("escalation-policy", EscalationPolicy._meta.label_lower, parts=True)
POLICY = Approvable(
    kind="escalation-policy",
    model=EscalationPolicy,
    label="escalation policy",
    facts=_facts,
    rows=_rows,
    url=lambda policy: reverse("admin:incidents_escalationpolicy_change", args=[policy.pk]),
    stages=(DefaultStage("Management", "Manager"),),
    authors=_EDITS.authors_of,
    not_for=_EDITS.not_for,
)
