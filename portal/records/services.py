"""The verbs that every domain shares: references, timeline notes, periods, demands and links."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import F, Q, QuerySet

from portal.audit import trail
from portal.audit.actor import By, acting, actor_of, current
from portal.audit.enums import Action
from portal.directory.models import System
from portal.lib.inserting import insert_many
from portal.lib.visibility import narrowed
from portal.records.models import Counter, Demand, Link, Note, Period

AT_ONCE = 100
MADE = "record made"  # under which an answer names the record that was made
ANSWERED = ["answer", "made_type", "made_id", "answered_by", "answered_at", "retry_at", "error"]
MOST_TRIES = 10  # of one demand: the last about an hour after the first
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=15)


@transaction.atomic
def next_reference(prefix: str) -> str:
    """Return the next reference of a prefix, such as INC-000042. Numbers are given out once, in a row per prefix."""
    mine = Counter.objects.filter(prefix=prefix)
    if not mine.update(last=F("last") + 1):
        Counter.objects.bulk_create([Counter(prefix=prefix)], ignore_conflicts=True)
        mine.update(last=F("last") + 1)
    # The update holds the row's lock until the transaction ends, so that this is the number it made.
    return f"{prefix}-{mine.values_list('last', flat=True).get():06d}"


def make_note(
    *,
    subject_type_id: int,
    subject_id: int,
    kind: str,
    text: str,
    by: By,
    at: datetime,
    event_at: datetime | None = None,
    **more: Any,
) -> Note:
    """Return an unsaved timeline note. `event_at` is when it happened, `at` when it is written down.

    `more` may name detail, reason, audience, corrects and data. Origin and gesture come from the open acting context.
    """
    actor, context = actor_of(by), current()
    if context is not None:
        more["gesture"] = context.gesture
        more["origin"] = context.origin
    return Note(
        subject_type_id=subject_type_id,
        subject_id=subject_id,
        kind=kind,
        text=text,
        event_at=event_at or at,
        recorded_at=at,
        actor_name=actor.name,
        actor_user_id=actor.user_id,
        actor_contact_id=actor.contact_id,
        **more,
    )


def write_note(subject: models.Model, *, kind: str, text: str, by: By, at: datetime, **more: Any) -> Note:
    """Write one line into the timeline of `subject`; `more` as in make_note, and `event_at`."""
    subject_type = ContentType.objects.get_for_model(subject)
    note = make_note(subject_type_id=subject_type.pk, subject_id=subject.pk, kind=kind, text=text, by=by, at=at, **more)
    note.save()
    return note


def write_notes(notes: Collection[Note]) -> None:
    """Write many timeline notes at once."""
    insert_many(list(notes))


def timeline(subject: models.Model) -> QuerySet[Note]:
    """Return the notes of `subject`, newest event first."""
    return Note.objects.filter(subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk)


def timelines(model: type[models.Model], ids: Collection[int]) -> QuerySet[Note]:
    """Return the notes of several records of one kind, newest event first."""
    return Note.objects.filter(subject_type=ContentType.objects.get_for_model(model), subject_id__in=ids)


def open_period(
    record: models.Model, *, systems: Collection[System], kind: str, weight: int, starts: datetime, reference: str
) -> None:
    """Say that something goes on with these systems from `starts`; a period that is open already stays."""
    record_type = ContentType.objects.get_for_model(record)
    standing = set(_open_periods(record, kind).values_list("system_id", flat=True))
    Period.objects.bulk_create(
        [
            Period(
                system=system,
                kind=kind,
                weight=weight,
                starts=starts,
                record_type=record_type,
                record_id=record.pk,
                reference=reference,
            )
            for system in systems
            if system.pk not in standing
        ],
        ignore_conflicts=True,
    )


def close_periods(record: models.Model, *, kind: str, ends: datetime, systems: Collection[System] | None = None) -> int:
    """End the open periods of this kind that `record` holds, of all systems or of these, and return how many."""
    periods = _open_periods(record, kind)
    if systems is not None:
        periods = periods.filter(system__in=systems)
    # Clocks of several machines differ a little: what began after its end lasted no time.
    return periods.filter(starts__gt=ends).update(ends=F("starts")) + periods.update(ends=ends)


def void_periods(record: models.Model, *, kind: str) -> None:
    """Let the periods of this kind that `record` holds, or held, last no time: what they said was not so."""
    record_type = ContentType.objects.get_for_model(record)
    Period.objects.filter(record_type=record_type, record_id=record.pk, kind=kind).update(ends=F("starts"))


def weigh_periods(record: models.Model, *, kind: str, weight: int, at: datetime) -> None:
    """Give the open periods of this kind that `record` holds another weight from `at`; what was before stays."""
    systems = [period.system for period in _open_periods(record, kind).exclude(weight=weight).select_related("system")]
    reference = _open_periods(record, kind).values_list("reference", flat=True).first() or ""
    _open_periods(record, kind).filter(starts__gte=at).update(weight=weight)
    earlier = _open_periods(record, kind).filter(starts__lt=at).exclude(weight=weight)
    if earlier.update(ends=at):
        open_period(record, systems=systems, kind=kind, weight=weight, starts=at, reference=reference)


def _open_periods(record: models.Model, kind: str) -> QuerySet[Period]:
    record_type = ContentType.objects.get_for_model(record)
    return Period.objects.filter(record_type=record_type, record_id=record.pk, kind=kind, ends=None)


def periods_of(system: System, *, since: datetime, until: datetime) -> QuerySet[Period]:
    """Return what went on with `system` at any moment between `since` and `until`."""
    return Period.objects.filter(Q(ends=None) | Q(ends__gt=since), system=system, starts__lt=until)


def ask(
    *,
    topic: str,
    key: str,
    payload: dict[str, Any],
    by: By,
    at: datetime,
    answer_by: datetime,
    system: System | None = None,
) -> Demand:
    """Ask the owner of `topic` for something. The same key asks once: the demand that stands is returned."""
    Demand.objects.bulk_create(
        [
            Demand(
                topic=topic,
                key=key,
                system=system,
                payload=payload,
                asked_at=at,
                asked_by=actor_of(by).name,
                answer_by=answer_by,
            )
        ],
        ignore_conflicts=True,
    )
    return Demand.objects.get(key=key)


def answer_demands(topic: str, *, at: datetime, handle: Callable[[Demand], dict[str, Any] | None]) -> int:
    """Answer the open demands of `topic`, each in a transaction of its own, and return how many were answered.

    `handle` returns the answer, and under `MADE` the record that it made, if any. When it raises, the error is kept on
    the demand, which is tried again after those that never failed, each time later; after ten tries it is given up, and
    the watchdog says so.
    """
    due = Q(retry_at=None) | Q(retry_at__lte=at)
    waiting = Demand.objects.filter(due, topic=topic, answered_at=None, given_up_at=None)
    waiting = waiting.order_by("tries", "asked_at", "id")
    return sum(_answer(pk, at, handle) for pk in list(waiting.values_list("pk", flat=True)[:AT_ONCE]))


@transaction.atomic
def _answer(pk: int, at: datetime, handle: Callable[[Demand], dict[str, Any] | None]) -> bool:
    demand = Demand.objects.filter(pk=pk, answered_at=None).select_for_update(skip_locked=True, of=("self",)).first()
    if demand is None:
        return False
    try:
        with transaction.atomic():
            answer = handle(demand) or {}
            made = answer.pop(MADE, None)
            demand.answer = answer
            if made is not None:
                demand.made_type, demand.made_id = ContentType.objects.get_for_model(made), made.pk
    except Exception as problem:  # noqa: BLE001 - whatever it was, it is shown and must not stop the others
        _put_off(demand, problem, at)
        return False
    context = current()
    demand.answered_by = context.actor.name if context else f"system: {demand.topic}"
    demand.answered_at, demand.retry_at, demand.error = at, None, ""
    demand.save(update_fields=ANSWERED)
    return True


def _put_off(demand: Demand, problem: Exception, at: datetime) -> None:
    """Keep the error and try again later, or no more.

    Its first line alone: in the others, PostgreSQL quotes the row that failed, which may be about a restricted record.
    """
    sentence = next(iter(str(problem).splitlines()), "")
    demand.error = f"{type(problem).__name__}: {sentence}"[:2000]
    demand.tries += 1
    demand.retry_at = at + min(FIRST_RETRY * 3 ** min(demand.tries - 1, 8), LONGEST_RETRY)
    if demand.tries >= MOST_TRIES:
        demand.given_up_at, demand.retry_at = at, None
    demand.save(update_fields=["error", "tries", "retry_at", "given_up_at"])


@transaction.atomic
def try_again(demand: Demand, *, by: By, at: datetime, reason: str) -> None:
    """Let a demand that was given up be tried again, by the next sweep. ValueError: it was not given up."""
    held = Demand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if held.given_up_at is None:
        raise ValueError("This request was not given up: it is tried again by itself.")
    held.tries, held.retry_at, held.given_up_at = 0, None, None
    held.save(update_fields=["tries", "retry_at", "given_up_at"])
    with acting(by=by, at=at, reason=reason):
        trail.record(Action.EVENT, event=f"Had a request tried again that was given up: {held}", subject=held)


@transaction.atomic
def settle_by_hand(demand: Demand, *, by: By, at: datetime, reason: str) -> None:
    """Close a demand that was given up: somebody did what it asked for, or it no longer matters.

    ValueError: it was not given up.
    """
    held = Demand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if held.given_up_at is None or held.answered_at is not None:
        raise ValueError("This request was not given up: it is answered by itself.")
    held.answered_at, held.answered_by = at, actor_of(by).name
    held.answer, held.given_up_at = {"settled_by_hand": reason}, None
    held.save(update_fields=["answered_at", "answered_by", "answer", "given_up_at"])
    with acting(by=by, at=at, reason=reason):
        trail.record(Action.EVENT, event=f"Closed a request by hand that was given up: {held}", subject=held)


def unanswered(*, at: datetime) -> QuerySet[Demand]:
    """Return the demands that nobody answered in time and that are still tried."""
    return Demand.objects.filter(answered_at=None, given_up_at=None, answer_by__lt=at)


def given_up() -> QuerySet[Demand]:
    """Return the demands that are tried no more, until somebody mends what is wrong with them."""
    return Demand.objects.filter(answered_at=None, given_up_at__isnull=False)


ACTION = "action"
"""The kind of link from an action item to what it came from. Pages show action items in a block of their own."""

# kind of link: its words on the page of the record that it begins at, and on the other one
LINK_WORDS: dict[str, tuple[str, str]] = {
    "fixes": ("Fixes", "Fixed by"),
    "caused": ("Caused", "Caused by"),
    "suspect": ("May have caused", "Suspect"),
    "carries_out": ("Carries out", "Carried out by"),
    "covers": ("Covers", "Covered by"),
    ACTION: ("Came from", "Led to"),
}


@dataclass(frozen=True, slots=True)
class Linked:
    """The other end of a link, as seen from one record."""

    kind: str
    record: models.Model
    forward: bool
    made_at: datetime
    made_by: str

    @property
    def words(self) -> str:
        """Return what the link says, from the side of the record whose page shows it."""
        forward, back = LINK_WORDS.get(self.kind, (self.kind.capitalize(), self.kind.capitalize()))
        return forward if self.forward else back


def link(a: models.Model, b: models.Model, *, kind: str, by: By, at: datetime) -> None:
    """Link `a` to `b`, for both to show. The same link is made once."""
    row = Link(
        kind=kind,
        from_type=ContentType.objects.get_for_model(a),
        from_id=a.pk,
        to_type=ContentType.objects.get_for_model(b),
        to_id=b.pk,
        made_at=at,
        made_by=actor_of(by).name,
    )
    Link.objects.bulk_create([row], ignore_conflicts=True)


def links_of(record: models.Model, *, user: Any) -> list[Linked]:
    """Return the records linked with `record`, in either direction, oldest link first.

    Those that are gone, and those that `user` may not see, are left out: of them the reader learns not even that they
    are linked. Action items stand in a block of their own. One query, and one for each kind of record.
    """
    me = ContentType.objects.get_for_model(record).pk
    mine = Link.objects.filter(Q(from_type=me, from_id=record.pk) | Q(to_type=me, to_id=record.pk))
    mine = mine.exclude(kind=ACTION).order_by("made_at", "id")
    ends = []
    for row in mine:
        forward = (row.from_type_id, row.from_id) == (me, record.pk)
        ends.append((row, forward, (row.to_type_id, row.to_id) if forward else (row.from_type_id, row.from_id)))
    others = records_of({end for _, _, end in ends}, user)
    return [
        Linked(row.kind, others[end], forward, row.made_at, row.made_by) for row, forward, end in ends if end in others
    ]


def records_of(ends: set[tuple[int, int]], user: Any) -> dict[tuple[int, int], models.Model]:
    """Fetch the records that `user` may see by content type and id, one query for each type."""
    found: dict[tuple[int, int], models.Model] = {}
    for type_id in {type_id for type_id, _ in ends}:
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            wanted = [pk for end_type, pk in ends if end_type == type_id]
            rows = narrowed(model._default_manager.all(), user)
            found |= {(type_id, pk): row for pk, row in rows.in_bulk(wanted).items()}
    return found
