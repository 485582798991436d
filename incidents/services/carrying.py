"""Whose acknowledgement of a duplicate holds for the survivor of a merge, and who is told what they have now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from incidents import clocks, escalation, messages
from incidents.enums import Status
from incidents.models import Incident, Responder
from incidents.policy import covers
from incidents.services import expiring
from incidents.services.common import contact_of, move, say
from incidents.services.responding import result_of
from portal.audit.actor import Actor, By, actor_of
from portal.audit.stamping import stamp
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import drafts_for
from portal.notify.wording import render
from portal.records import services as records

SAID = ("acknowledged", "reopened")  # lines of whoever takes care from then on
MERGED = "incident_merged"


@dataclass(frozen=True, slots=True)
class Holder:
    """A person who acknowledged an incident, and their entry in the directory, if there is one."""

    actor: Actor
    contact: Contact | None

    def is_actor(self, by: By) -> bool:
        """Tell whether this is who acts."""
        return (self.contact is not None and self.contact == contact_of(by)) or (
            self.actor.user_id is not None and self.actor.user_id == actor_of(by).user_id
        )


def holder_of(incident: Incident) -> Holder | None:
    """Return who has an incident: whoever acknowledged it, unless that is a source, or somebody who has left."""
    if incident.status not in (Status.ACKNOWLEDGED, Status.MITIGATED):
        return None
    line = records.timeline(incident).filter(kind__in=SAID).order_by("-id").first()
    if line is None:
        return None
    if "of" in line.data:
        return holder_of(Incident(pk=line.data["of"], status=Status.ACKNOWLEDGED))
    actor = Actor(line.actor_name, line.actor_user_id, line.actor_contact_id)
    contact = contact_of(actor)
    gone = contact is None and actor.user_id is None
    return None if gone or (contact is not None and not contact.active) else Holder(actor, contact)


def carry(duplicate: Incident, survivor: Incident, *, holder: Holder | None, by: By, at: datetime) -> str:
    """Let whoever has a duplicate have its survivor; return what the timeline is to say of it, in sentences.

    They follow as a responder in any case. The survivor counts as acknowledged by them, and its escalation stops,
    unless it is graver than what they saw: then people are paged on. Whoever merges has seen both. The caller holds
    both locks.
    """
    if holder is None or survivor.status != Status.DECLARED:
        return ""
    if holder.contact is not None:
        Responder.objects.get_or_create(
            incident=survivor, contact=holder.contact, defaults={"added_at": at, "added_by": actor_of(by).name}
        )
    name = holder.actor.name
    if not (covers(duplicate, survivor) or holder.is_actor(by)):
        return (
            f"{name} acknowledged {duplicate.reference}, which is less grave than this one, and is a responder here. "
            "Nobody has acknowledged this one, so its escalation goes on."
        )
    move(survivor, "acknowledge")
    stamp(survivor, "acknowledged", by=Actor(f"{name}, for {duplicate.reference}"), at=at)
    cancelled = escalation.stop(survivor, at=at)
    survivor.save()
    expiring.start(survivor, by=holder.actor, at=at)
    clock = clocks.meet(survivor, clock="response", at=at)
    words = f"{cancelled} unsent message{'' if cancelled == 1 else 's'} cancelled." if cancelled else ""
    say(
        survivor, "acknowledged", f"counted it as acknowledged by {name}, who has {duplicate.reference}", by=by, at=at,
        detail=" ".join(filter(None, ["Escalation stopped.", words, result_of(clock, "response")])),
        data={"of": duplicate.pk},
    )  # fmt: skip
    _tell(holder, duplicate, survivor, by=by, at=at, carried=True)
    return ""


def hand_to(duplicate: Incident, survivor: Incident, *, by: By, at: datetime) -> str:
    """Tell whoever has the survivor that people were paged for a duplicate, and are no more; return a sentence.

    Nothing happens, and nothing is returned, while nobody has the survivor: people are paged for that one.
    """
    holder = holder_of(survivor)
    if survivor.status == Status.DECLARED:
        return ""
    if holder is not None:
        _tell(holder, duplicate, survivor, by=by, at=at, carried=False)
    who = survivor.acknowledged_by
    return f"People were being paged for {duplicate.reference} and are no more: {who} has acknowledged this one."


def _tell(holder: Holder, duplicate: Incident, survivor: Incident, *, by: By, at: datetime, carried: bool) -> None:
    """Tell them, unless they merge the two themselves."""
    person = holder.contact
    if person is None or holder.is_actor(by):
        return
    with timezone.override(zone_or_utc(person.time_zone)):
        context = messages.facts(
            survivor, contact_name=person.name, duplicate=duplicate, merged_by=actor_of(by).name, carried=carried
        )
        title, body = render(MERGED, context)
    drafts = drafts_for(
        person, directory.sending_methods([person.pk]).get(person.pk, []),
        key=f"i{survivor.pk}:merged:{duplicate.pk}:c{person.pk}", kind=MERGED, title=title, body=body,
        about=messages.about(survivor), generation=survivor.generation, url_path=context["url"],
    )  # fmt: skip
    notify.queue(drafts, at=at)
