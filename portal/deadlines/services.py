"""The verbs of a deadline: start, move, meet, cancel, fire what is due, and how far behind the engine is.

Lock order everywhere: the subject first, then its deadlines. The caller of `move`, `meet` and `cancel` holds the
subject.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Required, TypedDict, Unpack

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.db.models import F, Q, QuerySet

from portal.deadlines.lateness import Lateness
from portal.deadlines.models import Deadline, DeadlineState, Sweep
from portal.lib.inserting import insert_many

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=15)

Lock = Callable[[list[int], datetime], Mapping[int, Any]]
Handle = Callable[[list[tuple[Deadline, Any]], datetime], None]


class Reminder(Protocol):
    """A moment at which somebody is reminded, and its key."""

    @property
    def at(self) -> datetime: ...  # noqa: D102 - see the class

    @property
    def key(self) -> str: ...  # noqa: D102 - likewise


@dataclass(frozen=True, slots=True)
class Fired:
    """What one call of `fire_due` did: deadlines settled, and how many were found due."""

    count: int
    found: int


class Given(TypedDict, total=False):
    """What a deadline is made of; each column that is left out gets its default."""

    kind: Required[str]
    subject: Required[models.Model]
    key: str
    generation: int
    started_at: Required[datetime]
    due_at: Required[datetime]
    payload: dict[str, Any]


def new(**given: Unpack[Given]) -> Deadline:
    """Return that something is due for `subject`, for `start_many`."""
    subject = given["subject"]
    columns = {name: value for name, value in given.items() if name != "subject"}
    return Deadline(subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk, **columns)


def start(**given: Unpack[Given]) -> Deadline:
    """Write down what `new` returns. IntegrityError is raised for the same key and generation."""
    deadline = new(**given)
    deadline.save(force_insert=True)
    return deadline


def start_many(deadlines: Collection[Deadline]) -> None:
    """Write down many deadlines at once; one that stands already is left as it is."""
    insert_many(list(deadlines), ignore_conflicts=True)


def following(before: Deadline, *, passed: Iterable[Reminder], waits: Reminder, at: datetime) -> list[Deadline]:
    """Return the rows of the reminders after one, to be written by the caller.

    Those that `passed` fell due while nothing ran, and count as fired now; one `waits`.
    """

    def row(one: Reminder, *, fired: bool) -> Deadline:
        return Deadline(
            kind=before.kind, subject_type_id=before.subject_type_id, subject_id=before.subject_id, key=one.key,
            generation=before.generation, started_at=at, due_at=one.at,
            state=DeadlineState.FIRED if fired else DeadlineState.PENDING, settled_at=at if fired else None,
            lateness=(at - one.at).total_seconds() if fired else None,
        )  # fmt: skip

    return [*(row(one, fired=True) for one in passed), row(waits, fired=False)]


def takes_turn(name: str, *, at: datetime) -> bool:
    """Tell whether this sweep is the one that works now, until its transaction ends; others leave the work to it."""
    Sweep.objects.bulk_create([Sweep(name=name, at=at)], ignore_conflicts=True)
    return bool(list(Sweep.objects.select_for_update(skip_locked=True).filter(name=name).values_list("pk")))


def move(*, kind: str, subject: models.Model, key: str = "", started_at: datetime, due_at: datetime) -> None:
    """Let the pending deadline of `subject` be due at another moment; without one, start the next generation."""
    mine = of(subject, [kind]).filter(key=key)
    pending = mine.filter(state=DeadlineState.PENDING)
    if pending.update(started_at=started_at, due_at=due_at, retry_at=None, attempts=0, error=""):
        return
    last = mine.aggregate(last=models.Max("generation"))["last"] or 0
    start(kind=kind, subject=subject, key=key, generation=last + 1, started_at=started_at, due_at=due_at)


@transaction.atomic
def meet(*, subject: models.Model, kind: str, key: str, at: datetime) -> Deadline | None:
    """Record that what was promised has happened, and return the newest such deadline; nothing when there is none.

    In time it is met. Too late it is missed for good, whether or not a sweep has noticed: its lateness (seconds) is
    kept beside the moment of meeting. One that is already met or cancelled stays as it is.
    """
    found = of(subject, [kind]).filter(key=key).select_for_update().order_by("-generation").first()
    if found is None:
        return None
    if found.state == DeadlineState.PENDING:
        late = (at - found.due_at).total_seconds()
        found.state = DeadlineState.MET if late <= 0 else DeadlineState.FIRED
        found.lateness = None if late <= 0 else late
        found.settled_at = found.met_at = at
    elif found.state == DeadlineState.FIRED and found.met_at is None:
        found.met_at = at
    else:
        return found
    found.save(update_fields=["state", "lateness", "settled_at", "met_at"])
    return found


def cancel(*, subject: models.Model, at: datetime, kind: str | None = None, key: str | None = None) -> int:
    """Cancel the pending deadlines of `subject`, narrowed by kind and key, and return how many there were."""
    pending = of(subject, None if kind is None else [kind]).filter(state=DeadlineState.PENDING)
    if key is not None:
        pending = pending.filter(key=key)
    return pending.update(state=DeadlineState.CANCELLED, settled_at=at)


def of(subject: models.Model, kinds: Collection[str] | None = None) -> QuerySet[Deadline]:
    """Return the deadlines of `subject`, in the order in which they are due."""
    found = Deadline.objects.filter(
        subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk
    ).order_by("due_at", "id")
    return found if kinds is None else found.filter(kind__in=kinds)


def fire_due(*, kinds: Collection[str], at: datetime, lock: Lock, handle: Handle, limit: int = 500) -> Fired:
    """Hand at most `limit` due deadlines of these kinds to `handle`, and settle them as fired in its transaction.

    All kinds share one type of subject. `lock(subject_ids, at)` is called inside the transaction; it locks the
    subjects in the order of their ids, leaves out busy ones (they wait for the next sweep), and returns the others by
    id. `handle(batch, at)` gets (deadline, subject) pairs in the order in which they were due. A batch that raises is
    rolled back and split; a row that raises alone is pushed back with its error. A deadline whose subject no longer
    exists is cancelled. Safe in any number of processes at once.
    """
    candidates = list(
        _due(kinds, at).order_by("due_at", "id").values_list("id", "subject_id", "subject_type_id")[:limit]
    )
    if not candidates:
        return Fired(0, 0)
    firing = _Firing(at, lock, handle)
    count = firing.split([(pk, subject_id) for pk, subject_id, _ in candidates])
    if firing.unlocked:
        _cancel_orphans(candidates, firing.unlocked, at)
    return Fired(count, len(candidates))


def kinds_due(kinds: Collection[str], *, at: datetime) -> set[str]:
    """Return those of `kinds` of which at least one deadline is due: a quiet sweep asks once, whatever it watches."""
    return set(_due(kinds, at).order_by().values_list("kind", flat=True).distinct())


def _due(kinds: Collection[str], at: datetime) -> QuerySet[Deadline]:
    return Deadline.objects.filter(
        Q(retry_at=None) | Q(retry_at__lte=at), state=DeadlineState.PENDING, due_at__lte=at, kind__in=list(kinds)
    )


class _Firing:
    """One call of `fire_due`: its moment, the caller's two functions, and which subjects could not be locked."""

    def __init__(self, at: datetime, lock: Lock, handle: Handle) -> None:
        self.at, self.lock, self.handle = at, lock, handle
        self.unlocked: set[int] = set()

    def split(self, candidates: Sequence[tuple[int, int]]) -> int:
        """Fire the candidates in one transaction; when that raises, in halves, until the poison row stands alone."""
        try:
            return self.fire(candidates)
        except Exception as problem:
            if connection.connection is None or connection.needs_rollback or not connection.is_usable():
                raise  # nobody's fault in particular: the next sweep tries again
            if len(candidates) == 1:
                _push_back(candidates[0][0], problem, self.at)
                return 0
        middle = len(candidates) // 2
        return self.split(candidates[:middle]) + self.split(candidates[middle:])

    @transaction.atomic
    def fire(self, candidates: Sequence[tuple[int, int]]) -> int:
        """Lock subjects, claim their deadlines, hand them over and settle them. Returns how many were settled."""
        wanted = sorted({subject_id for _, subject_id in candidates})
        subjects = self.lock(wanted, self.at)
        self.unlocked.update(pk for pk in wanted if pk not in subjects)
        ids = [pk for pk, subject_id in candidates if subject_id in subjects]
        # Read again under the subjects' locks: another sweep may have settled some meanwhile.
        claimed = list(
            Deadline.objects.filter(pk__in=ids, state=DeadlineState.PENDING, due_at__lte=self.at)
            .select_for_update(skip_locked=True)
            .order_by("due_at", "id")
        )
        if not claimed:
            return 0
        self.handle([(deadline, subjects[deadline.subject_id]) for deadline in claimed], self.at)
        settled = Deadline.objects.filter(pk__in=[deadline.pk for deadline in claimed], state=DeadlineState.PENDING)
        return settled.update(state=DeadlineState.FIRED, settled_at=self.at, lateness=Lateness(self.at, F("due_at")))


