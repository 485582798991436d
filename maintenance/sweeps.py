"""What the engine does for maintenance: opens dates, reminds, follows changes, moves windows, writes on Mondays."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, OuterRef

from maintenance import messages, mondays, services, windowing
from maintenance.enums import Source, State
from maintenance.exercises import reminding as exercises
from maintenance.messages import SIGN, Item
from maintenance.models import Occurrence, Plan
from maintenance.policy import Refused
from maintenance.reminding import MANAGER, TEAM, Step, kind_of, steps_between
from maintenance.services.asking import answered, with_answers
from maintenance.services.common import NOTICE, SYSTEM
from maintenance.services.opening import course_of
from maintenance.services.windows import WINDOW
from maintenance.silence import sweep_backups
from portal.audit.actor import Actor, acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState, Sweep
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.records import services as records
from portal.records.models import Note

log = logging.getLogger(__name__)
LOOK = "maintenance"  # the name under which the pulse of the look at plans is kept
TURN = "maintenance reminders"  # whoever holds this row's lock reminds; others leave it to them
LOOK_EVERY = timedelta(minutes=1)
AT_ONCE = 10_000  # reminders in one transaction, of which each person is told in one message
SIGN_EVERY = timedelta(days=7)
RANKS = {MANAGER: 1, TEAM: 2}
PEOPLE = ("plan__owner", "plan__backup", "plan__manager")
Batch = list[tuple[Deadline, Occurrence]]


def sweep_maintenance(*, at: datetime) -> int:
    """Do everything of maintenance that is due at `at`; return how many deadlines fired."""
    _look(at)
    due = deadlines.kinds_due([NOTICE, WINDOW, exercises.NOTICE], at=at)
    fired = sweep_backups(at=at)
    fired += windowing.sweep_windows(at=at) if WINDOW in due else 0
    fired += exercises.sweep_exercises(at=at) if exercises.NOTICE in due else 0
    return fired + (remind(at=at) if NOTICE in due else 0)


@transaction.atomic
def remind(*, at: datetime) -> int:
    """Send the reminders that are due, all of a person's in one message, and return how many there were.

    Of several sweeps at once one does it: else a person could be told in as many digests as there are sweeps.
    """
    if not deadlines.takes_turn(TURN, at=at):
        return 0
    with acting(by=SYSTEM, origin="task", at=at, reason="A reminder was due."):
        return deadlines.fire_due(kinds=[NOTICE], at=at, lock=lock, handle=handle, limit=AT_ONCE).count


def lock(ids: list[int], _at: datetime) -> Mapping[int, Occurrence]:
    """Lock the occurrences in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = Occurrence.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    held = list(rows.values_list("pk", flat=True))
    # The people are few: joined, each would be made anew for each of their dates.
    found = Occurrence.objects.select_related("plan").prefetch_related(*PEOPLE, "plan__team__members")
    return found.in_bulk(held)


def handle(batch: Batch, at: datetime) -> None:
    """Tell who must be told, write it into the timelines, and write down when each is reminded next."""
    items: dict[int, list[Item]] = defaultdict(list)
    people: dict[int, Contact] = {}
    notes: list[Note] = []
    coming: list[Deadline] = []
    kind = ContentType.objects.get_for_model(Occurrence).pk
    told_before, last_resort = _told_before(kind, batch), _last_resort(batch)
    for deadline, occurrence in batch:
        if not occurrence.is_standing:
            continue
        passed, following = _steps(deadline, occurrence, told_before[occurrence.pk], at)
        coming += deadlines.following(deadline, passed=passed, waits=following, at=at)
        told = _told(occurrence, [deadline.key, *(step.key for step in passed)], last_resort)
        alone = bool(last_resort) and messages.leads_nowhere(occurrence.plan)
        for contact, key in told.values():
            people[contact.pk] = contact
            items[contact.pk].append(Item(occurrence, key, deadline.generation, alone and kind_of(key) in messages.UP))
        notes.append(_note(kind, occurrence, told, at, alone=alone))
    deadlines.start_many(coming)
    records.write_notes(notes)
    messages.tell(items, people, at=at)


def _told_before(kind: int, batch: Batch) -> dict[int, set[str]]:
    """Return what was told already of the dates whose reminders began anew, such as with another grace."""
    anew = {occurrence.pk for deadline, occurrence in batch if deadline.generation > 1}
    rows = Deadline.objects.filter(subject_type=kind, subject_id__in=anew, kind=NOTICE, state=DeadlineState.FIRED)
    found: dict[int, set[str]] = defaultdict(set)
    for pk, key in rows.values_list("subject_id", "key") if anew else ():
        found[pk].add(key)
    return found


