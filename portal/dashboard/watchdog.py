"""Watches the engine itself: deadlines that nobody fired, messages that do not leave, demands that nobody answered.

Administrators are told in the portal and on every verified way to reach them, because one way may be what is broken.
An alarm that goes on is repeated once an hour, not with every look. The heartbeat outside is pinged while nothing is
overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.text import Truncator

from portal.assurance.exporting import services as exports
from portal.audit import anchors, reconciling, sealing, told
from portal.dashboard import health
from portal.deadlines import services as deadlines
from portal.directory import readiness
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.directory.sheet import delivering as sheet
from portal.lib import times
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.models import Message, MessageState
from portal.notify.telling import is_open_to_all
from portal.records import services as records
from portal.records.evidence import verifying as evidence

ALARM_AGAIN = timedelta(hours=1)
MOST_UNRECONCILED = timedelta(hours=36)
MOST_UNMADE = timedelta(minutes=10)  # a worker looks every 5 s, and goes on after a kill when 3 min are over
NAMED = 3
KIND = "watchdog."


@dataclass(frozen=True)
class Alarm:
    """Something of the engine that needs an administrator. `kind` is the same for as long as it goes on."""

    kind: str
    title: str
    body: str
    url_path: str = "/"


def alarms(*, at: datetime) -> list[Alarm]:
    """Return what is wrong with the engine at `at`."""
    checks = (
        *(_overdue, _stuck, _unanswered, _given_up, _unreconciled, _unverified, _unsealed, _unanchored, _differing),
        *(_typed, _unmade, _damaged, _unread, _silent, _sheetless),
    )
    return [alarm for check in checks if (alarm := check(at)) is not None]


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


def _unreconciled(at: datetime) -> Alarm | None:
    """Tell when no reconciliation came to its end for longer than a night takes; a new portal has time for one."""
    since = reconciling.waiting_since(at=at)
    if since is None or at - since <= MOST_UNRECONCILED:
        return None
    return Alarm(
        "unreconciled",
        f"The record was not reconciled for {times.duration((at - since).total_seconds())}",
        "Whether every row agrees with its history is looked at once a night, and the last look is too long ago. Check "
        "that the worker of exports runs and read its log, or run manage.py audit reconcile.",
        "/admin/audit/reconciliation/",
    )


def _unsealed(at: datetime) -> Alarm | None:
    seconds = sealing.state().waits(at)
    if seconds <= sealing.MOST_WAITING.total_seconds():
        return None
    return Alarm(
        "unsealed",
        f"A row of the record has waited {times.duration(seconds)} for its seal",
        "Until it is sealed, nothing shows whether somebody alters it. Check that the worker runs and read its log.",
    )


def _unanchored(at: datetime) -> Alarm | None:
    found = anchors.late(at=at)
    if not found:
        return None
    named = "\n".join(f"- {row.get_way_display()}: {row.error or 'not tried yet'}" for row in found)
    return Alarm(
        "unanchored",
        "Signed heads of the record do not leave this machine",
        f"They are tried again at least once an hour. The oldest of each way:\n{named}\nCheck ANCHOR_FILE, ANCHOR_MAIL "
        "and ANCHOR_URL (docs/operator.md).",
    )


def _differing(_at: datetime) -> Alarm | None:
    """Tell, once an hour until it is clean, that the last verification found something."""
    newest = told.last_verified()
    if newest is None or not newest.found:
        return None
    named = "\n".join(f"- {sentence}" for sentence in newest.named[:NAMED])
    return Alarm(
        "differing",
        f"Verification of the record found {newest.found} differences",
        f"Somebody may have altered the record. The first:\n{named}\nTell an auditor, and keep the anchors safe. "
        "All of them: manage.py audit verify.",
    )


def _unverified(at: datetime) -> Alarm | None:
    """Tell when the trail tells of no verification for longer than a night takes."""
    newest = told.last_verified()
    if newest is None or at - newest.at <= MOST_UNRECONCILED:
        return None
    return Alarm(
        "unverified",
        f"The record was not verified for {times.duration((at - newest.at).total_seconds())}",
        "The whole record is read and compared with its seals once a night, and the last time is too long ago. Check "
        "that the worker of exports runs and read its log, or run manage.py audit verify.",
        "/admin/audit/verification/",
    )


def _typed(at: datetime) -> Alarm | None:
    """Tell when the lists of nightly runs say what cannot be, or what the trail does not: somebody typed it."""
    newest, ahead = told.last_verified(), told.written_ahead(at=at)
    if not ahead and (newest is None or newest.agrees):
        return None
    what = f"{ahead:,} of them tell of a time that has not come" if ahead else "the newest of them is told otherwise"
    return Alarm(
        "typed",
        "Somebody wrote the list of nightly verifications past the portal",
        f"What the runs found stands in the trail, and that counts; of the lists, {what}. Find out who could write to "
        "the database past the portal, tell an auditor, and run manage.py audit verify.",
        "/admin/audit/verification/",
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


def _damaged(_at: datetime) -> Alarm | None:
    """Tell, once an hour until it is whole again, that evidence is not what was collected."""
    found = evidence.damaged()
    if not found:
        return None
    return Alarm(
        "damaged-evidence",
        f"{found:,} file{'s' if found > 1 else ''} of evidence {'are' if found > 1 else 'is'} altered or missing",
        "Keep the disk as it is, find out who could write there, and look for the file in the backup. A security "
        "incident was opened. All that is wrong: manage.py evidence verify.",
        "/evidence/?show=damaged",
    )


def _unread(at: datetime) -> Alarm | None:
    late = evidence.late(at=at)
    if late is None:
        return None
    return Alarm(
        "unread-evidence",
        f"Evidence waits to be read again, {times.duration(late.total_seconds())} beyond its time",
        "Until a file is read again nobody knows whether it is still what was collected. Check that the worker of "
        "exports runs and read its log, or run manage.py evidence verify.",
        "/admin/records/evidencecheck/",
    )


def _silent(at: datetime) -> Alarm | None:
    """Tell when somebody is on call whom no message reaches, before an incident finds out."""
    found = readiness.silent_on_call(at=at)
    if not found:
        return None
    named = "\n".join(f"- {contact}, on call for {team}" for team, contact in found)
    return Alarm(
        "silent",
        f"{found[0][1]} is on call and cannot be reached"
        if len(found) == 1
        else f"{len(found)} people are on call and cannot be reached",
        f"No verified contact method is left, so a page goes to whoever comes next:\n{named}\n"
        "Put somebody else on call, or have them verify a contact method.",
        "/directory/people/",
    )


def _sheetless(at: datetime) -> Alarm | None:
    """Tell when the contact sheet does not leave the machine: it is wanted when the portal is down."""
    found = sheet.late(at=at)
    if not found:
        return None
    named = "\n".join(f"- {row.get_way_display()}: {row.error or 'not tried yet'}" for row in found)
    return Alarm(
        "sheetless",
        "The contact sheet does not leave this machine",
        f"Whoever needs it while the portal is down finds an old one. It is tried again each hour:\n{named}\n"
        "Check CONTACT_SHEET_FILE, CONTACT_SHEET_MAIL and CONTACT_SHEET_URL (docs/operator.md).",
        "/admin/directory/sheetdelivery/",
    )


def watch(*, at: datetime, ping: Callable[[], object] | None = None) -> list[Alarm]:
    """Tell the administrators what is wrong, and `ping` the watcher outside when nothing is; return the alarms."""
    found = alarms(at=at)
    if found:
        people = directory.administrators()
        for alarm in found:
            _raise(alarm, people, at)
    if ping is not None and _keeps_time(at):
        ping()
    return found


def _raise(alarm: Alarm, people: Collection[Contact], at: datetime) -> None:
    """Queue the alarm, unless the same kind was raised within the hour: its key holds the hour it belongs to."""
    hour = int(at.timestamp() // ALARM_AGAIN.total_seconds())
    before = [draft.key for draft in _drafts(alarm, people, hour - 1)]
    if not Message.objects.filter(idempotency_key__in=before, created_at__gt=at - ALARM_AGAIN).exists():
        notify.queue(_drafts(alarm, people, hour), at=at)


def _drafts(alarm: Alarm, people: Collection[Contact], hour: int) -> list[Draft]:
    """Return a message for each inbox and each verified method of these people."""
    methods = directory.sending_methods([person.pk for person in people])
    found: dict[str, Draft] = {}
    for person in people:
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
