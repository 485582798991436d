"""Requests for approval, made through the services as everybody else makes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from portal.accounts.models import User
from portal.approvals import services
from portal.approvals.models import ApprovalRequest, ApprovalRule, RuleStage, Stage
from portal.directory.models import RecoveryObjective
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system

REASON = "The yearly review"
HOUR = timedelta(hours=1)
_numbers = count(1)


def make_person(name: str, *roles: str, **fields: Any) -> User:
    """An account with these roles, and its reachable entry in the directory."""
    first, _, last = name.partition(" ")
    user = make_user(f"{first.lower()}{next(_numbers)}", roles=roles, first_name=first, last_name=last, **fields)
    make_contact(name, user=user)
    return user


def make_objective(*, rto: int = 60, rpo: int = 15) -> RecoveryObjective:
    """A recovery objective of a new system."""
    return RecoveryObjective.objects.get(system=make_system(rto=rto, rpo=rpo))


def set_stages(kind: str, *stages: tuple[str, str, int], hours: int = 72) -> ApprovalRule:
    """Give a kind of record these stages: name, name of the role, how many must approve."""
    rule = ApprovalRule.objects.get(kind=kind)
    rule.decide_within_hours = hours
    rule.save()
    for stage in rule.stages.all():
        stage.delete()
    for position, (name, role, needed) in enumerate(stages, start=1):
        RuleStage.objects.create(rule=rule, position=position, name=name, role=role, needed=needed)
    return rule


def make_request(
    *,
    by: User | None = None,
    subject: Any = None,
    at: datetime = NOON,
    reason: str = REASON,
    implementer: User | None = None,
) -> ApprovalRequest:
    """A request for the approval of a recovery objective, with somebody in each role of its stages."""
    asked_by = by or make_person("Kwame Mensah", "administrator")
    return services.ask(subject or make_objective(), by=asked_by, at=at, reason=reason, implementer=implementer)


def open_stage(request: ApprovalRequest) -> Stage:
    """The stage that decides now."""
    return Stage.objects.get(request=request, state="open")


def decide(
    request: ApprovalRequest, by: User, verdict: str = "approve", *, at: datetime = NOON + HOUR, **fields: Any
) -> ApprovalRequest:
    """Decide at the open stage on what the request shows, freshly confirmed, unless told otherwise."""
    given = {"stage": fields.pop("stage", None) or open_stage(request), "digest": request.digest, "confirmed": True}
    return services.decide(request, by=by, at=at, verdict=verdict, **{**given, **fields})
