"""Reminders of exercises: before their day, on it, each week until somebody starts them, and once to end them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Max
from django.utils import timezone

from maintenance.exercises.enums import ExerciseState
from maintenance.exercises.policy import end_by
from maintenance.models import Exercise
from portal.actions.reminding import first_step, steps_between
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render
from portal.records import services as records

NOTICE = "exercise_notice"
"""The kind of the deadlines of exercises: the reminder that comes next."""
MESSAGE = "exercise_due"
END = "end"
"""The key of the reminder of one that was started and is still running long after its estimate."""
SYSTEM = "system: maintenance"
Batch = list[tuple[Deadline, Exercise]]


def begin(exercise: Exercise, *, at: datetime) -> None:
    """Write down when somebody is reminded next, anew where the day has moved."""
    step = first_step(exercise.scheduled_for, zone_or_utc(exercise.lead.time_zone), at=at)
    _wait(exercise, step.key, step.at, at=at)


def await_end(exercise: Exercise, *, at: datetime) -> None:
    """Write down when the lead is reminded to end an exercise that was started just now, instead of to start it."""
    _wait(exercise, END, end_by(at, exercise.estimate), at=at)


def _wait(exercise: Exercise, key: str, due_at: datetime, *, at: datetime) -> None:
    stop(exercise, at=at)
    last = deadlines.of(exercise, [NOTICE]).aggregate(last=Max("generation"))["last"] or 0
    deadlines.start(kind=NOTICE, subject=exercise, key=key, generation=last + 1, started_at=at, due_at=due_at)


def stop(exercise: Exercise, *, at: datetime) -> None:
    """Remind nobody any more of what was waited for: it was ended or called off, or something else is waited for."""
    deadlines.cancel(subject=exercise, kind=NOTICE, at=at)


def sweep_exercises(*, at: datetime) -> int:
    """Send the reminders that are due at `at`; return how many there were."""
    with acting(by=SYSTEM, origin="task", at=at, reason="A reminder was due."):
        return deadlines.fire_due(kinds=[NOTICE], at=at, lock=_lock, handle=_handle).count


def _lock(ids: list[int], _at: datetime) -> Mapping[int, Exercise]:
    """Lock the exercises in id order, skipping those that a verb holds just now; they wait for the next sweep."""
    rows = Exercise.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    held = list(rows.values_list("pk", flat=True))
    return Exercise.objects.with_estimate().select_related("lead", "plan__owner", "plan__manager").in_bulk(held)


def _handle(batch: Batch, at: datetime) -> None:
    """Tell the lead, once for all that fell due meanwhile, and write down when they are reminded next."""
    coming: list[Deadline] = []
    drafts: list[Draft] = []
    for deadline, exercise in batch:
        key = deadline.key
        if exercise.state != (ExerciseState.RUNNING if key == END else ExerciseState.SCHEDULED):
            continue
        if key != END:
            zone = zone_or_utc(exercise.lead.time_zone)
            passed, following = steps_between(exercise.scheduled_for, zone, after=key, until=at)
            coming += deadlines.following(deadline, passed=passed, waits=following, at=at)
            key = passed[-1].key if passed else key  # the later, the graver
        told = _recipient(exercise)
        words = f"reminded {told}" if told else "found nobody to remind: everybody named has left"
        records.write_note(exercise, kind="reminded", text=words, by=SYSTEM, at=at)
        if told is not None:
            drafts += _drafts(exercise, told, key, deadline.generation)
    deadlines.start_many(coming)
    notify.queue(drafts, at=at)


def _recipient(exercise: Exercise) -> Contact | None:
    """Return who is reminded: the lead; of one who has left, the owner of the plan, else its manager."""
    people = (exercise.lead, exercise.plan.owner, exercise.plan.manager)
    return next((person for person in people if person.active), None)


def _drafts(exercise: Exercise, told: Contact, key: str, generation: int) -> list[Draft]:
    methods = directory.sending_methods([told.pk])
    kind = key.partition(":")[0]
    with timezone.override(zone_or_utc(told.time_zone)):
        title, body = render(MESSAGE, {"contact_name": told.name, "kind": kind, "exercise": exercise})
    about = About(ContentType.objects.get_for_model(Exercise).pk, exercise.pk, exercise.reference)
    return drafts_for(
        told, methods.get(told.pk, []), key=f"exr:{exercise.pk}:{key}:{generation}:c{told.pk}", kind=MESSAGE,
        title=title, body=body, url_path=exercise.get_absolute_url(), about=about,
    )  # fmt: skip
