"""What the engine does for incidents: steps that are due, clocks that ran out, warnings, demands of other parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from incidents import clocks, escalation, messages, recovering, services
from incidents.communications.noticing import tell_followers
from incidents.communications.owing import NOTICE
from incidents.communications.settling import SYSTEM as COMMUNICATIONS
from incidents.communications.settling import settle_all
from incidents.enums import IncidentType
from incidents.intake import heartbeats
from incidents.models import Incident, Responder
from incidents.services import expiring
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.directory import services as directory
from portal.directory.enums import Clock, EmergencyRole
from portal.directory.models import Contact, Severity, System
from portal.lib import durations
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.wording import render
from portal.records import services as records
from portal.records.models import Demand, Note

OPEN_TOPIC = "incident.open"
OVER_TOPIC = "window.over"
SYSTEM = "system: clocks"
USUAL_LEVEL = 3
# What a sweep reads of an incident; a storm locks thousands.
NEEDED = (
    *("reference", "title", "type", "severity", "is_major", "status", "commander", "restricted"),
    *("declared_at", "declared_by", "generation", "is_drill"),
)


def sweep_incidents(*, at: datetime) -> int:
    """Do everything of incidents that is due at `at`; return how many deadlines fired."""
    fired = 0
    due = deadlines.kinds_due([kind for kind, _, _ in HANDLERS], at=at)
    for kind, handle, actor in HANDLERS:
        if kind not in due:
            continue
        due |= FOLLOWS.get(kind, set())
        with acting(by=actor, origin="task", at=at):
            while True:
                batch = deadlines.fire_due(kinds=[kind], at=at, lock=LOCKS.get(kind, lock), handle=handle)
                fired += batch.count
                if not batch.count:
                    break
    with acting(by="system: escalation", origin="task", at=at):
        records.answer_demands(OVER_TOPIC, at=at, handle=partial(look_again, at=at))
    with acting(by="system: demands", origin="task", at=at):
        records.answer_demands(OPEN_TOPIC, at=at, handle=partial(open_for_demand, at=at))
    with acting(by=COMMUNICATIONS, origin="task", at=at):
        settle_all(at=at)
    return fired


def lock(incident_ids: list[int], _at: datetime) -> Mapping[int, Incident]:
    """Lock the incidents in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = Incident.objects.filter(pk__in=incident_ids).only(*NEEDED).order_by("pk").select_for_update(skip_locked=True)
    locked = {row.pk: row for row in rows}
    severities = Severity.objects.in_bulk()
    for row in locked.values():
        row.severity = severities[row.severity_id]
    return locked


def miss_clocks(batch: list[tuple[Deadline, Incident]], at: datetime) -> None:
    """Say that clocks ran out: in the timeline, and to those who lead. A missed activation pages further."""
    people = _leaders([incident.pk for _, incident in batch])
    waiting = escalation.held_ids([incident.pk for _, incident in batch])
    notes, drafts, pages = [], [], []
    for row, incident in batch:
        clock = Clock(clocks.base(row.key))
        text = f"saw the {clock.label.lower()} deadline pass"
        detail = f"The limit was {row.payload.get('words', '')}. It stays missed."
        notes.append(_note(incident, text, detail, row, at=at, missed=True))
        if clock == Clock.ACTIVATION and incident.pk not in waiting:
            pages += _page_for_activation(incident, row, notes, at=at)
        drafts += _tell(incident, people, row, kind="incident_missed")
    records.write_notes(notes)
    notify.queue(drafts, at=at)
    notify.queue(pages, at=at, instead=True)


def warn(batch: list[tuple[Deadline, Incident]], at: datetime) -> None:
    """Say that clocks are at risk, while there still is time; a warning that comes too late is left out."""
    timely = [(row, incident) for row, incident in batch if at < datetime.fromisoformat(row.payload["due"])]
    people = _leaders([incident.pk for _, incident in timely])
    notes, drafts = [], []
    for row, incident in timely:
        clock = Clock(clocks.base(row.key))
        left = durations.words((datetime.fromisoformat(row.payload["due"]) - at).total_seconds())
        notes.append(
            _note(
                incident, f"warned that the {clock.label.lower()} deadline is at risk", f"{left} are left.", row, at=at
            )
        )
        drafts += _tell(incident, people, row, kind="incident_at_risk")
    records.write_notes(notes)
    notify.queue(drafts, at=at)


