"""Puts the demo company on call: schedules in turns from the past on, an override, and swaps."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.audit.actor import By
from portal.dashboard.demo import company
from portal.directory.enums import TurnUnit
from portal.directory.models import Contact, Schedule, Team
from portal.directory.oncall import reading, schedules, swaps
from portal.directory.oncall.schedules import Rota

REASON = "The demo company"
ZONE = "Europe/London"
LONDON = ZoneInfo(ZONE)
TURN = timedelta(days=14)
TURNS_BEHIND = 7
FRIDAY = 4
People = dict[str, Contact]


def put_on_call(people: People, *, by: By, at: datetime, now: datetime) -> None:
    """Let people take turns from the past on; the deliberate hole opens on the next Friday at 18:00."""
    first = (handover(now) - TURNS_BEHIND * TURN).astimezone(LONDON).date()
    for slug, keys in company.ROTAS.items():
        schedule = _schedule(slug, "Primary", by=by, at=at)
        rota = Rota("Fortnight", [people[key] for key in keys], first, every=2)
        layer = schedules.add_layer(schedule, rota, starts=at, by=by, at=at, reason=REASON)
        if slug == company.HOLE:
            schedules.end_layer(layer, until=next_friday(now), by=by, at=at, reason=REASON)
    backup = _schedule("oncall", "Backup", by=by, at=at)
    rota = Rota("Week", [people[key] for key in company.BACKUPS], first)
    schedules.add_layer(backup, rota, starts=at, by=by, at=at, reason=REASON)


def follow_the_sun(people: People, *, now: datetime) -> None:
    """Let Tokyo take the nights of the platform team from now on, and two people swap."""
    rota = Rota(
        "Tokyo hours", [people["mei"]], now.astimezone(LONDON).date(), time(0), unit=TurnUnit.DAYS, position=2,
        hours="Mon-Fri 00:00-07:00",
    )  # fmt: skip
    platform = Schedule.objects.get(team__slug="platform", name="Primary")
    schedules.add_layer(platform, rota, starts=now, by=people["arjun"], at=now, reason="Nobody is woken in Warsaw")
    primary = Schedule.objects.get(team__slug="oncall", name="Primary")
    given, asked = _turn_of(primary, people["tomasz"], now), _turn_of(primary, people["jonas"], now)
    if given is not None:
        _swap(primary, people["tomasz"], people["jonas"], given, "A wedding in Gdansk", now, accepted=True)
    if asked is not None:
        _swap(primary, people["jonas"], people["amara"], asked, "Dentist, and then the school play", now)


def _swap(
    schedule: Schedule,
    asker: Contact,
    taker: Contact,
    starts: datetime,
    why: str,
    now: datetime,
    *,
    accepted: bool = False,
) -> None:
    span = (starts, starts + timedelta(days=2))
    swap = swaps.ask(schedule, asker, taker, span=span, by=asker, at=now, reason=why)
    if accepted:
        swaps.accept(swap, by=taker, at=now)


def _turn_of(schedule: Schedule, contact: Contact, now: datetime) -> datetime | None:
    """Return the third day of the person's next turn that has not begun."""
    line = reading.lines([schedule.team_id], starts=now, until=now + 4 * TURN)[schedule.team_id]
    coming = (turn for turn in line.of_schedule(schedule.pk) if turn.starts > now and turn.contact_id == contact.pk)
    first = next(coming, None)
    return None if first is None else first.starts + timedelta(days=3)


def _schedule(slug: str, name: str, *, by: By, at: datetime) -> Schedule:
    team = Team.objects.get(slug=slug)
    return schedules.add_schedule(team, name=name, time_zone=ZONE, by=by, at=at, reason=REASON)


def handover(now: datetime) -> datetime:
    """Return the last Monday at 09:00 in London."""
    local = now.astimezone(LONDON)
    monday = local.date() - timedelta(days=local.weekday())
    moment = datetime.combine(monday, time(9), LONDON)
    return moment if moment <= now else moment - timedelta(days=7)


def next_friday(now: datetime) -> datetime:
    """Return the next Friday at 18:00 in London."""
    local = now.astimezone(LONDON)
    friday = local.date() + timedelta(days=(FRIDAY - local.weekday()) % 7)
    moment = datetime.combine(friday, time(18), LONDON)
    return moment if moment > now else moment + timedelta(days=7)
