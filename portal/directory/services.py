"""The verbs and questions of the directory: who is on call, how people are reached, who answers for a system.

Every verb that writes asks for its reason: who is called is never changed without one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from portal.accounts import roles
from portal.accounts.models import User
from portal.audit.actor import By, acting
from portal.directory import calendars, rota
from portal.directory.enums import MethodKind
from portal.directory.models import (
    Calendar,
    Contact,
    ContactMethod,
    EmergencyContact,
    OnCallShift,
    RecoveryObjective,
    System,
    Team,
)
from portal.directory.oncall import reading
from portal.directory.oncall.reading import Turn
from portal.lib.businesstime import WorkCalendar

DEFAULT_CALENDAR = "Company"
MOST_METHODS = 20
AHEAD = timedelta(days=35)  # how far ahead turns are worked out


# Who is on call.


def running_shifts(team_ids: Iterable[int], *, at: datetime) -> dict[int, list[OnCallShift]]:
    """Return the shifts by hand of each team that run at `at` or later, of people who are still there. One query.

    Who is on call in the end, schedules included, is what `turns_ahead` returns.
    """
    found: dict[int, list[OnCallShift]] = defaultdict(list)
    rows = OnCallShift.objects.filter(team_id__in=list(team_ids), until__gt=at, withdrawn=False, contact__active=True)
    for shift in rows.select_related("contact").order_by("starts", "id"):
        found[shift.team_id].append(shift)
    return dict(found)


def overlapping(shift: OnCallShift) -> list[OnCallShift]:
    """Return the shifts by hand of other people that run in the same time for the same team. One query."""
    rows = OnCallShift.objects.filter(
        team_id=shift.team_id, starts__lt=shift.until, until__gt=shift.starts, withdrawn=False, contact__active=True
    )
    return list(rows.exclude(contact_id=shift.contact_id).select_related("contact").order_by("starts", "id"))


def on_call_many(team_ids: Iterable[int], *, at: datetime) -> dict[int, Contact]:
    """Return who is on call by team: by the team's schedules and by the shifts that lie over them.

    Teams with nobody on call are missing from it. A handful of queries, however many teams.
    """
    return reading.holders(team_ids, at=at)


def on_call(team: Team, *, at: datetime) -> Contact | None:
    """Return who is on call for the team, or nobody."""
    return on_call_many([team.pk], at=at).get(team.pk)


def turns_ahead(team_ids: Iterable[int], *, at: datetime, ahead: timedelta = AHEAD) -> dict[int, list[Turn]]:
    """Return who is on call for each of these teams from `at` on, turn by turn, for at least `ahead`.

    At most seven queries. The last turn of a schedule ends with that time, unless something ends it before.
    """
    found = {}
    for team, line in reading.lines(team_ids, starts=at, until=at + ahead).items():
        if not any(line.plan.layers.values()):  # shifts by hand alone are known to their end
            shifts = [shift for one in line.plan.shifts.values() for shift in one]
            line = replace(line, until=max([line.until, *(shift.until for shift in shifts)]))  # noqa: PLW2901
        found[team] = line.turns()
    return found


def on_call_until(team: Team, *, at: datetime) -> datetime | None:
    """Return when whoever is on call now hands over or stops.

    Nothing when nobody is on call, and when no end is in sight.
    """
    return held_until(turns_ahead([team.pk], at=at)[team.pk], at)


def held_until(turns: Sequence[Turn], at: datetime, *, ahead: timedelta = AHEAD) -> datetime | None:
    """Return when whoever is on call at `at` hands over or stops; nothing when that is out of sight."""
    until = rota.held_until(turns, at)
    return None if until == at + ahead and not turns[-1].is_by_hand else until


@transaction.atomic
def put_on_call(
    team: Team, contact: Contact, *, starts: datetime, until: datetime, by: By, at: datetime, reason: str
) -> OnCallShift:
    """Put somebody on call for the team from `starts` until `until`; from then on they are the one who is paged.

    Raises ValidationError with a sentence when the shift ends before it starts or in the past, or when the person
    or the team is no longer active.
    """
    if until <= at:
        raise ValidationError({"until": "That moment has passed. Choose a later one."})
    shift = OnCallShift(team=team, contact=contact, starts=starts, until=until)
    shift.full_clean()
    with acting(by=by, at=at, reason=reason):
        shift.save()
    return shift


@transaction.atomic
def end_shift(shift: OnCallShift, *, by: By, at: datetime, reason: str) -> OnCallShift:
    """End a running shift now, or withdraw one that has not begun. Raises ValidationError when it is over already."""
    shift = OnCallShift.objects.select_for_update().get(pk=shift.pk)
    if shift.withdrawn or shift.until <= at:
        raise ValidationError("This shift is over already.")
    if shift.starts < at:
        shift.until = at
    else:
        shift.withdrawn = True
    with acting(by=by, at=at, reason=reason):
        shift.save()
    return shift


# How people are reached.


def administrators() -> list[Contact]:
    """Return the last resort: active people whose active account is an administrator's. One query."""
    role = Q(user__groups__name=roles.BY_SLUG["administrator"].name) | Q(user__is_superuser=True)
    return list(Contact.objects.filter(role, active=True, user__is_active=True).order_by("name", "id").distinct())


def sending_methods(contact_ids: Iterable[int]) -> dict[int, list[ContactMethod]]:
    """Return the verified ways to send something to each person who is still there, best first. One query."""
    found: dict[int, list[ContactMethod]] = defaultdict(list)
    rows = ContactMethod.objects.filter(
        contact_id__in=list(contact_ids), contact__active=True, active=True, verified_at__isnull=False
    ).exclude(kind=MethodKind.PHONE)
    for method in rows.order_by("position", "id"):
        found[method.contact_id].append(method)
    return dict(found)