def _note(incident: Incident, text: str, detail: str, row: Deadline, *, at: datetime, missed: bool = False) -> Note:
    return records.make_note(
        subject_type_id=ContentType.objects.get_for_model(Incident).pk,
        subject_id=incident.pk,
        kind="missed" if missed else "at_risk",
        text=text,
        detail=detail,
        by=SYSTEM,
        at=at,
        data={"clock": row.key},
    )


def _leaders(incident_ids: list[int]) -> dict[int, dict[int, Contact]]:
    """Return commander and responders by incident, and under each contact's id."""
    found: dict[int, dict[int, Contact]] = {pk: {} for pk in incident_ids}
    for responder in Responder.objects.filter(incident_id__in=incident_ids, contact__active=True).select_related(
        "contact"
    ):
        found[responder.incident_id][responder.contact_id] = responder.contact
    commanded = Incident.objects.filter(pk__in=incident_ids, commander__active=True).select_related("commander")
    for incident in commanded:
        if incident.commander is not None:
            found[incident.pk][incident.commander.pk] = incident.commander
    return found


def _tell(incident: Incident, people: dict[int, dict[int, Contact]], row: Deadline, *, kind: str) -> list[Draft]:
    leaders = people[incident.pk]
    methods = directory.sending_methods(leaders) if leaders else {}
    due = row.due_at if kind == "incident_missed" else datetime.fromisoformat(row.payload["due"])
    drafts: list[Draft] = []
    for contact in leaders.values():
        with timezone.override(zone_or_utc(contact.time_zone)):
            context = messages.facts(
                incident, clock=Clock(clocks.base(row.key)).label, due_at=due, contact_name=contact.name,
                asks_for=clocks.asks_for(row.key),
            )  # fmt: skip
            title, body = render(kind, context)
        key = f"i{incident.pk}:{row.kind}:{row.key}:{row.generation}:c{contact.pk}"
        drafts += drafts_for(
            contact, methods.get(contact.pk, []), key=key,
            kind=kind, title=title, body=body, about=messages.about(incident), generation=incident.generation,
            url_path=context["url"],
        )  # fmt: skip
    return drafts


def _page_for_activation(incident: Incident, row: Deadline, notes: list[Note], *, at: datetime) -> list[Draft]:
    """Page the operations leads of the systems, else the administrators, whether or not somebody acknowledged."""
    role = EmergencyRole.OPERATIONS_LEAD
    target = {"kind": "role", "role": role.value, "name": role.label}
    system_ids = list(incident.systems.values_list("pk", flat=True))
    book = escalation.Book([target], system_ids=system_ids, at=at)
    reached = book.reach([target], system_ids=system_ids)
    names = ", ".join(f"{one.name} ({one.why})" for one in reached.recipients)
    text = f"paged {names}" if names else "could page nobody"
    waiting = escalation.held(incident, reached.recipients, at=at)
    notes.append(
        _note(incident, text, " ".join(["Nobody took command in time.", *reached.holes, *waiting]), row, at=at)
    )
    notes[-1].kind = "paged"
    context = {"systems": "", "next_words": "", "activation": True}
    key = f"i{incident.pk}:{row.key}:{row.generation}"
    return escalation.page(incident, reached.recipients, book, key=key, kind=messages.ACTIVATION_PAGE, context=context)


def look_again(demand: Demand, *, at: datetime) -> dict[str, Any]:
    """Look again at what is held back of incidents of a window's systems: it says less than when they were declared."""
    systems = System.objects.filter(slug__in=demand.payload.get("systems", []))
    open_now = Incident.objects.open().filter(systems__in=systems).order_by("pk").values_list("pk", flat=True)
    waiting = escalation.held_ids(list(open_now.distinct()))
    rows = Incident.objects.filter(pk__in=waiting).order_by("pk").select_for_update(of=("self",))
    begun = [row.reference for row in rows if escalation.look_again(row, at=at)]
    return {"paged": begun}


