"""The verbs of a change as its pages offer them: label, form, service, and when each one fits.

The services decide; `fits` only keeps buttons away that could not work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from changes import policy, services
from changes.enums import ChangeType, Status
from changes.forms.acting import (
    ActForm,
    AssessForm,
    CloseForm,
    EmergencyForm,
    GateForm,
    LinkForm,
    NoteForm,
    OverrideForm,
    ReasonForm,
    ReviewForm,
    UnlinkForm,
)
from changes.models import Change
from changes.services.freezing import AUTHORITY, HELD_UP
from portal.accounts.roles import has_role


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever looks at a change, and what its page knows already: is approval asked, does a freeze stop it."""

    user: Any
    asked: bool = False
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `label` is the button, `title` the heading of its page, `about` the sentence that says what it does."""

    slug: str
    label: str
    title: str
    icon: str
    about: str
    said: str
    form: type[ActForm]
    service: Callable[..., object]
    fits: Callable[[Change, Reader], bool]
    danger: bool = False


def _can(verb: str) -> Callable[[Change, Reader], bool]:
    return lambda change, _reader: policy.can(verb, change.status)


def _submits(change: Change, reader: Reader) -> bool:
    return policy.can("submit", change.status) and change.requester_id == reader.user.pk


def _assesses(change: Change, reader: Reader) -> bool:
    mine = change.type != ChangeType.STANDARD and reader.user.pk in (change.requester_id, change.implementer_id)
    return policy.can("assess", change.status) and not mine


def _asks(change: Change, reader: Reader) -> bool:
    waits = change.status == Status.ASSESSED and change.type != ChangeType.STANDARD
    undecided = change.approved_at is None and change.rejected_at is None
    owed = change.type == ChangeType.EMERGENCY and change.started_at is not None and undecided
    return (waits or owed) and not reader.asked


def _starts(change: Change, reader: Reader) -> bool:
    return policy.can("start", change.status) and change.implementer_id == reader.user.pk


def _starts_at_once(change: Change, _reader: Reader) -> bool:
    return change.type == ChangeType.EMERGENCY and policy.can("start as an emergency", change.status)


def _rolls_back(change: Change, _reader: Reader) -> bool:
    return policy.can("roll back", change.status) and change.rolled_back_at is None


def _overrides(change: Change, reader: Reader) -> bool:
    mine = reader.user.pk in (change.requester_id, change.implementer_id)
    return reader.frozen and change.status in HELD_UP and not mine and has_role(reader.user, AUTHORITY)


def _reviews(change: Change, _reader: Reader) -> bool:
    return change.status in (Status.VERIFYING, Status.CLOSED)


def _reports(change: Change, _reader: Reader) -> bool:
    return change.status in (Status.DRAFT, Status.SUBMITTED, Status.ASSESSED, Status.APPROVED, Status.SCHEDULED)


def _always(_change: Change, _reader: Reader) -> bool:
    return True


def _never(_change: Change, _reader: Reader) -> bool:
    return False


ACTS: dict[str, Act] = {
    act.slug: act
    for act in (
        Act(
            "submit", "Submit", "Submit the change", "send",
            "You hand it in as it stands. Somebody assesses its risk, and the risk chooses who decides.",
            "It is submitted. It waits to be assessed.",
            ActForm, services.submit, _submits,
        ),
        Act(
            "assess", "Assess risk", "Assess the risk", "gauge",
            "Impact times likelihood, and what the record of its systems adds. The sum chooses the stages.",
            "Its risk is assessed.",
            AssessForm, services.assess, _assesses,
        ),
        Act(
            "ask", "Ask for approval", "Ask for approval", "file-check",
            "Whoever decides is asked for the approval of exactly what it says now.",
            "Its approval is asked for.",
            ReasonForm, services.ask, _asks,
        ),
        Act(
            "schedule", "Schedule", "Put it into the schedule", "calendar-check",
            "It is approved. Its slot is taken, and everybody can see it, once nothing stops it.",
            "It is in the schedule.",
            ActForm, services.schedule, _can("schedule"),
        ),
        Act(
            "start", "Start", "Start the change", "play",
            "You begin to carry it out. From now on nothing of what was approved moves.",
            "It is in progress.",
            ActForm, services.start, _starts,
        ),
        Act(
            "emergency", "Start as an emergency", "Start as an emergency", "siren",
            "It starts now, on the word of one named person. Its approval and its review fall due afterwards.",
            "It is in progress. Its approval and its review fall due.",
            EmergencyForm, services.start_emergency, _starts_at_once,
        ),
        Act(
            "verify", "Verify", "The work is done", "eye",
            "The work is done, or the rollback. From now on it is looked at whether all is well.",
            "It is being verified.",
            ActForm, services.verify, _can("verify"),
        ),
        Act(
            "rollback", "Roll back", "Roll the change back", "undo-2",
            "The rollback plan begins now. How long it really takes is kept.",
            "It is being rolled back.",
            ReasonForm, services.roll_back, _rolls_back, danger=True,
        ),
        Act(
            "close", "Close", "Close the change", "lock",
            "Say how it ended. What is still open is named and keeps it from closing.",
            "It is closed. The record stays.",
            CloseForm, services.close, _can("close"),
        ),
        Act(
            "review", "Write review", "Write the post-implementation review", "clipboard-check",
            "What happened, why, and what follows from it. After a failure, a rollback and an emergency it is owed.",
            "The review is kept.",
            ReviewForm, services.write_review, _reviews,
        ),
        Act(
            "override", "Let through a freeze", "Let it through a freeze", "shield-alert",
            "The change authority lets this content through one freeze. Any later edit ends it.",
            "It may go through the freeze.",
            OverrideForm, services.override, _overrides,
        ),
        Act(
            "gate", "Report a gate", "Report a gate", "list-checks",
            "Say what was found of one prerequisite, and what shows it. The newest report counts.",
            "The gate is reported.",
            GateForm, services.report_gate, _reports,
        ),
        Act(
            "note", "Add note", "Add a note", "message-square-plus",
            "The timeline keeps when it happened and when it was written.",
            "The note is in the timeline.",
            NoteForm, services.add_note, _always,
        ),
        Act(
            "link", "Link an incident", "Link an incident", "link",
            "Say what this change has to do with an incident. Both pages show it.",
            "They are linked.",
            LinkForm, services.relate, _always,
        ),
        Act(
            "unlink", "Take a link back", "Take a link back", "unlink",
            "It turned out otherwise. Both timelines say that the link was taken back, and why.",
            "The link is taken back.",
            UnlinkForm, services.unrelate, _never,
        ),
        Act(
            "cancel", "Cancel change", "Cancel the change", "ban",
            "It is given up before anybody was at it. Its approval is withdrawn and its slot is free.",
            "It is cancelled.",
            ReasonForm, services.cancel, _can("cancel"), danger=True,
        ),
    )
}  # fmt: skip

# What is most likely due in each state, the first that fits; those behind it stand beside it.
DUE: dict[str, tuple[str, ...]] = {
    Status.DRAFT: ("emergency", "submit"),
    Status.REJECTED: ("submit",),
    Status.SUBMITTED: ("emergency", "assess"),
    Status.ASSESSED: ("ask",),
    Status.APPROVED: ("schedule",),
    Status.SCHEDULED: ("start", "gate"),
    Status.IN_PROGRESS: ("verify", "rollback", "ask"),
    Status.VERIFYING: ("ask", "close", "rollback"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb as one page offers it now."""

    act: Act
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Offers:
    """The one next thing, what stands beside it, and the rest."""

    primary: Offer | None
    beside: list[Offer]
    menu: list[Offer]


