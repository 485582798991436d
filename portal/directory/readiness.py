"""The holes of the directory: where a page tonight would reach nobody, or the wrong person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import models
from django.urls import reverse

from portal.directory import services
from portal.directory.enums import EmergencyRole
from portal.directory.models import (
    Calendar,
    Contact,
    EmergencyContact,
    LayerMember,
    OnCallShift,
    System,
    Team,
)
from portal.directory.oncall import findings
from portal.directory.oncall.findings import Findings
from portal.lib import times
from portal.lib.zones import known_zones


@dataclass(frozen=True, slots=True)
class Hole:
    """One gap: what it concerns, how bad it is (red: nobody is reached; amber: it will hurt), where to mend it.

    `consequence` says what comes of a hole that keeps no page from arriving.
    """

    kind: Literal["system", "team", "contact", "portal", "plan", "exercise"]
    about: models.Model | None
    severity_tone: Literal["red", "amber"]
    sentence: str
    fix_url: str
    consequence: str = ""


@dataclass(slots=True)
class Facts:
    """What is read of the directory to find its holes: a fixed number of queries, however large it is."""

    systems: list[System]
    teams: list[Team]
    duties: list[Findings]
    emergency: dict[int, dict[str, EmergencyContact]]
    leavers: list[OnCallShift]
    rotas_of_leavers: list[LayerMember]
    reachable: set[int]
    administrators: list[Contact]
    calendars: list[Calendar]
    locked_out: set[int]

    def named(self) -> dict[int, tuple[Contact, str]]:
        """Return everybody whom a page could be meant for, with the first place that names them."""
        found: dict[int, tuple[Contact, str]] = {}
        found |= findings.people_of(self.duties)
        for system in self.systems:
            for row in self.emergency.get(system.pk, {}).values():
                found.setdefault(row.contact_id, (row.contact, f"{row.get_role_display()} of {system}"))
                if row.backup is not None:
                    found.setdefault(row.backup.pk, (row.backup, f"backup {row.get_role_display()} of {system}"))
        return found


def facts(*, at: datetime) -> Facts:
    """Read what `holes` judges. At most sixteen queries."""
    systems = list(System.objects.filter(active=True).select_related("owner").order_by("name"))
    teams = list(Team.objects.filter(active=True).order_by("name"))
    found = Facts(
        systems=systems,
        teams=teams,
        duties=findings.ahead(teams, at=at),
        emergency=services.emergency_contacts([system.pk for system in systems]),
        leavers=list(_shifts_of_leavers(at)),
        rotas_of_leavers=findings.rotas_of_leavers(at=at),
        reachable=set(),
        administrators=services.administrators(),
        calendars=list(Calendar.objects.order_by("name")),
        locked_out=set(),
    )
    people = {*found.named(), *(contact.pk for contact in found.administrators)}
    found.reachable = set(services.sending_methods(people))
    locked_out = Contact.objects.filter(pk__in=people, active=True, user__is_active=False)
    found.locked_out = set(locked_out.values_list("pk", flat=True))
    return found


def _shifts_of_leavers(at: datetime) -> models.QuerySet[OnCallShift]:
    rows = OnCallShift.objects.filter(until__gt=at, withdrawn=False, contact__active=False, team__active=True)
    return rows.select_related("contact", "team").order_by("starts", "id")


def holes(*, at: datetime) -> list[Hole]:
    """Return every gap in the directory at that moment, the worst first."""
    known = facts(at=at)
    found = [
        *_portal_holes(known),
        *_system_holes(known),
        *_team_holes(known, at),
        *_contact_holes(known),
    ]
    return sorted(found, key=lambda hole: hole.severity_tone != "red")


def silent_on_call(*, at: datetime) -> list[tuple[Team, Contact]]:
    """Return who is on call at that moment and cannot be sent anything, with their team. Three queries."""
    teams = {team.pk: team for team in Team.objects.filter(active=True).order_by("name")}
    on_call = services.on_call_many(teams, at=at)
    reachable = services.sending_methods({contact.pk for contact in on_call.values()})
    return [(team, on_call[pk]) for pk, team in teams.items() if pk in on_call and on_call[pk].pk not in reachable]


def _portal_holes(known: Facts) -> Iterable[Hole]:
    if not any(contact.pk in known.reachable for contact in known.administrators):
        sentence = (
            "No administrator can be reached, so an exhausted escalation ends with nobody. Give an administrator a "
            "contact with a verified contact method."
        )
        yield Hole("portal", None, "red", sentence, reverse("admin:directory_contact_changelist"))
    for calendar in known.calendars:
        if calendar.time_zone not in known_zones():
            mend = reverse("admin:directory_calendar_change", args=[calendar.pk])
            sentence = (
                f"The time zone “{calendar.time_zone}” of the calendar {calendar} is not known. It counts in UTC."
            )
            yield Hole("portal", calendar, "amber", sentence, mend)


def _system_holes(known: Facts) -> Iterable[Hole]:
    for system in known.systems:
        mend = reverse("admin:directory_system_change", args=[system.pk])
        if system.owner is None:
            yield Hole("system", system, "red", f"Nobody owns {system}. Its incidents page the administrators.", mend)
        elif not system.owner.active:
            sentence = (
                f"{system.owner}, which owns {system}, is no longer active. Its incidents page the administrators."
            )
            yield Hole("system", system, "red", sentence, mend)
        yield from _emergency_holes(system, known.emergency.get(system.pk, {}), mend)


def _emergency_holes(system: System, table: dict[str, EmergencyContact], mend: str) -> Iterable[Hole]:
    if EmergencyRole.PRIMARY_OWNER not in table:
        yield Hole("system", system, "amber", f"{system} names nobody as Primary Owner.", mend)
    for row in table.values():
        role = row.get_role_display()
        if not row.contact.active:
            yield Hole("system", system, "red", f"{row.contact}, {role} of {system}, has left.", mend)
        if row.backup is None:
            yield Hole("system", system, "amber", f"{role} of {system} has no backup.", mend)
        elif not row.backup.active:
            yield Hole("system", system, "red", f"{row.backup}, backup {role} of {system}, has left.", mend)


def _team_holes(known: Facts, at: datetime) -> Iterable[Hole]:
    owners = {system.owner_id for system in known.systems}
    for duty in known.duties:
        mend = reverse("directory:put-on-call", args=[duty.team.slug])
        for starts, until in duty.gaps:
            tone: Literal["red", "amber"] = "red" if starts == at and duty.team.pk in owners else "amber"
            yield Hole("team", duty.team, tone, gap_sentence(duty.team, starts, until, at), mend)
        yield from _burdens(duty)
    for shift in known.leavers:
        mend = reverse("directory:put-on-call", args=[shift.team.slug])
        yield Hole(
            "team", shift.team, "red", f"{shift.contact} has left, but is down as on call for {shift.team}.", mend
        )
    for place in known.rotas_of_leavers:
        schedule = place.layer.schedule
        sentence = f"{place.contact} has left, but takes turns in “{place.layer.name}” of {schedule.title}."
        yield Hole("team", schedule.team, "red", sentence, reverse("directory:schedule", args=[schedule.pk]))


def gap_sentence(team: Team, starts: datetime, until: datetime | None, at: datetime) -> str:
    """Return the sentence that says when nobody is on call."""
    if starts == at:
        return f"Nobody is on call for {team}."
    when = f"{times.day(starts, at)}, {times.clock(starts)}"
    if until is None:
        return f"Nobody is on call for {team} after {when}."
    return f"Nobody is on call for {team} from {when} until {times.day(until, at)}, {times.clock(until)}."


def _burdens(duty: Findings) -> Iterable[Hole]:
    """Yield who carries much more of a schedule than the others."""
    for contact, burden in duty.burdens:
        hours, share = (round(span.total_seconds() / 3600) for span in (burden.carries, burden.share))
        if burden.people == 1:
            sentence = f"{contact} alone takes all turns of {duty.team}. Add somebody to the rotation."
        else:
            of = round(findings.LOOK.total_seconds() / 3600)
            sentence = f"{contact} is on call for {duty.team} in {hours:,} of {of:,} hours; an even share is {share:,}."
        mend = reverse("directory:put-on-call", args=[duty.team.slug])
        yield Hole("team", duty.team, "amber", sentence, mend, "The duty is shared out unevenly.")


def _contact_holes(known: Facts) -> Iterable[Hole]:
    for contact, where in known.named().values():
        mend = reverse("admin:directory_contact_change", args=[contact.pk])
        if contact.pk in known.locked_out:
            sentence = f"The account of {contact}, {where}, is closed. If they have left, clear Active here too."
            yield Hole("contact", contact, "amber", sentence, mend)
        if contact.active and contact.pk not in known.reachable:
            sentence = f"{contact}, {where}, has no verified contact method. No message reaches them."
            yield Hole("contact", contact, "red", sentence, mend)
        elif contact.time_zone not in known_zones():
            yield Hole(
                "contact", contact, "amber", f"The time zone “{contact.time_zone}” of {contact} is not known.", mend
            )


def still_named(contact: Contact, *, at: datetime) -> list[str]:
    """Return a sentence for each place where somebody who has left is still counted on. Three queries."""
    shifts = OnCallShift.objects.filter(contact=contact, until__gt=at, withdrawn=False).select_related("team")
    rows = EmergencyContact.objects.filter(models.Q(contact=contact) | models.Q(backup=contact), system__active=True)
    return [
        *(f"{contact} is still down as on call for {shift.team}. Put somebody else on call." for shift in shifts),
        *(
            f"{contact} still takes turns in “{place.layer.name}” of {place.layer.schedule.title}. Name somebody else."
            for place in findings.rotas_of_leavers(at=at)
            if place.contact_id == contact.pk
        ),
        *(
            f"{contact} is still {'' if row.contact_id == contact.pk else 'backup '}{row.get_role_display()} of "
            f"{row.system}. Name somebody else."
            for row in rows.select_related("system").order_by("system__name", "id")
        ),
    ]
