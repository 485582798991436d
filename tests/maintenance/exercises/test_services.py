"""Recovery plans and exercises: versions, steps that are timed, what was measured, and what cannot be."""

from datetime import timedelta

import pytest

from maintenance import services as maintenance
from maintenance.enums import PlanState, State
from maintenance.exercises import recording, reminding, services
from maintenance.exercises.enums import ExerciseState, StepState
from maintenance.exercises.selectors import objectives_of
from maintenance.exercises.services.planning import StepWords
from maintenance.models import Exercise, ExerciseStep, Occurrence, RecoveryPlan
from maintenance.policy import Refused
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.enums import Verdict
from portal.directory.models import RecoveryProof
from portal.directory.recovery.reading import standing_of
from portal.records import services as records
from tests.factories.directory import NOON, make_calendar, make_contact
from tests.factories.exercises import (
    MINUTE,
    STEPS,
    WHY,
    make_exercise,
    make_recovery_draft,
    make_recovery_plan,
    promise,
    step,
    work,
)

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


def words(record):
    return [note.text for note in records.timeline(record).order_by("id")]


def revised(plan, *steps):
    return services.revise(plan, {}, [*STEPS, *steps], by="Maren", at=NOON, reason="A step was missing")


def test_an_edit_of_the_steps_is_a_new_version_and_the_old_one_stays():
    plan = revised(make_recovery_draft(), StepWords("Tell the customers", 5))
    assert plan.version == 2
    assert [one.text for one in plan.steps_now()] == [*(one.text for one in STEPS), "Tell the customers"]
    assert plan.steps.filter(version=1).count() == 4
    same = services.revise(plan, {"summary": "Use it by night"}, [*STEPS, StepWords("Tell the customers", 5)], by="M",
                           at=NOON, reason=WHY)  # fmt: skip
    assert same.version == 2


def test_an_exercise_keeps_the_steps_that_it_was_started_with():
    plan = make_recovery_plan()
    exercise = make_exercise(plan, started=True)
    revised(plan, StepWords("Tell the customers", 5))
    exercise.refresh_from_db()
    assert (exercise.plan_version, exercise.steps.count()) == (1, 4)
    assert make_exercise(RecoveryPlan.objects.get(pk=plan.pk), started=True).steps.count() == 5


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([], "Write down at least one"),
        ([StepWords(" ", 5)], "Step 1 says nothing"),
        ([StepWords("Restore", 0)], "Step 1 needs an estimate"),
        ([StepWords("Restore", 60 * 24 * 8)], "Step 1 needs an estimate"),
        ([StepWords("Tidy up", 5, recovers=False)], "brings the system back"),
        ([StepWords("Restore", 5)] * 61, "Keep it to 60 steps"),
    ],
)
def test_a_plan_that_cannot_be_measured_is_refused(steps, sentence):
    with pytest.raises(Refused, match=sentence):
        make_recovery_draft(steps=steps)


def test_somebody_who_has_left_is_refused_where_they_are_new_and_stays_where_they_stood():
    owner = make_contact("Amara Okafor")
    plan = make_recovery_draft(steps=[StepWords("Restore", 5, owner)])
    owner.active = False
    owner.save()
    assert services.revise(plan, {}, [StepWords("Restore all", 5, owner)], by="M", at=NOON, reason=WHY).version == 2
    with pytest.raises(Refused, match="Amara Okafor has left"):
        make_recovery_draft(steps=[StepWords("Restore", 5, owner)])
    with pytest.raises(Refused, match="Amara Okafor has left"):
        make_recovery_draft(owner=owner)
    with pytest.raises(Refused, match="Amara Okafor has left"):
        make_exercise(lead=owner)


def test_a_plan_in_force_is_upheld_by_a_plan_of_maintenance_that_reminds_of_the_next_exercise():
    plan = make_recovery_plan(every_months=6)
    standing = Occurrence.objects.get(plan=plan.upkeep)
    assert (plan.state, plan.upkeep.owner, standing.due_on) == (
        PlanState.IN_FORCE, plan.owner, (NOON + 30 * DAY).date(),
    )  # fmt: skip
    services.retire(plan, by="Maren", at=NOON, reason="The system is gone")
    standing.refresh_from_db()
    assert standing.state == State.WITHDRAWN


def test_only_a_plan_in_force_is_exercised():
    with pytest.raises(Refused, match="Only a recovery plan in force"):
        make_exercise(make_recovery_draft())