def offers(change: Change, reader: Reader) -> Offers:
    """Return what can be done now, the act most likely due as the primary one."""
    due = [slug for slug in DUE.get(change.status, ()) if ACTS[slug].fits(change, reader)]
    primary, beside = due[:1], due[1:]
    rest = [slug for slug, act in ACTS.items() if slug not in due and act.fits(change, reader)]
    made = [[_offer(change, slug) for slug in slugs] for slugs in (primary, beside, rest)]
    return Offers(made[0][0] if made[0] else None, made[1], made[2])


def _offer(change: Change, slug: str) -> Offer:
    act = ACTS[slug]
    label = "Assess again" if slug == "assess" and change.status == Status.ASSESSED else act.label
    if slug == "verify" and change.is_rolling_back:
        label = "Rollback done"
    return Offer(act, label, f"{change.get_absolute_url()}{slug}/")


def _assessors(change: Change) -> str:
    """Return who assesses it, in words: nobody with an interest in a low risk, where that chooses who decides."""
    if change.type == ChangeType.STANDARD:
        return "Somebody who works on changes assesses its risk."
    apart = dict.fromkeys(str(one) for one in (change.requester, change.implementer) if one is not None)
    return f"Somebody other than {' and '.join(apart)} assesses its risk."


def of_roles(change: Change) -> Collection[str]:
    """Return who acts next, in words, for whoever cannot."""
    return {
        Status.DRAFT: [f"{change.requester} submits it."],
        Status.REJECTED: [f"{change.requester} edits it and submits it again, or cancels it."],
        Status.SUBMITTED: [_assessors(change)],
        Status.SCHEDULED: [f"{change.implementer} starts it."] if change.implementer else [],
    }.get(Status(change.status), [])
