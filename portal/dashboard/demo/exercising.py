"""Plays the recovery exercises of the demo company: one measured in full, one tabletop that is due, what was found."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from maintenance.exercises import services
from maintenance.exercises.services.planning import StepWords
from maintenance.models import Exercise, RecoveryPlan
from portal.actions import services as actions
from portal.actions.reminding import due_moment
from portal.actions.sweeps import sweep_actions
from portal.audit.actor import acting
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.models import Contact, System
from portal.lib.zones import zone_or_utc
from portal.runbooks.models import RunbookVersion

WRITTEN, HELD, TALKED = timedelta(days=48), timedelta(days=23), timedelta(days=20)
MINUTE = timedelta(minutes=1)
# What is done, by whom, minutes by estimate, whether it recovers; when it was started and done, and what was noted.
DATABASE: tuple[tuple[str, str, int, bool, float, float, str], ...] = (
    ("Declare the loss, tell support and stop the writers of the ticket desk", "hannah", 5, True, 0.5, 4.2, ""),
    ("Fetch the newest base backup and the log since then from the store", "mei", 10, True, 4.5, 17.1,
     "The key of the store was not where the plan says. Found in the old vault."),
    ("Load the base backup into a clean machine", "tomasz", 25, True, 17.6, 38.9, "142 GB at 112 MB/s"),
    ("Replay the log up to the last complete segment", "tomasz", 10, True, 39.2, 46.0, ""),
    ("Count tickets, look at the ten newest, run the checks of the schema", "mei", 10, True, 46.3, 52.4,
     "Newest ticket 11 minutes before the loss"),
    ("Point ticket desk and mail intake at the new machine and open the writers", "tomasz", 5, True, 52.8, 56.3, ""),
    ("Build a new standby and wipe the machine that was lost", "mei", 45, False, 58.0, 96.5, ""),
)  # fmt: skip
LEARNED = (
    "The database came back with everything but the last eleven minutes. A third of the time went into the key of the backup "
    "store: the plan names a vault that is no longer used.\n\nThe load is bound by the network, not by the disks."
)
# What was found: words, kind, owner, when it is due in days after the exercise; when it was done, and how.
FOUND: tuple[tuple[str, str, str, int, int, str], ...] = (
    ("Put the key of the backup store where the plan says, and test that it opens", "corrective", "mei", 7, 5,
     "The key lies in the shared vault. Mei and Tomasz opened the store with it."),
    ("Ship the log every minute instead of every fifteen", "preventive", "tomasz", 16, 0, ""),
    ("Alarm when the newest shipped log is older than ten minutes", "detective", "diego", 40, 0, ""),
)  # fmt: skip
IDENTITY = (
    StepWords("Restore the directory of accounts from the nightly copy", 40),
    StepWords("Bring the signing keys back from the sealed envelope", 30),
    StepWords("Sign in with a test account from outside", 10),
    StepWords("Let everybody set a new password, department by department", 240, recovers=False),
)


def play(play: Play) -> int:
    """Write two recovery plans, exercise one in full, schedule a tabletop of the other; return how many plans.

    Only accounts do it: without the demo's logins there is nobody.
    """
    people = play.people
    if not people["kwame"].user_id:
        return 0
    play.engine = (*play.engine, sweep_actions)
    steps = [StepWords(text, minutes, people[who], recovers) for text, who, minutes, recovers, *_ in DATABASE]
    database = play.alone(
        _plan, people, "ticket-database", "Ticket database from its backups", steps, "tomasz", at=play.now - WRITTEN
    )
    identity = play.alone(
        _plan,
        people,
        "identity",
        "Identity provider from the nightly copy",
        list(IDENTITY),
        "kwame",
        at=play.now - TALKED,
    )
    exercise = play.alone(_hold, play, database)
    for found in FOUND:
        play.alone(_find, play, exercise, *found)
    by = people["hannah"]
    with acting(by=by, at=play.now - timedelta(days=6), origin=ORIGIN):
        services.schedule(
            identity, kind="tabletop", lead=people["kwame"], scheduled_for=play.now - timedelta(hours=19), by=by,
            at=play.now - timedelta(days=6),
        )  # fmt: skip
    return 2


def _plan(
    people: dict[str, Contact], slug: str, title: str, steps: list[StepWords], owner: str, *, at: datetime
) -> RecoveryPlan:
    system, by = System.objects.get(slug=slug), people["hannah"]
    reason = "What is promised has to be tried"
    values: dict[str, Any] = {
        "title": title, "system": system, "owner": people[owner], "manager": by, "every_months": 12,
        "runbook_version": RunbookVersion.objects.filter(runbook__system=system, state="published").first(),
        "summary": "When the system is gone and cannot be repaired within an hour. The incident commander decides.",
    }  # fmt: skip
    with acting(by=by, at=at, origin=ORIGIN, reason=reason):
        plan = services.draft(values, steps, by=by, at=at, reason=reason)
        return services.put_in_force(plan, by=by, at=at, reason=reason)


def _held(play: Play) -> datetime:
    """Return when the exercise began: early in an afternoon."""
    return (play.now - HELD).replace(hour=13, minute=10, second=0, microsecond=0)


def _hold(play: Play, plan: RecoveryPlan) -> Exercise:
    people, begins = play.people, _held(play)
    lead = people["hannah"]
    with acting(by=lead, at=begins - timedelta(days=10), origin=ORIGIN):
        exercise = services.schedule(
            plan, kind="full", lead=lead, scheduled_for=begins, by=lead, at=begins - timedelta(days=10)
        )
    with acting(by=lead, at=begins, origin=ORIGIN):
        exercise = services.start(exercise, by=lead, at=begins)
    for step, (_, who, _, _, started, done, note) in zip(exercise.steps.order_by("position"), DATABASE, strict=True):
        for verb, minutes, words in ((services.start_step, started, ""), (services.finish_step, done, note)):
            at = begins + minutes * MINUTE
            with acting(by=people[who], at=at, origin=ORIGIN):
                verb(step, by=people[who], at=at, note=words)
    ends = begins + 104 * MINUTE
    with acting(by=lead, at=ends, origin=ORIGIN):
        return services.end(exercise, by=lead, at=ends, newest_data_at=begins - 11 * MINUTE, summary=LEARNED)


def _find(play: Play, exercise: Exercise, title: str, kind: str, who: str, due: int, done: int, note: str) -> None:
    by, owner = play.people["hannah"], play.people[who]
    at = _held(play) + timedelta(hours=3)
    day = (at + timedelta(days=due)).date()
    with acting(by=by, at=at, origin=ORIGIN):
        item = actions.open_item(
            title=title, kind=kind, owner=owner, due_at=due_moment(day, zone_or_utc(owner.time_zone)), by=by, at=at,
            source=exercise,
        )  # fmt: skip
    if done:
        later = at + timedelta(days=done)
        with acting(by=owner, at=later, origin=ORIGIN):
            actions.complete(item, note=note, by=owner, at=later)