def test_a_full_exercise_is_measured_against_what_is_promised_and_proves_it():
    plan = make_recovery_plan()
    promise(plan.system, rto=60, rpo=30)
    exercise = make_exercise(plan, started=True)
    at = work(exercise, 1, 2, 3, 4)
    ended = services.end(
        exercise, by="Joel Brandt", at=at, newest_data_at=NOON - 12 * MINUTE, summary="The key was missing."
    )
    assert (ended.verdict, ended.took, ended.lost) == (Verdict.MET, 30 * MINUTE, 12 * MINUTE)
    assert (ended.rto_minutes, ended.rpo_minutes) == (60, 30)
    proof = RecoveryProof.objects.get(system=plan.system)
    assert (proof.reference, proof.verdict, proof.took_seconds, proof.lost_seconds) == (
        ended.reference, Verdict.MET, 1800, 720,
    )  # fmt: skip
    assert proof.proven_until == ended.retest_at


def test_a_part_of_a_second_is_judged_alike_by_the_exercise_its_sum_and_its_proof():
    plan = make_recovery_plan()
    promise(plan.system, rto=10, rpo=30)
    exercise = make_exercise(plan, started=True)
    at = work(exercise, 1, took=10 * MINUTE + timedelta(milliseconds=400))
    for position in (2, 3):
        services.skip_step(step(exercise, position), by="Joel Brandt", at=at, reason=WHY)
    ended = services.end(exercise, by="Joel Brandt", at=at + MINUTE, newest_data_at=NOON)
    assert ended.verdict == RecoveryProof.objects.get(system=plan.system).verdict
    assert [one.look.word for one in objectives_of(ended)] == ["Met", "Met"]
    assert ended.verdict == Verdict.MET


def test_one_that_took_too_long_is_not_met_and_says_by_how_much():
    plan = make_recovery_plan()
    promise(plan.system, rto=20, rpo=30)
    exercise = make_exercise(plan, started=True)
    ended = services.end(exercise, by="Joel", at=work(exercise, 1, 2, 3, 4), newest_data_at=NOON)
    assert ended.verdict == Verdict.NOT_MET
    assert "until step 3 was done" in ended.took_sum
    assert words(exercise)[-1] == "ended it: not met, back after 30 min, 0 s of data lost"


def test_the_next_exercise_is_due_as_the_plan_says_and_a_tabletop_does_not_put_it_off():
    plan = make_recovery_plan(every_months=6)
    first = Occurrence.objects.get(plan=plan.upkeep)
    table = services.end(make_exercise(plan, kind="tabletop", started=True), by="Joel", at=NOON + HOUR)
    first.refresh_from_db()
    assert (table.verdict, table.retest_at, first.state) == (Verdict.UNKNOWN, None, State.OPEN)
    assert not RecoveryProof.objects.exists()
    exercise = make_exercise(plan, started=True)
    ended = services.end(exercise, by="Joel", at=work(exercise, 1, 2, 3, 4))
    first.refresh_from_db()
    following = Occurrence.objects.standing().get(plan=plan.upkeep)
    assert (first.state, ended.retest_at) == (State.COMPLETED, following.due_at)
    assert ended.retest_at > NOON + 170 * DAY


def fail(plan, *, at=NOON):
    """An exercise of a plan whose steps were not all done: the system was not recovered."""
    exercise = make_exercise(plan, started=True, at=at)
    return services.end(exercise, by="Joel", at=work(exercise, 1, at=at))


def next_of(plan):
    return Occurrence.objects.standing().get(plan=plan.upkeep)


def test_an_exercise_that_was_not_met_is_held_again_within_four_weeks():
    plan = make_recovery_plan(every_months=12)
    promise(plan.system)
    ended = fail(plan)
    assert ended.verdict == Verdict.NOT_MET
    again = next_of(plan)
    assert (again.scheduled_on - NOON.date()).days == 28
    assert ended.retest_at == again.due_at
    why = f"{ended.reference} did not keep what is promised, so it is tried again within 28 days: Tue 15 Dec 2026."
    assert again.why.startswith(why)
    assert not standing_of(plan.system, at=NOON + HOUR).judged.is_proven
    # One that keeps it leads back to the interval of the plan.
    exercise = make_exercise(plan, started=True, at=NOON + DAY)
    met = services.end(
        exercise, by="Joel", at=work(exercise, 1, 2, 3, 4, at=NOON + DAY), newest_data_at=NOON + DAY - 5 * MINUTE
    )
    assert met.verdict == Verdict.MET
    assert met.retest_at == next_of(plan).due_at > NOON + 360 * DAY


