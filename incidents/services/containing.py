"""Security incidents: how they are classified, the rule that everybody reads first, and the steps that contain them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, Q

from incidents.enums import (
    AttackVector,
    ContainmentState,
    FunctionalImpact,
    IncidentType,
    InformationImpact,
    Recoverability,
)
from incidents.models import ContainmentProposal, ContainmentStep, Incident, TypeRule
from incidents.policy import Refused, check_open
from incidents.security.policy import Proposal, propose
from incidents.services.common import locked, say
from portal.audit.actor import By, actor_of
from portal.lib.blank import is_blank
from portal.records import services as records

QUESTIONS: dict[str, Any] = {
    "functional_impact": FunctionalImpact,
    "information_impact": InformationImpact,
    "recoverability": Recoverability,
    "attack_vector": AttackVector,
}
RULE = "rule"
CONTAINMENT = "containment"
LONGEST_STEP = 300


def proposal_of(incident: Incident) -> Proposal | None:
    """Return the severity that the classification of an incident proposes, and why."""
    return propose(
        functional_impact=incident.functional_impact,
        information_impact=incident.information_impact,
        recoverability=incident.recoverability,
    )


def classify(incident: Incident, *, by: By, at: datetime, reason: str = "", **answers: str) -> Incident:
    """Answer the four questions of a classification. It proposes a severity and steps of containment; people decide.

    Refused is raised for an incident that does not concern security, for an answer that no question knows, and when
    nothing changes.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "classify it")
        if row.type != IncidentType.SECURITY:
            raise Refused("Only security incidents are classified. Change its type first.")
        before = {name: getattr(row, name) for name in QUESTIONS}
        for name, answer in answers.items():
            if answer and answer not in QUESTIONS[name].values:
                raise Refused("Choose one of the answers.")
            setattr(row, name, answer)
        if before == {name: getattr(row, name) for name in QUESTIONS}:
            raise Refused("It is classified so already. Change an answer.")
        row.save()
        say(row, "classified", "classified it", by=by, at=at, reason=reason, detail=_in_words(row))
        propose_steps(row, at=at)
    return row


def label_of(question: str) -> str:
    """Return how a question is called: "Attack vector"."""
    return question.replace("_", " ").capitalize()


def _in_words(row: Incident) -> str:
    named = [
        f"{label_of(name)}: {QUESTIONS[name](answer).label}" for name in QUESTIONS if (answer := getattr(row, name))
    ]
    proposal = proposal_of(row)
    found = ". ".join([*named, ""]).strip()
    return f"{found} That proposes severity level {proposal.level}. {proposal.why}" if proposal else found


def propose_steps(row: Incident, *, at: datetime) -> None:
    """Add the steps of containment that are proposed for the attack vector, as far as they are not there yet.

    The caller holds the incident's lock.
    """
    fitting = ContainmentProposal.objects.filter(Q(vector="") | Q(vector=row.attack_vector), active=True)
    present = set(row.containment.values_list("text", flat=True))
    added = [text for text in fitting.values_list("text", flat=True) if text not in present]
    for text in dict.fromkeys(added):
        _add(row, text)
    if added:
        count = f"{len(added)} step{'' if len(added) == 1 else 's'}"
        say(row, CONTAINMENT, f"proposed {count} of containment", by="system: security", at=at, detail=" ".join(added))


def _add(row: Incident, text: str) -> ContainmentStep:
    last = row.containment.aggregate(last=Max("position"))["last"] or 0
    return ContainmentStep.objects.create(incident=row, position=last + 1, text=text)


def add_step(incident: Incident, *, text: str, by: By, at: datetime, reason: str = "") -> ContainmentStep:
    """Add a step of containment. Refused is raised without words, and for one that is there."""
    text = " ".join(text.split())
    if is_blank(text) or len(text) > LONGEST_STEP:
        raise Refused(f"Say what is to be done, in at most {LONGEST_STEP} characters.")
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "add a step")
        if row.containment.filter(text=text).exists():
            raise Refused("That step is there already.")
        step = _add(row, text)
        say(row, CONTAINMENT, f"added a step of containment: {text}", by=by, at=at, reason=reason)
    return step


def settle_step(
    incident: Incident, *, step: ContainmentStep, state: str, by: By, at: datetime, reason: str = ""
) -> ContainmentStep:
    """Say that a step is done, or skipped with its reason. Refused is raised for one that is settled already."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        found = row.containment.filter(pk=step.pk).first()
        if found is None or found.state != ContainmentState.OPEN:
            raise Refused("Somebody has settled that step already.")
        if state not in (ContainmentState.DONE, ContainmentState.SKIPPED):
            raise Refused("Say whether it is done or skipped.")
        if state == ContainmentState.SKIPPED and is_blank(reason):
            raise Refused("Say why it is skipped. The reason is kept.")
        found.state, found.settled_at, found.settled_by = state, at, actor_of(by).name
        found.why = " ".join(reason.split())[:500]
        found.save()
        verb = "contained" if state == ContainmentState.DONE else "skipped a step of containment"
        say(row, CONTAINMENT, f"{verb}: {found.text}", by=by, at=at, reason=reason)
    return found


def rule_of(incident: Incident) -> str:
    """Return the rule that whoever acts on an incident of this type reads first; "" when there is none."""
    return TypeRule.objects.filter(type=incident.type).values_list("notice", flat=True).first() or ""


def has_read_rule(incident: Incident, user_id: int) -> bool:
    """Tell whether an account has acknowledged the rule of this incident."""
    return records.timeline(incident).filter(kind=RULE, actor_user_id=user_id).exists()


def acknowledge_rule(incident: Incident, *, by: By, at: datetime) -> None:
    """Keep that somebody has read the rule, word for word; once is enough."""
    with locked(incident, by=by, at=at) as row:
        user_id = actor_of(by).user_id
        if user_id is None or not has_read_rule(row, user_id):
            say(row, RULE, "read the rule and keeps to it", by=by, at=at, detail=rule_of(row))
