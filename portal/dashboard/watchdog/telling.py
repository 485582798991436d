"""Telling the administrators, on every verified way and at most once an hour for each kind of alarm."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from portal.dashboard import health
from portal.dashboard.watchdog import engine, people, record
from portal.dashboard.watchdog.alarm import ALARM_AGAIN, KIND, Alarm
from portal.deadlines import services as deadlines
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.models import Message


def alarms(*, at: datetime) -> list[Alarm]:
    """Return what is wrong with the engine at `at`."""
    checks = (*engine.CHECKS, *record.CHECKS, *people.CHECKS)
    return [alarm for check in checks if (alarm := check(at)) is not None]


def watch(*, at: datetime, ping: Callable[[], object] | None = None) -> list[Alarm]:
    """Tell the administrators what is wrong, and `ping` the watcher outside when nothing is; return the alarms."""
    found = alarms(at=at)
    if found:
        administrators = directory.administrators()
        for alarm in found:
            _raise(alarm, administrators, at)
    if ping is not None and _keeps_time(at):
        ping()
    return found


def _raise(alarm: Alarm, persons: Collection[Contact], at: datetime) -> None:
    """Queue the alarm, unless the same kind was raised within the hour: its key holds the hour it belongs to."""
    hour = int(at.timestamp() // ALARM_AGAIN.total_seconds())
    before = [draft.key for draft in _drafts(alarm, persons, hour - 1)]
    if not Message.objects.filter(idempotency_key__in=before, created_at__gt=at - ALARM_AGAIN).exists():
        notify.queue(_drafts(alarm, persons, hour), at=at)


def _drafts(alarm: Alarm, persons: Collection[Contact], hour: int) -> list[Draft]:
    """Return a message for each inbox and each verified method of these people."""
    methods = directory.sending_methods([person.pk for person in persons])
    found: dict[str, Draft] = {}
    for person in persons:
        for method in [[one] for one in methods.get(person.pk, [])] or [[]]:
            drafts = drafts_for(
                person,
                method,
                key=f"watchdog:{alarm.kind}:{hour}:{person.pk}",
                kind=f"{KIND}{alarm.kind}",
                title=alarm.title,
                body=alarm.body,
                url_path=alarm.url_path,
            )
            found |= {draft.key: draft for draft in drafts}
    return list(found.values())


def _keeps_time(at: datetime) -> bool:
    silent = deadlines.last_sweep_age_seconds(at=at)
    overdue = deadlines.oldest_overdue_seconds(at=at)
    return overdue <= health.MOST_OVERDUE and silent is not None and silent <= health.MOST_SILENT
