"""Answering an incident: acknowledge, take command, call more people."""

from __future__ import annotations

from datetime import datetime

from incidents import clocks, escalation
from incidents.enums import Status
from incidents.models import Incident, Responder
from incidents.policy import Refused, check_open
from incidents.services import expiring
from incidents.services.common import contact_of, locked, move, say
from portal.audit.actor import By, actor_of
from portal.audit.stamping import stamp
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib import durations
from portal.notify import services as notify


def acknowledge(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Say that somebody is on it: escalation and its unsent messages stop, the response clock is settled."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        move(row, "acknowledge")
        stamp(row, "acknowledged", by=by, at=at)
        cancelled = escalation.stop(row, at=at)
        row.save()
        expiring.start(row, by=by, at=at)
        clock = clocks.meet(row, clock="response", at=at)
        words = f"{cancelled} unsent message{'' if cancelled == 1 else 's'} cancelled." if cancelled else ""
        detail = " ".join(filter(None, ["Escalation stopped.", words, result_of(clock, "response")]))
        say(row, "acknowledged", "acknowledged", by=by, at=at, reason=reason, detail=detail)
        _join(row, contact_of(by), by=by, at=at)
    return row


def result_of(clock: Deadline | None, name: str) -> str:
    """Say whether a settled clock was kept: with how much to spare, or missed by how much."""
    if clock is None or clock.met_at is None:
        return ""
    seconds = (clock.due_at - clock.met_at).total_seconds()
    if clock.state == DeadlineState.MET:
        return f"The {name} deadline was kept with {durations.words(seconds)} to spare."
    return f"The {name} deadline was missed by {durations.words(-seconds)}. It stays missed."


def answer_page(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Answer a page: acknowledges an incident that nobody has, else joins it as a responder.

    Refused is raised when the incident is over.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        if row.status == Status.DECLARED:
            return acknowledge(row, by=by, at=at)
        check_open(row.status, "answer")
        if not _join(row, contact_of(by), by=by, at=at):
            say(row, "responder", "answered the page", by=by, at=at)
    return row


def activate(
    incident: Incident, *, by: By, at: datetime, reason: str = "", commander: Contact | None = None
) -> Incident:
    """Record the emergency activation by naming a commander, whoever acts when nobody else is named."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "name a commander")
        chosen = commander or contact_of(by) or _entry_for(by, at=at)
        if not chosen.active:
            raise Refused(f"{chosen.name} has left. Name somebody who can lead now.")
        first = row.activated_at is None
        row.commander = chosen
        if first:
            stamp(row, "activated", by=by, at=at)
        row.save()
        clock = clocks.meet(row, clock="activation", at=at)
        own = actor_of(by).contact_id == chosen.pk or (chosen.user_id and actor_of(by).user_id == chosen.user_id)
        text = "took command" if own else f"named {chosen.name} as commander"
        say(
            row,
            "activated",
            text,
            by=by,
            at=at,
            reason=reason,
            detail=result_of(clock, "emergency activation") if first else "",
        )
        _join(row, chosen, by=by, at=at, quiet=True)
    return row


def _entry_for(by: By, *, at: datetime) -> Contact:
    """Return a new entry in the directory for a user who has none, so that a commander is always somebody to call."""
    actor = actor_of(by)
    if actor.user_id is None:
        raise Refused("Name a commander: somebody from the directory.")
    return directory.contact_for_user(actor.user_id, by=by, at=at)


def add_responder(incident: Incident, *, contact: Contact, by: By, at: datetime, reason: str = "") -> Incident:
    """Add somebody to those who work on it; nothing happens when they are there already."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "add a responder")
        if not contact.active:
            raise Refused(f"{contact.name} has left. Choose somebody else.")
        _join(row, contact, by=by, at=at)
    return row


def _join(incident: Incident, contact: Contact | None, *, by: By, at: datetime, quiet: bool = False) -> bool:
    if contact is None:
        return False
    _, added = Responder.objects.get_or_create(
        incident=incident, contact=contact, defaults={"added_at": at, "added_by": actor_of(by).name}
    )
    if added and not quiet:
        own = actor_of(by).contact_id == contact.pk or (contact.user_id and actor_of(by).user_id == contact.user_id)
        say(
            incident,
            "responder",
            "joined as a responder" if own else f"added {contact.name} as a responder",
            by=by,
            at=at,
        )
    return added


def escalate(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Take the next step of the escalation now, by hand."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "escalate it")
        escalation.escalate_now(row, by=by, at=at, reason=reason)
    return row


def page_person(incident: Incident, *, contact: Contact, by: By, at: datetime, reason: str = "") -> Incident:
    """Page one more person by hand. Refused is raised when that person has left or has no verified method."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        check_open(row.status, "page anybody")
        target = {"kind": "person", "id": contact.pk, "name": contact.name}
        systems = list(row.systems.all())
        book = escalation.Book([target], system_ids=[], at=at)
        fresh = book.contacts.get(contact.pk)
        if fresh is None or not fresh.active:
            raise Refused(f"{contact.name} has left. Page somebody else.")
        if not book.usable(fresh):
            raise Refused(f"{contact.name} has no verified contact method. Call by telephone, or page somebody else.")
        recipient = escalation.Recipient(fresh, None, f"asked for by {actor_of(by).name}")
        context = {
            "systems": ", ".join(system.name for system in systems),
            "reason": reason,
            "by_hand": actor_of(by).name,
        }
        key = f"i{row.pk}:g{row.generation}:call:{at.isoformat()}"
        notify.queue(escalation.page(row, [recipient], book, key=key, context=context), at=at, instead=True)
        waiting = " ".join(escalation.held(row, [recipient], at=at))
        say(row, "paged", f"paged {contact.name} by hand", by=by, at=at, reason=reason, detail=waiting)
    return row
