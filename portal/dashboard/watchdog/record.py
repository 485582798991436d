"""Alarms of the record: what is not sealed, anchored, verified or reconciled in time, and what was found wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.audit import anchors, reconciling, sealing, told
from portal.dashboard.watchdog.alarm import NAMED, Alarm
from portal.lib import times
from portal.records.evidence import verifying as evidence

MOST_UNRECONCILED = timedelta(hours=36)


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


CHECKS = (_unreconciled, _unsealed, _unanchored, _differing, _unverified, _typed, _damaged, _unread)
