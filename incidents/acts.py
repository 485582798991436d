"""The verbs of an incident as its pages offer them: label, form, service, and when each one fits.

The services decide; `fits` only keeps buttons away that could not work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from incidents import policy, services
from incidents.act import Act, Cards
from incidents.checklists import WORKED
from incidents.communications.forms import SkipForm
from incidents.enums import Audience, IncidentType, Status
from incidents.forms import (
    ActForm,
    ClearForm,
    CommanderForm,
    NoteForm,
    PersonForm,
    ReasonForm,
    ReclassifyForm,
    ResponderForm,
    SuspectForm,
    SystemsForm,
    TypeForm,
    UpdateForm,
)
from incidents.merge_acts import ACTS as MERGE_ACTS
from incidents.models import Incident
from incidents.security.acts import ACTS as SECURITY_ACTS
from portal.directory.enums import Clock


def _can(verb: str) -> Callable[[Incident, Cards], bool]:
    return lambda incident, _cards: policy.can(verb, incident.status)


def _open(incident: Incident, _cards: Cards) -> bool:
    return incident.is_open


def _always(_incident: Incident, _cards: Cards) -> bool:
    return True


def _holds_shutdown(incident: Incident, _cards: Cards) -> bool:
    return incident.type == IncidentType.SECURITY and incident.status in WORKED


def _beside(_incident: Incident, _cards: Cards) -> bool:
    """Return False: it is offered beside what it is about, and never among the verbs of the incident."""
    return False


def _alerts_fire(incident: Incident, _cards: Cards) -> bool:
    return incident.status == Status.RESOLVED and incident.alerts.filter(firing=True).exists()


def _not_over(incident: Incident, _cards: Cards) -> bool:
    return incident.status not in (Status.CLOSED, Status.CANCELLED, Status.MERGED)


def _drill(incident: Incident, _cards: Cards) -> bool:
    return incident.is_drill


def _resolve_is(*states: str) -> Callable[[Incident, Cards], bool]:
    return lambda incident, cards: (
        incident.is_open and any(card.key.partition(".")[0] == Clock.RESOLVE and card.state in states for card in cards)
    )


def _message_is_due(_incident: Incident, cards: Cards) -> bool:
    return any(card.key.partition(".")[0] in Audience.values and card.state in ("track", "risk") for card in cards)


def _pause(incident: Incident, **words: Any) -> Incident:
    return services.pause_clock(incident, clock=Clock.RESOLVE, **words)


def _resume(incident: Incident, **words: Any) -> Incident:
    return services.resume_clock(incident, clock=Clock.RESOLVE, **words)


ACTS: dict[str, Act] = {
    act.slug: act
    for act in (
        Act(
            "acknowledge", "Acknowledge", "Acknowledge", "user-round-check",
            "You take care of it. The escalation stops and nobody else is paged; the other clocks run on.",
            "Acknowledged. Nobody else is paged now.",
            ActForm, services.acknowledge, _can("acknowledge"),
        ),
        Act(
            "activate", "Name a commander", "Name the incident commander", "flag",
            "One person decides and speaks for the incident. Naming one meets the activation clock.",
            "The commander is named.",
            CommanderForm, services.activate, _open,
        ),
        Act(
            "mitigate", "Record mitigation", "Record mitigation", "shield-check",
            "Nobody suffers any more, though the cause may still be there.",
            "Mitigation is recorded.",
            ActForm, services.mitigate, _can("mitigate"),
        ),
        Act(
            "resolve", "Resolve", "Resolve the incident", "circle-check",
            "The cause is removed and the systems work as before. Clocks stop; first messages that are owed stay owed.",
            "Resolved. Close it when everybody has been told.",
            ActForm, services.resolve, _can("resolve"),
        ),
        Act(
            "close", "Close", "Close the incident", "lock",
            "Everything is done and told. What is still open is named and keeps it from closing.",
            "Closed. The record stays; it can be reopened with a reason.",
            ActForm, services.close, _can("close"),
        ),
        Act(
            "alerts", "Mark alerts over", "Mark its alerts as over", "bell-off",
            "For alerts whose source never said that they ended. Until they are over, the incident cannot be closed.",
            "Its alerts are over.",
            ReasonForm, services.end_alerts, _alerts_fire,
        ),
        Act(
            "reopen", "Reopen", "Reopen the incident", "rotate-ccw",
            "It hurts again. You take care of it: it is acknowledged by you.",
            "Reopened, and acknowledged by you.",
            ReasonForm, services.reopen, _can("reopen"),
        ),
        Act(
            "cancel", "Cancel incident", "Cancel the incident", "ban",
            "It was declared by mistake or twice. Clocks that run stop, and count neither as met nor as missed.",
            "Cancelled. What was missed before stays missed.",
            ReasonForm, services.cancel, _can("cancel"), danger=True,
        ),
        Act(
            "real", "This is real", "This is no drill any more", "siren",
            "A real incident is declared from this drill: its people are paged anew, and its clocks start now. The "
            "drill is cancelled if it is still open, and stays a drill. The two are linked.",
            "It is real. Work on it here.",
            ReasonForm, services.turn_real, _drill, danger=True,
        ),
        Act(
            "escalate", "Escalate now", "Escalate now", "arrow-up",
            "The next step of the escalation policy is paged at once, without waiting for its time.",
            "The next step is paged.",
            ActForm, services.escalate, _open,
        ),
        Act(
            "page", "Page someone", "Page one more person", "user-plus",
            "They get an urgent message by their first contact method, repeated until they answer.",
            "The page is on its way.",
            PersonForm, services.page_person, _open,
        ),
        Act(
            "update", "Post update", "Post update", "megaphone",
            "Record what you tell one audience. Only a recorded message meets a communication clock.",
            "The update is recorded.",
            UpdateForm, services.record_update, _not_over,
        ),
        Act(
            "reclassify", "Change severity", "Change severity", "gauge",
            "Every clock that still runs is computed anew from its original start. What was missed stays missed.",
            "The severity is changed and the running clocks are computed anew.",
            ReclassifyForm, services.reclassify, _open,
        ),
        Act(
            "systems", "Change systems", "Change the affected systems", "server",
            "Clocks that follow a system's objective or calendar are computed anew. A running escalation stays.",
            "The affected systems are changed.",
            SystemsForm, services.set_systems, _open,
        ),
        Act(
            "type", "Change type", "Change the type", "shield",
            "Calling it a security incident pages the security lead at once.",
            "The type is changed.",
            TypeForm, services.set_type, _open,
        ),
        Act(
            "pause", "Pause the resolve clock", "Pause the resolve clock", "pause",
            "For times when nobody here can do anything, such as waiting for a vendor. The other clocks run on.",
            "The resolve clock stands still.",
            ReasonForm, _pause, _resolve_is("track", "risk"),
        ),
        Act(
            "resume", "Resume the resolve clock", "Resume the resolve clock", "play",
            "The resolve clock runs on with the time that it had left.",
            "The resolve clock runs again.",
            ReasonForm, _resume, _resolve_is("paused"),
        ),
        Act(
            "skip", "Skip a message", "Skip a message that is due", "circle-minus",
            "For an audience that need not hear this time. The reason stands beside the clock and in the report.",
            "The message is skipped. Its clock counts neither as met nor as missed.",
            SkipForm, services.skip_clock, _message_is_due,
        ),
        Act(
            "release", "Release shutdown", "Release the shutdown procedures", "power",
            "To shut a system down destroys evidence. Only a security lead says that it may be done now, and why.",
            "The shutdown procedures are released.",
            ReasonForm, services.release_shutdown, _holds_shutdown, danger=True,
        ),
        Act(
            "hold", "Hold shutdown back", "Hold the shutdown procedures back", "shield",
            "Nobody is shown how to shut its systems down until a security lead releases that again.",
            "The shutdown procedures are held back.",
            ReasonForm, services.hold_shutdown, _holds_shutdown,
        ),
        Act(
            "note", "Add note", "Add a note", "message-square-plus",
            "The timeline keeps when it happened and when it was written. A new note corrects an old one.",
            "The note is in the timeline.",
            NoteForm, services.add_note, _always,
        ),
        Act(
            "suspect", "Mark a suspect change", "Mark a suspect change", "git-pull-request-arrow",
            "It may have caused the incident. Both pages show it, until somebody clears it.",
            "It is marked as suspect.",
            SuspectForm, services.suspect, _always,
        ),
        Act(
            "unsuspect", "Clear of suspicion", "Clear a change of suspicion", "unlink",
            "It did not cause the incident. Both timelines say so, and why.",
            "It is suspected no longer.",
            ClearForm, services.clear_suspicion, _beside,
        ),
        Act(
            "responder", "Add responder", "Add a responder", "users",
            "They are shown as working on it. Nobody is paged by this.",
            "The responder is added.",
            ResponderForm, services.add_responder, _open,
        ),
        *SECURITY_ACTS,
        *MERGE_ACTS,
    )
}  # fmt: skip

MENU = (
    "page",
    "escalate",
    "update",
    "skip",
    "note",
    "suspect",
    "activate",
    "responder",
    "mitigate",
    "resolve",
    "reclassify",
    "systems",
    "type",
    "pause",
    "resume",
    "alerts",
    "merge",
    "split",
    "relate",
    "classify",
    "contain",
    "step",
    "restrict",
    "grant",
    "revoke",
    "unrestrict",
    "close",
    "reopen",
    "cancel",
    "real",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb as one page offers it now."""

    act: Act
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Offers:
    """The one next thing, at most two beside it, and the rest."""

    primary: Offer | None
    beside: list[Offer]
    menu: list[Offer]