def test_what_shows_nothing_does_not_put_off_the_retest_of_what_failed():
    plan = make_recovery_plan(every_months=12)
    promise(plan.system)
    fail(plan)
    exercise = make_exercise(plan, started=True, at=NOON + DAY)
    ended = services.end(exercise, by="Joel", at=work(exercise, 1, 2, 3, 4, at=NOON + DAY))
    assert ended.verdict == Verdict.UNKNOWN
    assert (next_of(plan).scheduled_on - NOON.date()).days == 29


def test_another_interval_does_not_put_off_a_retest_and_a_shorter_one_counts():
    plan = make_recovery_plan(every_months=12)
    promise(plan.system)
    fail(plan)
    services.revise(plan, {"every_months": 24}, STEPS, by="M", at=NOON + DAY, reason=WHY)
    assert (next_of(plan).scheduled_on - NOON.date()).days == 28
    monthly = make_recovery_plan(every_months=1, at=NOON.replace(month=2))
    fail(monthly, at=NOON.replace(month=2))
    assert "Every month after it was last done" in next_of(monthly).why


def test_steps_are_worked_only_while_the_exercise_runs():
    exercise = make_exercise(started=True)
    one = step(exercise, 1)
    services.call_off(exercise, by="Joel", at=NOON, reason="A real incident began")
    with pytest.raises(Refused, match="The exercise is over"):
        services.start_step(one, by="Joel", at=NOON)


