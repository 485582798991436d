"""One incident out of two, and two out of one: merging duplicates, splitting off, and linking what is related.

Lines of a timeline are never copied or rewritten: the survivor's timeline reads those of what was merged into it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from incidents import clocks, escalation, recovering
from incidents.models import Alert, Incident, Responder
from incidents.policy import Refused, check_merge, next_status
from incidents.services import carrying
from incidents.services.affecting import add_systems
from incidents.services.common import PERIOD, locked, move, say, systems_of
from incidents.services.declaring import declare
from incidents.services.ending import settle_clocks
from portal.audit.actor import By, acting, actor_of
from portal.audit.stamping import stamp
from portal.directory.enums import Clock
from portal.directory.models import Severity
from portal.lib import times
from portal.lib.blank import is_blank
from portal.records import services as records
from portal.records.models import Note
from portal.runbooks.checklists import services as checklists

RELATED, SPLIT = "related", "split"
MOST_QUOTED = 4000


def survivor_of(incident: Incident) -> Incident:
    """Return the incident that one was merged into by now, else itself. It is the last one: no chain is left."""
    fresh: Incident = Incident.objects.select_related("merged_into").get(pk=incident.pk)
    return fresh.merged_into if fresh.merged_into is not None else fresh


def merge(incident: Incident, *, into: Incident, by: By, at: datetime, reason: str = "") -> Incident:
    """Merge an open duplicate into another open incident, which takes over its alerts, responders and systems.

    Its clocks stop and count neither as met nor as missed, its escalation and unsent messages stop, and everything
    points to the survivor. Where people were being paged for it, they are for the survivor, whatever maintenance holds
    back of that. Whoever acknowledged it has the survivor too, unless that is graver: see carrying. Refused is raised
    for itself, for what is over, and for a restricted one that would be shown to more people.
    """
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        _take_turns()
        row, survivor = _lock_both(incident, survivor_of(into))
        check_merge(row, survivor)
        if is_blank(reason):
            raise Refused("Say how you know that they are the same. The reason is kept.")
        holder = carrying.holder_of(row)
        move(row, "merge")
        row.merged_into = survivor
        stamp(row, "merged", by=by, at=at)
        paging = escalation.is_paging(row)
        escalation.stop(row, at=at, over=True)
        recovering.stop(row, at=at)
        row.save()
        clocks.end_pause(row, clock=Clock.RESOLVE, at=at)
        settle_clocks(row, at=at, all_=True)
        records.close_periods(row, kind=PERIOD, ends=at)
        for earlier in Incident.objects.filter(merged_into=row).order_by("pk"):
            earlier.merged_into = survivor
            earlier.save()
        _hand_over(row, survivor, by=by, at=at)
        if paging:
            escalation.page_anyway(survivor, why=f"people were paged for {row.reference}, which is the same", at=at)
        checklists.end_all(row, by=by, at=at, reason="It is merged into another incident.")
        checklists.start_matching(survivor, at=at)
        say(row, "merged", f"merged it into {survivor.reference}", by=by, at=at, reason=reason)
        told = ["Its alerts, responders and systems are taken over; its lines stand in this timeline."]
        if row.severity.level < survivor.severity.level:
            told.append(f"It was {row.severity.code}: raise the severity of this one if it is as bad.")
        told.append(carrying.carry(row, survivor, holder=holder, by=by, at=at))
        told.append(carrying.hand_to(row, survivor, by=by, at=at) if paging else "")
        say(survivor, "merged", f"merged {row.reference} into it", by=by, at=at, reason=reason,
            detail=" ".join(filter(None, told)))  # fmt: skip
    return survivor


def hold(incident: Incident, *others: Incident) -> None:
    """Lock an incident, and those that an act on it names, so that of two submits the second waits for the first.

    All of them in the order of their ids, as merging does. It is called within a transaction.
    """
    if others:
        _take_turns()
    keys = [incident.pk, *(one.pk for one in others)]
    list(Incident.objects.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",)).values_list("pk"))


def _take_turns() -> None:
    """Let one merge wait for another before it holds anything.

    An alert that waited for a duplicate still holds it while it asks for the survivor. A second merge of the same two
    must not hold the survivor then and wait for the duplicate: that is a deadlock (tests/faults/test_merge_race.py).
    """
    ContentType.objects.select_for_update(no_key=True).get(pk=ContentType.objects.get_for_model(Incident).pk)


def _lock_both(incident: Incident, survivor: Incident) -> tuple[Incident, Incident]:
    """Lock two incidents in the order of their ids, as the sweep does, and read them again.

    What was merged meanwhile is refused before anything is locked.
    """
    if incident.pk == survivor.pk:
        raise Refused("That is the same incident. Name the other one.")
    next_status("merge", Incident.objects.values_list("status", flat=True).get(pk=incident.pk))
    rows = Incident.objects.filter(pk__in=[incident.pk, survivor.pk])
    found = {row.pk: row for row in rows.order_by("pk").select_for_update(of=("self",))}
    return found[incident.pk], found[survivor.pk]


def _hand_over(row: Incident, survivor: Incident, *, by: By, at: datetime) -> None:
    present = set(survivor.responders.values_list("contact_id", flat=True))
    following = [responder.contact for responder in row.responders.select_related("contact")]
    following += [row.commander] if row.commander is not None else []
    for contact in {one.pk: one for one in following}.values():
        if contact.pk not in present:
            Responder.objects.create(incident=survivor, contact=contact, added_at=at, added_by=actor_of(by).name)
    move_alerts(row.alerts.all(), survivor)
    add_systems(survivor, systems_of(row), at=at)


def move_alerts(alerts: Iterable[Alert], to: Incident) -> None:
    """Let alerts belong to another incident. Of two under one key the counts are added; the caller holds the locks."""
    for alert in alerts:
        same = Alert.objects.filter(token=alert.token_id, key=alert.key, incident=to).first()
        if same is None:
            alert.incident = to
            alert.save(update_fields=["incident"])
            continue
        same.firing, same.count = same.firing or alert.firing, same.count + alert.count
        same.last_at = max(same.last_at, alert.last_at)
        same.save(update_fields=["firing", "count", "last_at"])
        Alert.objects.filter(pk=alert.pk).update(firing=False)


def split_off(
    incident: Incident,
    *,
    title: str,
    severity: Severity,
    by: By,
    at: datetime,
    notes: Collection[Note] = (),
    alerts: Collection[Alert] = (),
    reason: str = "",
) -> Incident:
    """Start a new incident out of chosen lines and alerts of one that is open, linked to it.

    The lines are quoted and stay where they stand; what the sources say of the alerts reaches the new incident from
    now on. It is of the same type, and restricted when the old one is.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        if not row.is_open:
            raise Refused("It is over. Declare a new incident instead.")
        if not notes and not alerts:
            raise Refused("Choose at least one line or one alert that belongs elsewhere.")
        if any(note.subject_id != row.pk for note in notes) or any(alert.incident_id != row.pk for alert in alerts):
            raise Refused("Choose among the lines and alerts of this incident.")
        keys = {f"{alert.token_id}:{alert.key}" for alert in alerts}
        moved_key = row.dedup_key if row.dedup_key in keys else ""
        if moved_key:
            row.dedup_key = ""
            row.save()
        made = declare(
            title=title, severity=severity, systems=systems_of(row), by=by, at=at, type=row.type, is_drill=row.is_drill,
            description=_quoted(notes), source=row.source if alerts else "", dedup_key=moved_key, reason=reason,
        )  # fmt: skip
        if row.restricted and not made.restricted:
            made.restricted = True
            made.save()
        move_alerts(alerts, made)
        records.link(row, made, kind=SPLIT, by=by, at=at)
        taken = (("Quoted there", notes, "line"), ("Handed over", alerts, "alert"))
        told = [f"{did}: {len(found)} {word}{'' if len(found) == 1 else 's'}." for did, found, word in taken if found]
        say(row, "split", f"split off {made.reference}", by=by, at=at, reason=reason, detail=" ".join(told))
        say(made, "split", f"split it off from {row.reference}", by=by, at=at, reason=reason)
    return made


def _quoted(notes: Iterable[Note]) -> str:
    lines = [
        f"{times.clock(note.event_at)} {note.actor_name} {note.text}{f': {note.detail}' if note.detail else ''}"
        for note in sorted(notes, key=lambda note: (note.event_at, note.pk))
    ]
    return "\n".join(lines)[:MOST_QUOTED]


def relate(incident: Incident, *, to: Incident, by: By, at: datetime, reason: str = "") -> Incident:
    """Link two incidents that belong together without being the same."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        if to.pk == row.pk:
            raise Refused("That is the same incident. Name the other one.")
        records.link(row, to, kind=RELATED, by=by, at=at)
        say(row, "linked", f"linked it with {to.reference}", by=by, at=at, reason=reason)
    return row