def methods_of(contact: Contact) -> list[ContactMethod]:
    """Return the person's methods that are not retired, verified or not, in their order."""
    return list(contact.methods.filter(active=True).order_by("position", "id"))


@transaction.atomic
def add_method(contact: Contact, *, kind: str, address: str, by: By, at: datetime, reason: str) -> ContactMethod:
    """Add a way to reach the person, last in order and unverified. A retired one of that address comes back.

    Raises ValidationError when the address has not the form of its kind, or stands there already.
    """
    _lock(contact)
    standing = methods_of(contact)
    if len(standing) >= MOST_METHODS:
        raise ValidationError(f"A person has at most {MOST_METHODS} contact methods. Retire one first.")
    wanted = ContactMethod(contact=contact, kind=kind, address=address)
    wanted.clean_fields(exclude=["contact"])
    wanted.clean()
    method = contact.methods.filter(kind=wanted.kind, address=wanted.address).first()
    if method is not None and method.active:
        raise ValidationError({"address": "That address is in the list already."})
    method = method or wanted
    method.active, method.verified_at = True, None
    method.position = max((other.position for other in standing), default=0) + 1
    with acting(by=by, at=at, reason=reason):
        method.save()
    return method


@transaction.atomic
def reorder_methods(contact: Contact, ids: Sequence[int], *, by: By, at: datetime, reason: str) -> None:
    """Put the person's methods in this order, the first tried first.

    `ids` names each standing method once; otherwise ValidationError is raised, because the list has changed meanwhile.
    """
    _lock(contact)
    standing = {method.pk: method for method in methods_of(contact)}
    if sorted(ids) != sorted(standing):
        raise ValidationError("Your contact methods have changed meanwhile. Look at them again and repeat the move.")
    with acting(by=by, at=at, reason=reason):
        for position, pk in enumerate(ids, start=1):
            if standing[pk].position != position:
                standing[pk].position = position
                standing[pk].save()


@transaction.atomic
def retire_method(method: ContactMethod, *, by: By, at: datetime, reason: str) -> None:
    """Use this method no longer. The row stays, because messages and history name it."""
    method = ContactMethod.objects.select_for_update().get(pk=method.pk)
    if not method.active:
        return
    method.active = False
    with acting(by=by, at=at, reason=reason):
        method.save()


@transaction.atomic
def mark_verified(method: ContactMethod, *, by: By, at: datetime, reason: str) -> ContactMethod:
    """Note that its owner has proved to read what is sent there.

    Raises ValidationError when the address has changed since `method` was read, or when the method is retired.
    """
    fresh = ContactMethod.objects.select_for_update().get(pk=method.pk)
    if not fresh.active or (fresh.kind, fresh.address) != (method.kind, method.address):
        raise ValidationError("This contact method has changed meanwhile. Send a new code.")
    fresh.verified_at = at
    with acting(by=by, at=at, reason=reason):
        fresh.save()
    return fresh


def _lock(contact: Contact) -> None:
    """Let one change of a person's methods wait for the other: their positions belong together."""
    Contact.objects.select_for_update().get(pk=contact.pk)


# Who answers for a system, and how soon.


def emergency_contacts(system_ids: Iterable[int]) -> dict[int, dict[str, EmergencyContact]]:
    """Return the emergency-contact table of each system by role, with contact and backup. One query."""
    found: dict[int, dict[str, EmergencyContact]] = defaultdict(dict)
    rows = EmergencyContact.objects.filter(system_id__in=list(system_ids)).select_related("contact", "backup")
    for row in rows.order_by("system_id", "id"):
        found[row.system_id][row.role] = row
    return dict(found)


def remove_emergency_contact(row: EmergencyContact, *, by: By, at: datetime, reason: str) -> None:
    """Take somebody out of a system's emergency contacts. The history of the line stays."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        row.delete()


def tightest_rto(system_ids: Iterable[int]) -> tuple[int, System] | None:
    """Return the shortest recovery time objective (minutes) and its system, or nothing when none has one. One query."""
    objective = (
        RecoveryObjective.objects.filter(system_id__in=list(system_ids), rto_minutes__isnull=False)
        .select_related("system")
        .order_by("rto_minutes", "system__name", "id")
        .first()
    )
    return None if objective is None else (objective.rto_minutes, objective.system)


def work_calendar_of(systems: Iterable[System]) -> WorkCalendar:
    """Return the working calendar of the first system that has one, else the company's. Two queries.

    The company's is the calendar named "Company", else the oldest. Raises Calendar.DoesNotExist when there is none,
    which the reference data prevents.
    """
    chosen = next((system.calendar_id for system in systems if system.calendar_id), None)
    calendar = Calendar.objects.get(pk=chosen) if chosen else company_calendar()
    return calendars.build(calendar, calendar.own_days.all())


def company_calendar() -> Calendar:
    """Return the calendar used where no other is named."""
    found = sorted(Calendar.objects.all(), key=lambda calendar: (calendar.name != DEFAULT_CALENDAR, calendar.pk))
    if not found:
        raise Calendar.DoesNotExist("There is no working calendar. Run the migrations: they load the company's.")
    return found[0]


@transaction.atomic
def contact_for_user(user_id: int, *, by: By, at: datetime) -> Contact:
    """Return the directory entry of an account, made when there is none, so that its person can be called."""
    found = Contact.objects.filter(user_id=user_id).first()
    if found is not None:
        return found
    user = User.objects.get(pk=user_id)
    with acting(by=by, at=at, reason="The account had no entry in the directory."):
        return Contact.objects.create(name=str(user)[:120], user=user, time_zone=user.time_zone)