def offers(incident: Incident, cards: Cards) -> Offers:
    """Return what can be done now, the act most likely due as the primary one."""
    fitting = [slug for slug in MENU if ACTS[slug].fits(incident, cards)]
    if ACTS["acknowledge"].fits(incident, cards):
        fitting.insert(0, "acknowledge")
    primary = _most_due(incident, cards)
    near = [slug for slug in _near(incident) if slug in fitting and (primary is None or slug != primary.act.slug)][:2]
    taken = {*near, primary.act.slug if primary else ""}
    rest = [slug for slug in fitting if slug not in taken]
    return Offers(primary, [_offer(incident, slug) for slug in near], [_offer(incident, slug) for slug in rest])


def _near(incident: Incident) -> tuple[str, ...]:
    return {
        Status.DECLARED: ("page", "update"),
        Status.ACKNOWLEDGED: ("page", "mitigate", "update"),
        Status.MITIGATED: ("update", "resolve"),
        Status.RESOLVED: ("reopen", "update"),
    }.get(Status(incident.status), ("reopen",))


def _most_due(incident: Incident, cards: Cards) -> Offer | None:
    status = Status(incident.status)
    if status == Status.DECLARED:
        return _offer(incident, "acknowledge")
    if status == Status.RESOLVED:
        return _offer(incident, "close")
    if not incident.is_open:
        return None
    if _unmet(cards, Clock.ACTIVATION):
        return _offer(incident, "activate")
    audience = _audience_due(cards)
    if audience:
        address = reverse("incidents:tell", args=[incident.reference, audience])
        return Offer(ACTS["update"], f"Tell {audience}", address)
    return _offer(incident, "mitigate" if status == Status.ACKNOWLEDGED else "resolve")


def _unmet(cards: Cards, clock: str) -> bool:
    """Tell whether a clock still waits, in time or late."""
    return any(
        card.key.partition(".")[0] == clock
        and (card.state in ("track", "risk") or (card.state == "missed" and card.owed))
        for card in cards
    )


def _audience_due(cards: Cards) -> str:
    """Return the audience whose message is late, else the one whose clock is at risk."""
    told = [(card.key.partition(".")[0], card) for card in cards]
    late = [audience for audience, card in told if card.state == "missed" and card.owed]
    at_risk = [audience for audience, card in told if card.state == "risk"]
    return next((audience for audience in (*late, *at_risk) if audience in Audience.values), "")


def _offer(incident: Incident, slug: str) -> Offer:
    act = ACTS[slug]
    words = "Hand over command" if slug == "activate" and incident.commander_id else act.label
    return Offer(act, words, f"{incident.get_absolute_url()}{slug}/")