def open_for_demand(demand: Demand, *, at: datetime) -> dict[str, Any]:
    """Open the incident that another part of the portal asks for; a second demand for the same key joins it.

    One that `only_joins` opens none: it has something to say of an incident that stands open. Its payload names the
    severity by code, or by level: then the nearest level that is no worse is taken. What is missing or unknown raises,
    and the demand is given up after some tries.
    """
    facts = demand.payload
    key = f"demand:{facts.get('dedup_key', demand.key)}"[:200]
    existing = Incident.objects.open().real().filter(dedup_key=key).first()
    if existing is not None:
        services.add_note(existing, text=str(facts.get("title", "")), by=demand.asked_by, at=at)
        return {"incident": existing.reference, records.MADE: existing}
    if facts.get("only_joins"):
        return {}
    severity = _severity_of(facts)
    systems = [demand.system] if demand.system is not None else []
    systems += list(System.objects.filter(slug__in=facts.get("systems", [])))
    incident = services.declare(
        title=str(facts["title"]),
        description=str(facts.get("description", "")),
        severity=severity,
        systems=systems,
        type=str(facts.get("type", IncidentType.OPERATIONAL)),
        source=demand.asked_by,
        dedup_key=key,
        by=demand.asked_by,
        at=at,
    )
    return {"incident": incident.reference, records.MADE: incident}


def _severity_of(facts: dict[str, Any]) -> Severity:
    if "severity" in facts:
        return Severity.objects.get(code=facts["severity"])
    level = int(facts.get("level", USUAL_LEVEL))
    found = Severity.objects.filter(level__gte=level).order_by("level").first()
    return found or Severity.objects.latest("level")


def tell_recovery(batch: list[tuple[Deadline, Incident]], at: datetime) -> None:
    """Say that half, three quarters or all of what a system's recovery may take is spent."""
    found, later = recovering.passed(batch, at)
    people = _leaders([one.incident.pk for one in found])
    records.write_notes([recovering.note_of(one, at=at) for one in found])
    notify.queue([draft for one in found for draft in _recovery_drafts(one, people[one.incident.pk])], at=at)
    deadlines.start_many(later)


def _recovery_drafts(one: recovering.Passed, people: dict[int, Contact]) -> list[Draft]:
    methods = directory.sending_methods(people) if people else {}
    drafts: list[Draft] = []
    for contact in people.values():
        with timezone.override(zone_or_utc(contact.time_zone)):
            context = messages.facts(one.incident, one=one, contact_name=contact.name)
            title, body = render("incident_recovery", context)
        drafts += drafts_for(
            contact, methods.get(contact.pk, []), key=f"i{one.incident.pk}:rec:{one.row.key}:c{contact.pk}",
            kind="incident_recovery", title=title, body=body, about=messages.about(one.incident),
            generation=one.incident.generation, url_path=context["url"],
        )  # fmt: skip
    return drafts


HANDLERS = (
    (escalation.HELD, escalation.release, "system: escalation"),
    (escalation.ESCALATION, escalation.fire_steps, "system: escalation"),
    (clocks.CLOCK, miss_clocks, SYSTEM),
    (clocks.WARNING, warn, SYSTEM),
    (NOTICE, tell_followers, COMMUNICATIONS),
    (heartbeats.SILENCE, heartbeats.tell_silence, "system: heartbeats"),
    (recovering.RECOVERY, tell_recovery, recovering.SYSTEM),
    (expiring.ACKNOWLEDGEMENT, expiring.look, "system: escalation"),
)
FOLLOWS = {escalation.HELD: {escalation.ESCALATION}}  # what one makes due at once
LOCKS = {heartbeats.SILENCE: heartbeats.lock}  # of what is about something else than an incident
