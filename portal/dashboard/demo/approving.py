"""What was asked to be approved at Halyard Desk Ltd: on severity levels, objectives and policies, in every state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import models

from incidents.models import EscalationPolicy
from portal.accounts.models import User
from portal.approvals import services
from portal.approvals.enums import StageState
from portal.approvals.models import ApprovalRequest
from portal.audit.actor import acting
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.models import RecoveryObjective, Severity


@dataclass(frozen=True)
class Act:
    """What somebody did, so many hours after the request: approve, deny, withdraw, or edit the record."""

    after: float
    verb: str
    who: str
    words: str = ""


@dataclass(frozen=True)
class Asked:
    """One request: how many hours ago, who asked, for the approval of what, and why."""

    ago: float
    who: str
    record: str
    why: str
    acts: tuple[Act, ...] = ()
    implementer: str = ""


STORIES = (
    Asked(
        1010, "kwame", "severity:SEV-1", "Response times as agreed in the support contracts of this year.",
        (Act(5, "approve", "hannah"), Act(22, "approve", "leila", "The clocks of security incidents are the same.")),
    ),
    Asked(
        730, "kwame", "objective:billing-bridge", "New objectives after the move to the new invoicing service.",
        (
            Act(4, "approve", "hannah"),
            Act(26, "approve", "arjun", "Restored in 5 h 10 min in September."),
            Act(605, "edit", "hannah", "The invoicing service keeps its queue for eight hours now."),
        ),
    ),
    Asked(
        490, "kwame", "policy:On call, then operations", "A third step, so that operations is not the last resort.",
        (Act(3, "withdraw", "kwame", "The third step should name the head of operations, not the whole team."),),
    ),
    Asked(360, "kwame", "severity:SEV-4", "Low incidents may wait until the next business day, also for large customers."),
    Asked(
        290, "kwame", "objective:identity", "One hour, as for the other systems that everybody needs.",
        (
            Act(6, "approve", "hannah"),
            Act(29, "deny", "arjun", "An hour is not proven: the last restore took 95 min. Ask again after the exercise."),
        ),
    ),
    Asked(
        66, "kwame", "objective:ticket-database", "RPO of 5 min, now that the standby is in another hall.",
        (Act(20, "approve", "hannah", "Agreed with support and with the vendor."),), implementer="amara",
    ),
    Asked(
        29, "leila", "policy:Security", "A third step: after 15 min the security lead and operations are called together.",
        (Act(24, "approve", "hannah"),),
    ),
    Asked(5, "kwame", "objective:mail-intake", "The yearly review of recovery objectives: unchanged, and that has to be said."),
)  # fmt: skip


def play(play: Play) -> int:
    """Play every request in the order of time, with the engine sweeping in between; return how many there are.

    Only accounts ask and decide: without the demo's logins there are none.
    """
    if not play.people["kwame"].user_id:
        return 0
    events = sorted(
        (story.ago - after, number, step)
        for number, story in enumerate(STORIES)
        for step, after in enumerate([0.0, *(act.after for act in story.acts)])
    )
    made: dict[int, ApprovalRequest] = {}
    for ago, number, step in sorted(events, key=lambda event: -event[0]):
        at = play.now - timedelta(hours=ago)
        play.sweep_until(at)
        story = STORIES[number]
        if step == 0:
            made[number] = play.alone(_ask, play, story, ago)
        else:
            play.alone(_act, play, made[number], story.acts[step - 1], ago)
    play.sweep_until(play.now)
    play.deliver(until=play.now)
    return len(made)


def _record(story: Asked) -> models.Model:
    kind, _, name = story.record.partition(":")
    if kind == "severity":
        return Severity.objects.get(code=name)
    if kind == "objective":
        return RecoveryObjective.objects.get(system__slug=name)
    return EscalationPolicy.objects.get(name=name)


def _ask(play: Play, story: Asked, ago: float) -> ApprovalRequest:
    at, by = play.now - timedelta(hours=ago), play.people[story.who]
    implementer = User.objects.get(pk=play.people[story.implementer].user_id) if story.implementer else None
    with acting(by=by, at=at, origin=ORIGIN):
        return services.ask(_record(story), by=by, at=at, reason=story.why, implementer=implementer)


def _act(play: Play, request: ApprovalRequest, act: Act, ago: float) -> None:
    at, by = play.now - timedelta(hours=ago), play.people[act.who]
    with acting(by=by, at=at, origin=ORIGIN, reason=act.words):
        if act.verb == "edit":
            objective = RecoveryObjective.objects.get(pk=request.subject_id)
            objective.rpo_minutes = 8 * 60
            objective.save()
            services.notice(ApprovalRequest.objects.get(pk=request.pk), at=at)
        elif act.verb == "withdraw":
            services.withdraw(request, by=by, at=at, reason=act.words)
        else:
            stage = request.stages.get(state=StageState.OPEN)
            services.decide(
                request, stage=stage, verdict=act.verb, digest=request.digest, confirmed=True, by=by, at=at,
                reason=act.words,
            )  # fmt: skip
