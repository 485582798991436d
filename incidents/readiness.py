"""The holes of escalation, and who would be paged at this moment: policies resolved to names by what pages for real."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.db.models import Prefetch
from django.urls import reverse

from incidents.enums import TargetKind
from incidents.escalation import Book, Recipient, fitting, freeze
from incidents.models import EscalationPolicy, EscalationStep
from incidents.policy import Snapshot
from portal.directory.models import System
from portal.directory.readiness import Hole
from portal.lib import durations

Tone = Literal["red", "amber"]
LAST_RESORT = "The administrators are paged instead."


@dataclass(frozen=True, slots=True)
class StepNow:
    """One step as it would go now: how long it waits, whom it reaches, and a sentence for each target that fails."""

    number: int
    wait: str
    recipients: list[Recipient]
    holes: list[str]

    @property
    def names(self) -> str:
        """Return the names that the step reaches now, with the reason why it is they."""
        return ", ".join(f"{one.name} ({one.why})" for one in self.recipients) or "nobody"


@dataclass(frozen=True, slots=True)
class PathNow:
    """The way of a page about one system. Without a policy, or without steps in it, the administrators are paged."""

    system: System
    policy: EscalationPolicy | None
    steps: list[StepNow] = field(default_factory=list)
    last_resort: list[Recipient] = field(default_factory=list)

    @property
    def policy_url(self) -> str:
        """Return where the policy is edited, or a new one is made."""
        return _edit(self.policy)


@dataclass(slots=True)
class _Known:
    """What is read of policies and directory: a number of queries that does not grow with either."""

    policies: list[EscalationPolicy]
    snapshots: dict[int, Snapshot]
    book: Book

    def chosen(self, system: System) -> EscalationPolicy | None:
        """Return the policy that pages about this system."""
        return fitting(self.policies, [system.pk], security=False)


def who_would_be_paged(systems: Iterable[System], *, at: datetime) -> dict[int, PathNow]:
    """Return for each system, by id, the steps of its policy with the names that they reach at that moment."""
    systems = list(systems)
    known = _read([system.pk for system in systems], at=at)
    return {system.pk: _path(system, known) for system in systems}


def _read(system_ids: Collection[int], *, at: datetime) -> _Known:
    steps = EscalationStep.objects.order_by("position").prefetch_related(
        "targets__contact", "targets__team", "targets__channel"
    )
    rows = EscalationPolicy.objects.filter(active=True).order_by("name")
    policies = list(rows.prefetch_related("systems", Prefetch("steps", queryset=steps)))
    snapshots = {policy.pk: freeze(policy, policy.steps.all()) for policy in policies}
    targets = [target for snapshot in snapshots.values() for step in snapshot.steps for target in _targets(step)]
    return _Known(policies, snapshots, Book(targets, system_ids=system_ids, at=at))


def _targets(step: Mapping[str, object]) -> list[Mapping[str, Any]]:
    found: Any = step["targets"]
    return list(found)


def _path(system: System, known: _Known) -> PathNow:
    policy = known.chosen(system)
    steps = []
    for number, step in enumerate(known.snapshots[policy.pk].steps if policy else (), start=1):
        reached = known.book.reach(_targets(step), system_ids=[system.pk])
        delay = int(str(step["delay"]))
        wait = f"after {durations.words(delay)}" if delay else "at once"
        steps.append(StepNow(number, wait, reached.recipients, reached.holes))
    return PathNow(system, policy, steps, known.book.administrators())


def holes(*, at: datetime) -> list[Hole]:
    """Return every gap in the escalation policies at that moment, the worst first."""
    systems = list(System.objects.filter(active=True).order_by("name"))
    known = _read([system.pk for system in systems], at=at)
    found = [
        *_missing_policies(known, systems),
        *(hole for policy in known.policies for hole in _policy_holes(policy, known)),
        *_unfilled_roles(known, systems),
    ]
    return sorted(found, key=lambda hole: hole.severity_tone != "red")


def _missing_policies(known: _Known, systems: list[System]) -> Iterable[Hole]:
    for system in systems:
        if known.chosen(system) is None:
            sentence = f"No escalation policy covers {system}, and none is the default. {LAST_RESORT}"
            yield Hole("system", system, "red", sentence, _edit(None))
    if not any(policy.for_security for policy in known.policies):
        sentence = "No escalation policy is for security incidents. They follow the policy of their system."
        yield Hole("portal", None, "amber", sentence, _edit(None))


def policy_holes(policy: EscalationPolicy, *, at: datetime) -> list[str]:
    """Return what is wrong with one policy at that moment, a sentence each; shown when it is saved."""
    systems = list(System.objects.filter(active=True).order_by("name"))
    known = _read([system.pk for system in systems], at=at)
    mine = next((one for one in known.policies if one.pk == policy.pk), None)
    if mine is None:
        return [f"“{policy}” is not in use."]
    return [hole.sentence for hole in (*_policy_holes(mine, known), *_unfilled_roles(known, systems, only=mine))]


def _policy_holes(policy: EscalationPolicy, known: _Known) -> Iterable[Hole]:
    """Yield the holes of one policy that are the same for every system."""
    steps = known.snapshots[policy.pk].steps
    if not steps:
        yield Hole("portal", None, "red", f"“{policy}” has no step. {LAST_RESORT}", _edit(policy))
    for number, step in enumerate(steps, start=1):
        targets = _targets(step)
        named = [target for target in targets if target["kind"] != TargetKind.ROLE]
        where = f"Step {number} of “{policy}”"
        if not targets:
            yield Hole("portal", None, "red", f"{where} pages nobody. {LAST_RESORT}", _edit(policy))
            continue
        reached = known.book.reach(named, system_ids=[])
        alone = len(reached.holes) == len(targets)
        tone: Tone = "red" if alone else "amber"
        for sentence in reached.holes:
            yield Hole("portal", None, tone, f"{where}: {sentence}", _edit(policy))


def _unfilled_roles(known: _Known, systems: list[System], only: EscalationPolicy | None = None) -> Iterable[Hole]:
    """Yield the emergency roles that a policy pages and that a system of that policy does not fill."""
    for system in systems:
        policy = known.chosen(system)
        if policy is None or (only is not None and policy.pk != only.pk):
            continue
        for number, step in enumerate(known.snapshots[policy.pk].steps, start=1):
            targets = _targets(step)
            missing = [one for one in targets if one["kind"] == TargetKind.ROLE and not _fills(known, system, one)]
            for target in missing:
                sentence = f"Step {number} of “{policy}” pages the {target['name']}, whom {system} does not name."
                tone: Tone = "red" if len(targets) == len(missing) else "amber"
                mend = reverse("admin:directory_system_change", args=[system.pk])
                yield Hole("system", system, tone, sentence, mend)


def _fills(known: _Known, system: System, target: Mapping[str, Any]) -> bool:
    return target["role"] in known.book.roles.get(system.pk, {})


def _edit(policy: EscalationPolicy | None) -> str:
    """Return where a policy is edited, or a new one is made."""
    if policy is None:
        return reverse("admin:incidents_escalationpolicy_add")
    return reverse("admin:incidents_escalationpolicy_change", args=[policy.pk])
