"""The verbs of restricted and of security incidents as their pages offer them."""

from __future__ import annotations

from incidents import services
from incidents.act import Act, Cards
from incidents.enums import ContainmentState, IncidentType
from incidents.forms import ReasonForm
from incidents.models import Incident
from incidents.security.forms import AccessForm, ClassifyForm, ContainForm, RevokeForm, StepForm


def _restricted(incident: Incident, _cards: Cards) -> bool:
    return incident.restricted


def _not_restricted(incident: Incident, _cards: Cards) -> bool:
    return not incident.restricted


def _granted(incident: Incident, _cards: Cards) -> bool:
    return incident.restricted and incident.grants.filter(revoked_at=None).exists()


def _of_security(incident: Incident, _cards: Cards) -> bool:
    return incident.is_open and incident.type == IncidentType.SECURITY


def _steps_wait(incident: Incident, _cards: Cards) -> bool:
    return incident.type == IncidentType.SECURITY and incident.containment.filter(state=ContainmentState.OPEN).exists()


ACTS: tuple[Act, ...] = (
    Act(
        "restrict", "Restrict", "Restrict the incident", "lock",
        "Only its commander, its responders, whoever was called or declared it, and the security leads read it from "
        "now on, and whoever is granted it by name. Who opens it stands in the trail.",
        "Only its members read it now.",
        ReasonForm, services.restrict, _not_restricted,
    ),
    Act(
        "unrestrict", "Lift the restriction", "Lift the restriction", "eye",
        "Everybody who reads incidents reads this one, with all that was written while it was restricted.",
        "Everybody who reads incidents reads it now.",
        ReasonForm, services.lift_restriction, _restricted, danger=True,
    ),
    Act(
        "classify", "Classify", "Classify the security incident", "scale",
        "Four questions by NIST SP 800-61. The answers propose a severity and steps of containment; you decide.",
        "It is classified. See which severity that proposes.",
        ClassifyForm, services.classify, _of_security,
    ),
    Act(
        "contain", "Settle a containment step", "Settle a step of containment", "shield-check",
        "Say what keeps it from spreading, and what was skipped and why. Nothing is shut down: evidence would be lost.",
        "The step is settled.",
        ContainForm, services.settle_step, _steps_wait,
    ),
    Act(
        "step", "Add a containment step", "Add a step of containment", "list-checks",
        "Something more that keeps it from spreading.",
        "The step is added.",
        StepForm, services.add_step, _of_security,
    ),
    Act(
        "grant", "Open to somebody", "Open it to somebody by name", "user-plus",
        "They read it as its members do, until the moment that you name or until somebody takes it back.",
        "They may read it now.",
        AccessForm, services.grant_access, _restricted,
    ),
    Act(
        "revoke", "Take back access", "Take back who may read it", "user-minus",
        "They are shown it no longer. That they could read it, and what they opened, stays in the trail.",
        "The access is taken back.",
        RevokeForm, services.revoke_access, _granted,
    ),
)  # fmt: skip