def _steps(deadline: Deadline, occurrence: Occurrence, told: set[str], at: datetime) -> tuple[list[Step], Step]:
    """Return the reminders that fell due after this one while nothing ran, and the next one."""
    if kind_of(deadline.key) == SIGN:
        number = int(deadline.key.partition(":")[2] or 0) + 1
        return [], Step(at + SIGN_EVERY, 0, f"{SIGN}:{number}")
    here = Step(deadline.due_at, RANKS.get(deadline.key, 0), deadline.key)
    return steps_between(course_of(occurrence.plan, occurrence.due_at), after=here, until=at, told=told)


def _last_resort(batch: Batch) -> list[Contact]:
    """Return the administrators where the line of a plan among these leads nowhere. One query, or none."""
    plans = (occurrence.plan for _, occurrence in batch)
    return directory.administrators() if any(messages.leads_nowhere(plan) for plan in plans) else []


def _told(
    occurrence: Occurrence, keys: list[str], last_resort: Sequence[Contact] = ()
) -> dict[int, tuple[Contact, str]]:
    """Return who is told, each of the gravest reminder that concerns them."""
    found: dict[int, tuple[Contact, str]] = {}
    for key in keys:  # the later, the graver
        for contact in messages.recipients(occurrence, key, last_resort=last_resort):
            found[contact.pk] = (contact, key)
    return found


def _note(
    kind: int, occurrence: Occurrence, told: Mapping[int, tuple[Contact, str]], at: datetime, *, alone: bool
) -> Note:
    """Return the line of the timeline; `alone` says that only the administrators were left to be told."""
    names = ", ".join(contact.name for contact, _ in told.values())
    kinds = {kind_of(key) for _, key in told.values()}
    grave = kinds & {MANAGER, TEAM}
    text = f"{'told' if grave else 'reminded'} {names}" if names else "found nobody to remind: everybody named has left"
    if alone and kinds & messages.UP:
        text += f"; {messages.WHY_YOU}"
    return records.make_note(
        subject_type_id=kind, subject_id=occurrence.pk, kind="escalated" if grave else "reminded", text=text,
        by=SYSTEM, at=at,
    )  # fmt: skip


def _look(at: datetime) -> None:
    """Look at what no deadline waits for, once a minute however often the sweep runs."""
    if not _is_mine(at):
        return
    with acting(by=SYSTEM, origin="task", at=at, reason="Its next date was due to be opened."):
        open_dates(at=at)
        follow_changes(at=at)
        services.open_ahead(at=at)
        mondays.write(at=at)


def _is_mine(at: datetime) -> bool:
    """Tell whether this sweep is the one that looks in this minute. A clock that was wrong stops it for a minute."""
    last = Sweep.objects.filter(name=LOOK).values_list("at", flat=True).first()
    if last is None:
        return Sweep.objects.get_or_create(name=LOOK, defaults={"at": at})[1]
    if at - LOOK_EVERY < last <= at + LOOK_EVERY:
        return False
    return bool(Sweep.objects.filter(name=LOOK, at=last).update(at=at))


@transaction.atomic
def open_dates(*, at: datetime) -> int:
    """Open the next date of every plan in force that has none, and return how many there were.

    Each is locked: one that a verb holds just now is left to the next sweep, and one that is retired or changed
    meanwhile waits until its date stands, so that it is withdrawn.
    """
    standing = Occurrence.objects.standing().filter(plan=OuterRef("pk"))
    lacking = Plan.objects.in_force().filter(~Exists(standing)).order_by("pk")
    lacking = lacking.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return services.open_many(lacking.prefetch_related("calendar")[:AT_ONCE], at=at)


def follow_changes(*, at: datetime) -> int:
    """Complete what changes have done: those whose every demand is answered. Return how many there were.

    What a change did before the date could be done waits until it can; what cannot be completed yet, such as while a
    checklist of it is open, is tried again. Neither stops the others.
    """
    waiting = Occurrence.objects.filter(state=State.OPEN).exclude(plan__topic="").select_related("plan")
    done = 0
    for occurrence in with_answers(waiting).order_by("pk"):
        found = answered(occurrence)
        if found is None:
            continue
        change, moment, name = found
        done_at = max(moment, occurrence.starts_at)
        if done_at > at:
            continue
        try:
            services.complete(
                occurrence, by=Actor(name=name), at=at, done_at=done_at, source=Source.CHANGE, change=change,
                late_because="The change was closed then.", found=f"Done by the change {change}.",
            )  # fmt: skip
        except Refused as refused:
            log.info("%s is not completed by %s yet: %s", occurrence.reference, change, refused)
            continue
        done += 1
    return done
