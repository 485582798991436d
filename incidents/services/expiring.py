"""Acknowledgements that expire: whoever said they are on it shows no sign of work, so somebody else is paged.

One deadline is pending for each acknowledged incident whose policy says so: first the one that warns, then the one that
expires. Work is looked for when they are due, not written down with every verb: any line of a person in the timeline
counts, and puts the next look off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, Q
from django.utils import timezone

from incidents import escalation, messages
from incidents.enums import Status
from incidents.models import Escalation, Incident
from incidents.policy import Snapshot
from incidents.services.common import contact_of, locked, move, say, systems_of
from portal.audit.actor import By
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib import durations
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.wording import render
from portal.records.models import Note

ACKNOWLEDGEMENT = "incident.acknowledgement"
SYSTEM = "system: escalation"
EXPIRING = "incident_expiring"
WARN, EXPIRE = "warn", "expire"
LONGEST_WARNING = timedelta(minutes=10)


def start(incident: Incident, *, by: By, at: datetime) -> None:
    """Let the acknowledgement of `by` run from `at`, where the policy of the incident's escalation says so.

    The caller holds the incident's lock.
    """
    newest = Escalation.objects.filter(incident=incident).first()
    minutes = Snapshot.of(newest.snapshot).acknowledgement_minutes if newest is not None else None
    if minutes:
        contact = contact_of(by)
        facts = {"minutes": minutes, "contact": contact.pk if contact is not None else None}
        _arm(incident, WARN, facts, since=at, number=1)


def stop(incident: Incident, *, at: datetime) -> None:
    """Let nothing expire any more; the caller holds the incident's lock."""
    deadlines.cancel(subject=incident, kind=ACKNOWLEDGEMENT, at=at)


def _arm(
    incident: Incident,
    phase: str,
    facts: Mapping[str, Any],
    *,
    since: datetime,
    number: int,
    not_before: datetime | None = None,
) -> datetime:
    """Write down when to look next, and return it."""
    span = timedelta(minutes=facts["minutes"])
    due_at = since + span - (_early(span) if phase == WARN else timedelta())
    due_at = max(due_at, not_before or due_at)
    row = Deadline(
        kind=ACKNOWLEDGEMENT,
        subject_type_id=ContentType.objects.get_for_model(Incident).pk,
        subject_id=incident.pk,
        key=f"{number}.{phase}",
        generation=incident.generation,
        started_at=since,
        due_at=due_at,
        payload={**facts, "phase": phase, "number": number},
    )
    deadlines.start_many([row])
    return due_at


def _early(span: timedelta) -> timedelta:
    """Return how long before the end somebody is warned."""
    return min(LONGEST_WARNING, span / 3)


def look(batch: list[tuple[Deadline, Incident]], at: datetime) -> None:
    """Warn whoever acknowledged, or take the acknowledgement back; called under the incidents' locks."""
    live = [(row, one) for row, one in batch if row.generation == one.generation and one.status == Status.ACKNOWLEDGED]
    worked = _last_work([incident.pk for _, incident in live])
    drafts: list[Draft] = []
    for row, incident in live:
        since = worked.get(incident.pk)
        facts = {name: row.payload[name] for name in ("minutes", "contact")}
        if since is not None and since > row.started_at:
            _arm(incident, WARN, facts, since=since, number=row.payload["number"] + 1)
        elif row.payload["phase"] == WARN:
            # A warning that comes late, after an outage, still leaves its time to answer.
            least = at + _early(timedelta(minutes=facts["minutes"]))
            number, since = row.payload["number"], row.started_at
            expires = _arm(incident, EXPIRE, facts, since=since, number=number, not_before=least)
            drafts += _warning(incident, row, expires)
        else:
            _expire(incident, row, at)
    notify.queue(drafts, at=at)


def _last_work(incident_ids: list[int]) -> dict[int, datetime]:
    """Return when a person last wrote a line in the timeline of each incident."""
    notes = Note.objects.filter(
        Q(actor_user_id__isnull=False) | Q(actor_contact_id__isnull=False),
        subject_type=ContentType.objects.get_for_model(Incident),
        subject_id__in=incident_ids,
    )
    return dict(notes.order_by().values_list("subject_id").annotate(last=Max("recorded_at")))


def _warning(incident: Incident, row: Deadline, expires: datetime) -> list[Draft]:
    """Tell whoever acknowledged, and the commander, that the incident escalates anew unless they show up."""
    ids = {row.payload["contact"], incident.commander_id} - {None}
    people = list(Contact.objects.filter(pk__in=ids, active=True))
    methods = directory.sending_methods([person.pk for person in people])
    drafts: list[Draft] = []
    for person in people:
        with timezone.override(zone_or_utc(person.time_zone)):
            span = durations.words(60 * row.payload["minutes"])
            context = messages.facts(incident, contact_name=person.name, expires=expires, span=span)
            title, body = render(EXPIRING, context)
        drafts += drafts_for(
            person, methods.get(person.pk, []), key=f"i{incident.pk}:g{incident.generation}:ack:{row.key}:c{person.pk}",
            kind=EXPIRING, title=title, body=body, about=messages.about(incident), generation=incident.generation,
            url_path=context["url"],
        )  # fmt: skip
    return drafts


def _expire(incident: Incident, row: Deadline, at: datetime) -> None:
    """Declare the incident once more: nobody is on it, so the escalation begins anew and pages repeat."""
    span = durations.words(60 * row.payload["minutes"])
    with locked(incident, by=SYSTEM, at=at) as fresh:
        who = fresh.acknowledged_by
        move(fresh, "take back the acknowledgement")
        stamp(fresh, "acknowledged", by=None, at=None)
        fresh.generation += 1
        fresh.save()
        say(
            fresh, "expired", "took back the acknowledgement: nobody shows a sign of work", by=SYSTEM, at=at,
            detail=f"{who} acknowledged, and no person wrote a line for {span}. The escalation begins anew.",
        )  # fmt: skip
        escalation.start(fresh, systems=systems_of(fresh), at=at, again=True)
