"""The verbs of plans and occurrences as their pages offer them: label, form, service, and when each one fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maintenance import policy, services
from maintenance.enums import Frequency, PlanState, State
from maintenance.forms.acting import ActForm, CompleteForm, ForceForm, NeedForm, ReasonForm, TokenForm
from maintenance.models import Occurrence, Plan


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `about` is the sentence that says what it does, `said` what is told once it is done."""

    slug: str
    label: str
    title: str
    icon: str
    about: str
    said: str
    form: type[ActForm]
    service: Callable[..., Any]
    fits: Callable[[Any, Any], bool]
    danger: bool = False


def _plan_can(verb: str) -> Callable[[Plan, Any], bool]:
    return lambda plan, _user: plan.state in policy.PLAN[verb]


def _as_needed(plan: Plan, _user: Any) -> bool:
    return plan.state == PlanState.IN_FORCE and plan.frequency == Frequency.AS_NEEDED


def _can_be_retired(plan: Plan, _user: Any) -> bool:
    return plan.state in policy.PLAN["retire"] and plan.upheld is None


def _in_force(plan: Plan, _user: Any) -> bool:
    return plan.state == PlanState.IN_FORCE


PLAN_ACTS: dict[str, Act] = {
    act.slug: act
    for act in (
        Act(
            "put-in-force", "Put in force", "Put the plan in force", "play",
            "From now on it comes round, and its people are reminded.",
            "It is in force.", ForceForm, services.put_in_force, _plan_can("put in force"),
        ),
        Act(
            "need", "It is needed", "Say that it is needed", "triangle-alert",
            "Its open date is due on the day you give. Its scheduled date stays as it was.",
            "It is due then.", NeedForm, services.need, _as_needed,
        ),
        Act(
            "evaluate", "Not needed now", "Say that it is not needed now", "eye",
            "You looked, and it is not needed. It is due anyway once its ceiling is reached.",
            "It is kept that you looked.", ReasonForm, services.evaluate, _as_needed,
        ),
        Act(
            "token", "Token for its job", "Hand out a token", "key-round",
            "The job that does this task says so itself, with a secret that is shown once. Silence is overdue.",
            "The token is made.", TokenForm, services.hand_out_token, _in_force,
        ),
        Act(
            "take-up", "Take up again", "Take the plan up again", "undo-2",
            "It becomes a draft again. Its history stays.",
            "It is a draft again.", ReasonForm, services.take_up_again, _plan_can("take up again"),
        ),
        Act(
            "retire", "Retire plan", "Retire the plan", "archive",
            "It comes round no more, and the date that stands is withdrawn. Its history stays.",
            "It is retired.", ReasonForm, services.retire, _can_be_retired, danger=True,
        ),
    )
}  # fmt: skip


def _is_open(occurrence: Occurrence, _user: Any) -> bool:
    return occurrence.state == State.OPEN


def _is_done_by_hand(occurrence: Occurrence, _user: Any) -> bool:
    plan = occurrence.plan
    return occurrence.state == State.OPEN and not plan.proves_recovery and plan.upheld is None


def _signs(occurrence: Occurrence, user: Any) -> bool:
    return occurrence.state == State.TO_SIGN and not services.did(occurrence, user)


ACTS: dict[str, Act] = {
    act.slug: act
    for act in (
        Act(
            "complete", "Complete", "The task is done", "circle-check",
            "It was done now, or on an earlier day for a reason: never before it could be done, never in the future.",
            "It is done.", CompleteForm, services.complete, _is_done_by_hand,
        ),
        Act(
            "sign", "Sign off", "Sign off that it was done", "file-check",
            "You are the second person. You looked at what was done and at what shows it.",
            "It is signed off.", ActForm, services.sign_off, _signs,
        ),
        Act(
            "back", "Send back", "Send it back", "undo-2",
            "It is not done as it should be. It is open again, with its date.",
            "It is open again.", ReasonForm, services.send_back, _signs,
        ),
        Act(
            "skip", "Skip", "Skip this date", "circle-minus",
            "This one date is left out. The next one follows.",
            "It is skipped.", ReasonForm, services.skip, _is_open,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb as one page offers it now."""

    act: Act
    url: str


def offers(acts: dict[str, Act], subject: Plan | Occurrence, user: Any) -> list[Offer]:
    """Return the verbs that fit now, the most likely one first."""
    base = subject.get_absolute_url()
    return [Offer(act, f"{base}{slug}/") for slug, act in acts.items() if act.fits(subject, user)]