@pytest.mark.parametrize(
    ("verb", "moment", "sentence"),
    [
        (services.start_step, NOON + 2 * HOUR, "has not come yet"),
        (services.start_step, NOON - MINUTE, "before the start of the exercise"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(verb, moment, sentence):
    exercise = make_exercise(started=True)
    with pytest.raises(Refused, match=sentence):
        verb(step(exercise, 1), by="Joel", at=NOON + HOUR, moment=moment)


def test_a_restore_faster_than_physics_is_refused():
    exercise = make_exercise(started=True)
    services.start_step(step(exercise, 1), by="Joel", at=NOON + 20 * MINUTE)
    with pytest.raises(Refused, match="before its start"):
        services.finish_step(step(exercise, 1), by="Joel", at=NOON + HOUR, moment=NOON + 10 * MINUTE)
    with pytest.raises(Refused, match="has not come yet"):
        services.finish_step(step(exercise, 1), by="Joel", at=NOON + HOUR, moment=NOON + 2 * HOUR)
    with pytest.raises(Refused, match="Step 1 is under way"):
        services.end(exercise, by="Joel", at=NOON + HOUR)


def test_data_that_is_newer_than_the_loss_was_never_lost():
    exercise = make_exercise(started=True)
    with pytest.raises(Refused, match="cannot be newer than the start"):
        services.end(exercise, by="Joel", at=work(exercise, 1, 2, 3, 4), newest_data_at=NOON + MINUTE)


def test_a_step_is_skipped_and_taken_back_with_a_reason():
    exercise = make_exercise(started=True)
    for verb in (services.skip_step, services.take_step_back):
        one = step(exercise, 1)
        if verb is services.take_step_back:
            services.start_step(one, by="Joel", at=NOON)
        with pytest.raises(Refused, match="Say in a sentence why"):
            verb(step(exercise, 1), by="Joel", at=NOON, reason=" ")
    services.take_step_back(step(exercise, 1), by="Joel", at=NOON, reason="The wrong line")
    services.skip_step(step(exercise, 1), by="Joel", at=NOON, reason="The backup lay there already")
    assert step(exercise, 1).state == StepState.SKIPPED
    services.take_step_back(step(exercise, 1), by="Joel", at=NOON, reason="It did not")
    assert step(exercise, 1).state == StepState.OPEN


def test_the_digest_is_that_of_the_record_as_it_ended():
    exercise = make_exercise(started=True)
    ended = services.end(exercise, by="Joel", at=work(exercise, 1, 2, 3, 4))
    fresh = Exercise.objects.get(pk=ended.pk)
    assert recording.digest_of(fresh, fresh.steps.order_by("position")) == ended.digest
    one = step(fresh, 2)
    one.note = "Somebody wrote this later"
    one.save()
    assert recording.digest_of(fresh, fresh.steps.order_by("position")) != ended.digest


def test_an_exercise_moves_to_another_day_until_it_starts():
    exercise = make_exercise(scheduled_for=NOON + 7 * DAY)
    moved = services.move(exercise, scheduled_for=NOON + 9 * DAY, by="M", at=NOON, reason="A freeze")
    assert moved.scheduled_for == NOON + 9 * DAY
    with pytest.raises(Refused, match="has passed"):
        services.move(exercise, scheduled_for=NOON - DAY, by="M", at=NOON, reason="A freeze")
    services.start(exercise, by="Joel", at=NOON + 9 * DAY)
    with pytest.raises(Refused, match="running already"):
        services.move(exercise, scheduled_for=NOON + 20 * DAY, by="M", at=NOON + 9 * DAY, reason="Later")


def keep_to_working_days(plan, **days_off):
    values = {"shift": "next", "calendar": make_calendar("London", days_off=days_off)}
    maintenance.revise(plan.upkeep, values, by="system: test", at=NOON, reason=WHY)
    return RecoveryPlan.objects.get(pk=plan.pk)


def test_an_exercise_keeps_to_working_days_where_the_plan_that_reminds_of_it_does():
    saturday, monday = NOON + 4 * DAY, NOON + 6 * DAY
    free = make_exercise(scheduled_for=saturday)
    assert free.scheduled_for == saturday
    plan = keep_to_working_days(make_recovery_plan())
    sentence = (
        f"Sat 21 Nov 2026 is not worked .weekend., and {plan.upkeep.reference} keeps to working days. "
        "The next day that is worked is Mon 23 Nov 2026. Choose it, or tick that this day is meant."
    )
    with pytest.raises(Refused, match=sentence):
        make_exercise(plan, scheduled_for=saturday)
    exercise = make_exercise(plan, scheduled_for=monday)
    with pytest.raises(Refused, match="Sat 21 Nov 2026 is not worked"):
        services.move(exercise, scheduled_for=saturday, by="system: test", at=NOON, reason=WHY)
    moved = services.move(exercise, scheduled_for=saturday, any_day=True, by="system: test", at=NOON, reason=WHY)
    assert moved.scheduled_for == saturday
    assert make_exercise(plan, scheduled_for=saturday, any_day=True).scheduled_for == saturday


def test_a_plan_that_is_retired_calls_off_what_is_scheduled_and_waits_for_what_is_running():
    plan = make_recovery_plan()
    ahead, going = make_exercise(plan, scheduled_for=NOON + 5 * DAY), make_exercise(plan, started=True)
    with pytest.raises(Refused, match=f"{going.reference} is running. End it or call it off first."):
        services.retire(plan, by="system: test", at=NOON, reason="The system is gone.")
    services.call_off(going, by="system: test", at=NOON, reason=WHY)
    services.retire(plan, by="system: test", at=NOON, reason="The system is gone.")
    ahead.refresh_from_db()
    assert ahead.state == ExerciseState.CANCELLED
    assert ahead.cancelled_because == f"The recovery plan {plan.reference} was retired: The system is gone."
    assert not Deadline.objects.filter(kind=reminding.NOTICE, state=DeadlineState.PENDING).exists()
    with pytest.raises(Refused, match="Only a recovery plan in force is exercised"):
        make_exercise(plan)


def test_what_reminds_of_exercises_is_done_by_an_exercise_alone_and_ends_with_its_plan():
    plan = make_recovery_plan()
    date = Occurrence.objects.get(plan=plan.upkeep)
    with pytest.raises(Refused, match=f"An exercise of {plan.reference} that recovers something does this"):
        maintenance.complete(date, by="system: test", at=NOON)
    token, _ = maintenance.hand_out_token(plan.upkeep, "job", by="system: test", at=NOON, reason=WHY)
    with pytest.raises(Refused, match="An exercise of"):
        maintenance.report_done(token, by="job", at=NOON + 29 * DAY)
    with pytest.raises(Refused, match=f"It reminds of the exercises of {plan.reference}. Retire that"):
        maintenance.retire(plan.upkeep, by="system: test", at=NOON, reason=WHY)
    exercise = make_exercise(plan, started=True)
    end = work(exercise, 1, 2, 3, 4)
    services.end(exercise, by="system: test", at=end)
    date.refresh_from_db()
    assert date.state == State.COMPLETED
    services.retire(plan, by="system: test", at=end, reason=WHY)
    plan.upkeep.refresh_from_db()
    assert plan.upkeep.state == PlanState.RETIRED


def test_references_are_given_out_without_a_gap():
    plan = make_recovery_plan()
    assert [make_exercise(plan).reference for _ in range(2)] == ["EXR-000001", "EXR-000002"]
    assert plan.reference == "RCP-000001"
    assert ExerciseStep.objects.count() == 0
    assert Exercise.objects.filter(state=ExerciseState.SCHEDULED).count() == 2