def _push_back(pk: int, problem: Exception, at: datetime) -> None:
    """Let a row that cannot be handled wait, each time longer, with its error in sight. It stays pending."""
    with transaction.atomic():
        row = Deadline.objects.select_for_update().get(pk=pk)
        if row.state != DeadlineState.PENDING:
            return
        row.retry_at = at + min(FIRST_RETRY * 3 ** min(row.attempts, 8), LONGEST_RETRY)
        row.attempts = min(row.attempts + 1, 32000)
        row.error = f"{type(problem).__name__}: {problem}"[:2000]
        row.save(update_fields=["retry_at", "attempts", "error"])


def _cancel_orphans(candidates: list[tuple[int, int, int]], unlocked: set[int], at: datetime) -> None:
    """Cancel deadlines whose subject is gone, so that they never stand in the way of the others."""
    subject_type = ContentType.objects.get_for_id(candidates[0][2])
    model = subject_type.model_class()
    there: set[int] = set()
    if model is not None:
        there = set(model._base_manager.filter(pk__in=unlocked).values_list("pk", flat=True))
    orphans = [
        pk for pk, subject_id, type_id in candidates if subject_id in unlocked - there and type_id == subject_type.pk
    ]
    if orphans:
        Deadline.objects.filter(pk__in=orphans, state=DeadlineState.PENDING).update(
            state=DeadlineState.CANCELLED, settled_at=at, error="Its subject no longer exists."
        )


def oldest_overdue_seconds(*, at: datetime) -> float:
    """Return for how many seconds the oldest pending deadline has been due; 0.0 when none is."""
    oldest = (
        Deadline.objects.filter(state=DeadlineState.PENDING, due_at__lte=at)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first()
    )
    return 0.0 if oldest is None else (at - oldest).total_seconds()


def mark_sweep(name: str, *, at: datetime) -> None:
    """Write down that the sweep of this name ran."""
    Sweep.objects.bulk_create(
        [Sweep(name=name, at=at)], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )


def last_sweep_age_seconds(*, at: datetime) -> float | None:
    """Return how many seconds ago the newest sweep ran; nothing when none ever did."""
    newest = Sweep.objects.order_by("-at").values_list("at", flat=True).first()
    return None if newest is None else (at - newest).total_seconds()
