"""Incident rows for tests. Incidents are made through the services, as everybody else makes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any

from incidents import services
from incidents.enums import IntakeKind, TargetKind
from incidents.models import (
    EscalationPolicy,
    EscalationStep,
    EscalationTarget,
    Incident,
    IntakeMapping,
    IntakeToken,
)
from portal.audit.actor import By
from portal.directory.models import Channel, Contact, Severity, System, Team
from portal.lib.digests import digest
from tests.factories.directory import NOON, make_severity

_numbers = count(1)

Target = Contact | Team | Channel | str
Step = Target | Iterable[Target] | tuple[int, Target | Iterable[Target]]


def make_incident(
    *,
    title: str = "",
    severity: int | Severity = 2,
    systems: Iterable[System] = (),
    by: By = "system: tests",
    at: datetime = NOON,
    **fields: Any,
) -> Incident:
    """An incident declared at NOON; `severity` is a level or a row, further fields go to `services.declare`."""
    return services.declare(
        title=title or f"Something hurts {next(_numbers)}",
        severity=make_severity(severity) if isinstance(severity, int) else severity,
        systems=list(systems),
        by=by,
        at=at,
        **fields,
    )


def make_policy(
    name: str = "",
    *,
    steps: Iterable[Step] = (),
    systems: Iterable[System] = (),
    default: bool = False,
    security: bool = False,
    delay: int = 300,
    **fields: Any,
) -> EscalationPolicy:
    """A policy with its steps.

    Each step is a target or a list of targets: a contact, a team, a channel, or the value of an emergency role. A
    tuple ``(seconds, targets)`` says the delay; otherwise the first step pages at once, and each later one `delay`
    seconds after the step before.
    """
    if default:
        _displace_the_default()
    policy = EscalationPolicy.objects.create(
        name=name or f"Policy {next(_numbers)}", is_default=default, for_security=security, **fields
    )
    policy.systems.set(list(systems))
    for position, step in enumerate(steps, start=1):
        seconds, targets = _delay_and_targets(step, 0 if position == 1 else delay)
        make_step(policy, targets, delay=seconds, position=position)
    return policy


def make_step(
    policy: EscalationPolicy, targets: Iterable[Target] = (), *, delay: int = 0, position: int | None = None
) -> EscalationStep:
    """One step of the policy, after those that it has."""
    step = EscalationStep.objects.create(
        policy=policy, position=position or policy.steps.count() + 1, delay_seconds=delay
    )
    for target in targets:
        EscalationTarget.objects.create(step=step, **_target_fields(target))
    return step


def make_token(
    name: str = "", *, kind: str = IntakeKind.ALERTMANAGER, secret: str = "", at: datetime = NOON, **fields: Any
) -> tuple[IntakeToken, str]:
    """An intake address: the token and its secret."""
    number = next(_numbers)
    secret = secret or f"secret-of-token-{number}"
    fields.setdefault("created_by", "system: tests")
    token = IntakeToken.objects.create(
        name=name or f"Source {number}", kind=kind, digest=digest(secret), created_at=at, **fields
    )
    return token, secret


def make_mapping(label: str, value: str, **fields: Any) -> IntakeMapping:
    """A mapping of a label's value; `severity` may be a level."""
    if isinstance(fields.get("severity"), int):
        fields["severity"] = make_severity(fields["severity"])
    return IntakeMapping.objects.create(label=label, value=value, **fields)


def _displace_the_default() -> None:
    for policy in EscalationPolicy.objects.filter(is_default=True):
        policy.is_default = False
        policy.save()


def _delay_and_targets(step: Step, delay: int) -> tuple[int, list[Target]]:
    if isinstance(step, tuple) and len(step) == 2 and isinstance(step[0], int):
        delay, step = step
    if isinstance(step, Contact | Team | Channel | str):
        return delay, [step]
    return delay, list(step)  # type: ignore[arg-type]


def _target_fields(target: Target) -> dict[str, Any]:
    if isinstance(target, Contact):
        return {"kind": TargetKind.PERSON, "contact": target}
    if isinstance(target, Team):
        return {"kind": TargetKind.TEAM, "team": target}
    if isinstance(target, Channel):
        return {"kind": TargetKind.CHANNEL, "channel": target}
    return {"kind": TargetKind.ROLE, "role": str(target)}
