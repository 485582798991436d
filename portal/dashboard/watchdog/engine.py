"""Alarms of the engine: deadlines not fired, messages that do not leave, requests unanswered, exports unmade."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.text import Truncator

from portal.assurance.exporting import services as exports
from portal.dashboard import health
from portal.dashboard.watchdog.alarm import ALARM_AGAIN, KIND, NAMED, Alarm
from portal.deadlines import services as deadlines
from portal.lib import times
from portal.notify import services as notify
from portal.notify.models import Message, MessageState
from portal.notify.telling import is_open_to_all
from portal.records import services as records

MOST_UNMADE = timedelta(minutes=10)  # a worker looks every 5 s, and goes on after a kill when 3 min are over


def _overdue(at: datetime) -> Alarm | None:
    seconds = deadlines.oldest_overdue_seconds(at=at)
    if seconds <= health.MOST_OVERDUE:
        return None
    return Alarm(
        "overdue",
        f"A deadline is overdue for {times.duration(seconds)}",
        "Clocks and escalations wait: nobody is paged while deadlines are not fired. Check that the worker runs and "
        "read its log; the list of deadlines shows the error of a row that could not be handled.",
        "/admin/deadlines/deadline/",
    )


def _stuck(at: datetime) -> Alarm | None:
    """Messages that wait, and those given up within the hour. Alarms that are stuck themselves raise no new ones."""
    told = Q(state=MessageState.DEAD, settled_at__lte=at - ALARM_AGAIN) | Q(kind__startswith=KIND)
    found = list(notify.stuck(at=at).exclude(told)[: NAMED + 1])
    if not found:
        return None
    named = "\n".join(f"- {_title(message)}: {message.error or 'no answer yet'}" for message in found[:NAMED])
    return Alarm(
        "stuck",
        f"{'More than ' + str(NAMED) if len(found) > NAMED else len(found)} messages do not leave the portal",
        f"They are tried again by themselves, other channels go on. The newest:\n{named}\n"
        "Check the mail server and the addresses of the channels.",
        "/admin/notify/message/",
    )


def _title(message: Message) -> str:
    """Return what the administrators may be told of a message: not the title of one about a restricted record."""
    if not is_open_to_all(message):
        return f"a message about {message.about_reference or 'a restricted record'}"
    return Truncator(message.title).chars(80)


def _unanswered(at: datetime) -> Alarm | None:
    found = list(records.unanswered(at=at)[: NAMED + 1])
    if not found:
        return None
    named = "\n".join(f"- {demand}: {demand.error or 'no error'}" for demand in found[:NAMED])
    return Alarm(
        "unanswered",
        f"{'More than ' + str(NAMED) if len(found) > NAMED else len(found)} requests between parts of the portal wait",
        f"Each should have been answered by now. The oldest:\n{named}\nCheck that the worker runs and read its log.",
    )


def _given_up(_at: datetime) -> Alarm | None:
    found = list(records.given_up()[: NAMED + 1])
    if not found:
        return None
    named = "\n".join(f"- {demand}: {demand.error}" for demand in found[:NAMED])
    return Alarm(
        "given-up",
        f"{'More than ' + str(NAMED) if len(found) > NAMED else len(found)} requests between parts of the portal "
        "were given up",
        f"Nobody answers them any more until you act:\n{named}\n"
        "Mend what the error says and have it tried again, or close it, on its page.",
        "/admin/records/demand/?given_up_at__isempty=0",
    )


def _unmade(at: datetime) -> Alarm | None:
    waits = exports.waiting_since(at=at)
    if waits is None or waits <= MOST_UNMADE:
        return None
    return Alarm(
        "unmade",
        f"An export has waited {times.duration(waits.total_seconds())} and nobody makes it",
        "Whoever asked for it waits for a file. Check that the worker of exports runs and read its log, or run "
        "manage.py sweep --only exports.",
        "/admin/assurance/export/?state__in=waiting,working",
    )


CHECKS = (_overdue, _stuck, _unanswered, _given_up, _unmade)
