"""Plays the recovery of the demo company: backups that run, one that is silent, restores that prove, fail and are overdue."""

from __future__ import annotations

from datetime import datetime, timedelta

from maintenance import services
from maintenance.enums import Frequency
from portal.audit.actor import acting
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.models import Dependency, System

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SILENT = "attachment-store"
LONG_GRACE = 14 * 1440  # minutes: nobody runs the demo's jobs, and only one of them shall be missed
REASON = "Every promise stands on something"
SET_UP = "command"  # nothing that a change would have announced
# Which system stands on which. Mail Intake promises more than the store that it needs.
NEEDS = (
    ("ticket-desk", "ticket-database"), ("ticket-desk", "message-queue"), ("mail-intake", "attachment-store"),
    ("customer-portal", "identity"), ("webhook-gateway", "message-queue"), ("billing-bridge", "reporting-warehouse"),
)  # fmt: skip
# System, what, every how many minutes, how old the newest data is in minutes when the run is over, hours since then.
BACKUPS = (
    ("ticket-database", "Write-ahead log of the tickets", 5, 1, 0.05), ("ticket-desk", "Settings and templates", 15, 2, 0.1),
    ("identity", "Accounts and keys", 60, 5, 0.6), ("attachment-store", "Files of customers", 60, 10, 5.5),
    ("knowledge-base", "Articles", 1440, 30, 9.0), ("reporting-warehouse", "Nightly copies", 1440, 60, 8.0),
    ("customer-portal", "Settings", 60, 10, 0.4), ("billing-bridge", "Counted seats", 240, 20, 3.0),
)  # fmt: skip
# System, days ago, minutes it took, minutes of data lost, whether it succeeded, what was found.
RESTORES = (
    ("ticket-desk", 40, 48, 9, True, "Restored in the second data centre from the night's copy and the log."),
    ("ticket-database", 33, 41, 4, True, "Replayed the log to the minute of the test."),
    ("identity", 71, 52, 30, True, "Sign-in answered after 52 minutes."),
    ("customer-portal", 20, 150, 25, True, "The image had to be built first: two and a half hours."),
    ("knowledge-base", 90, 95, 700, True, "All articles but those of the morning."),
    ("reporting-warehouse", 12, 610, 900, False, "The copy of Tuesday did not open; its checksum was wrong."),
    ("webhook-gateway", 55, 130, 40, True, "From the image, with the queue of the standby."),
)  # fmt: skip

# System, every how many months it is restored on purpose.
TESTED = (("ticket-desk", 3), ("knowledge-base", 6), ("customer-portal", 3))


def play(play: Play) -> int:
    """Write down needs, backups and restores, each when it was; return how many restores there are."""
    by, leads = play.people["tomasz"], play.people["hannah"]
    systems = {system.slug: system for system in System.objects.all()}
    began = play.now - 95 * DAY
    with acting(by=leads, at=began, origin=SET_UP, reason=REASON):
        for top, base in NEEDS:
            Dependency.objects.create(system=systems[top], needs=systems[base])
    for slug, what, every, age, hours in BACKUPS:
        made = play.now - timedelta(hours=hours) - 2 * HOUR
        words = {"what": what, "place": "Object store in the second data centre, encrypted", "frequency_minutes": every}
        words |= {"grace_minutes": 60 if slug == SILENT else LONG_GRACE, "owner": by}
        at = play.now - timedelta(hours=hours)
        with acting(by=leads, at=made, origin=SET_UP, reason=REASON):
            plan = services.plan_backup(systems[slug], words, by=leads, at=made, reason=REASON)
        with acting(by=by, at=at, origin=ORIGIN):
            services.record_run(
                plan, by=by, at=at, finished_at=at, started_at=at - MINUTE, size=every * 7_340_033, verified=True,
                stored=True, newest_data_at=at - age * MINUTE,
            )  # fmt: skip
    tested = dict(TESTED)
    for slug, days, took, lost, succeeded, found in RESTORES:
        start = play.now - days * DAY
        if slug in tested:
            _plan_tests(play, systems[slug], tested[slug], first=start)
        end = start + took * MINUTE
        with acting(by=by, at=end + 9 * MINUTE, origin=ORIGIN, reason=REASON):
            services.record_restore_test(
                systems[slug], started_at=start, ended_at=end, newest_recovered_at=start - lost * MINUTE,
                succeeded=succeeded, found=found, by=by, at=end + 9 * MINUTE,
            )  # fmt: skip
    return len(RESTORES)


def _plan_tests(play: Play, system: System, months: int, *, first: datetime) -> None:
    """Put a plan in force, shortly before its first date, by which a system is restored every so many months."""
    by, at = play.people["hannah"], first - 9 * DAY
    values = {
        "task": f"Restore test of {system}", "frequency": Frequency.MONTHLY, "every": months, "anchor": first.date(),
        "owner": play.people["tomasz"], "manager": by, "proves_recovery": True,
        "procedure": "Restore the newest backup on a spare machine, look how new its data is, and record the test.",
    }  # fmt: skip
    with acting(by=by, at=at, origin=ORIGIN, reason=REASON):
        plan = services.draft(values, [system], by=by, at=at, reason=REASON)
        services.put_in_force(plan, by=by, at=at, reason=REASON)
