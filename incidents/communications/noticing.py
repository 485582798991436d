"""Telling followers what they are owed: each line of the timeline to whoever follows and may see the incident now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from incidents import messages
from incidents.models import Incident, Subscription
from portal.deadlines.models import Deadline
from portal.directory import services as directory
from portal.directory.models import Contact, ContactMethod
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.wording import render
from portal.records.models import Note

FOLLOWING_PATH = "/incidents/following/"


def tell_followers(batch: list[tuple[Deadline, Incident]], at: datetime) -> None:
    """Tell followers what a batch owes them, but nobody of what they did themselves or were sent already.

    Who may see an incident is asked at this moment: of one that is hidden from them, followers hear nothing.
    """
    incidents = {incident.pk: incident for _, incident in batch}
    notes = Note.objects.in_bulk([deadline.payload["note"] for deadline, _ in batch])
    people = followers_of(incidents)
    methods = directory.sending_methods({one.pk for found in people.values() for one in found})
    drafts: list[Draft] = []
    for deadline, incident in batch:
        note = notes.get(deadline.payload["note"])
        if note is None:
            continue
        told = {*note.data.get("told", ()), note.actor_contact_id}
        for person in people[incident.pk]:
            if person.pk not in told and person.user_id != note.actor_user_id:
                drafts += _drafts(incident, note, person, methods.get(person.pk, []))
    notify.queue(drafts, at=at)


def followers_of(incidents: dict[int, Incident]) -> dict[int, list[Contact]]:
    """Return who follows these incidents, or a system of theirs, and may see them: by incident.

    Only people with an account that is open. Three queries, and those of one check for each follower.
    """
    named: dict[int, set[int]] = defaultdict(set)
    for incident_id, system_id in Incident.systems.through.objects.filter(incident_id__in=incidents).values_list(
        "incident_id", "system_id"
    ):
        named[system_id].add(incident_id)
    rows = Subscription.objects.active().filter(Q(incident_id__in=incidents) | Q(system_id__in=named))
    wanted: dict[int, set[int]] = defaultdict(set)
    people: dict[int, Contact] = {}
    for row in rows.filter(person__active=True, person__user__is_active=True).select_related("person__user"):
        people[row.person_id] = row.person
        wanted[row.person_id] |= {row.incident_id} if row.incident_id else named[row.system_id]
    found: dict[int, list[Contact]] = {pk: [] for pk in incidents}
    for person_id, asked in sorted(wanted.items()):
        for pk in _seen_by(people[person_id], asked):
            found[pk].append(people[person_id])
    return found


def _seen_by(person: Contact, incident_ids: Iterable[int]) -> list[int]:
    """Return which of these incidents a follower may see."""
    seen = Incident.objects.visible_to(person.user).filter(pk__in=list(incident_ids))
    return list(seen.order_by("pk").values_list("pk", flat=True))


def _drafts(incident: Incident, note: Note, person: Contact, methods: list[ContactMethod]) -> list[Draft]:
    with timezone.override(zone_or_utc(person.time_zone)):
        context = messages.facts(incident, note=note, following_url=f"{settings.PORTAL_URL}{FOLLOWING_PATH}")
        title, body = render(messages.FOLLOWED, context)
    return drafts_for(
        person, methods, key=f"n{note.pk}:c{person.pk}", kind=messages.FOLLOWED, title=title, body=body,
        about=messages.about(incident), generation=incident.generation, url_path=context["url"],
        gathers=True,
    )  # fmt: skip
