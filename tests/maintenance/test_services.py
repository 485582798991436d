"""Plans and their occurrences: one open date, never before its start, never in the future, and always a next one."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from maintenance import services
from maintenance.enums import Basis, Frequency, PlanState, Source, State
from maintenance.models import Occurrence, Plan
from maintenance.policy import NotYours, Refused
from portal.audit.actor import Actor, acting
from portal.audit.models import TrailRow
from portal.records import services as records
from portal.records.models import Demand
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.maintenance import WHY, make_draft, make_member, make_plan, standing

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def amara():
    return make_member("Amara Okafor")


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


def moment(day, hour=12):
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=hour)


def states(plan):
    return list(plan.occurrences.order_by("number").values_list("scheduled_on", "state"))


# In force


def test_a_plan_in_force_has_its_next_date_and_says_why():
    plan = make_plan()
    first = standing(plan)
    assert (first.scheduled_on, first.reference) == (date(2026, 12, 2), f"{plan.reference}.1")
    assert first.due_at == moment("2026-12-02")
    assert first.why.startswith("Every month, counted from Mon 2 Nov 2026: Wed 2 Dec 2026.")


def test_what_was_done_before_the_plan_stood_here_is_carried_over():
    plan = make_plan(last_done_on=date(2026, 9, 5))
    assert states(plan) == [(date(2026, 9, 5), State.COMPLETED), (date(2026, 11, 2), State.OPEN)]
    assert plan.occurrences.get(number=1).source == Source.CARRIED


def test_a_draft_has_no_dates():
    assert not make_draft().occurrences.exists()


@pytest.mark.parametrize("lacks", ["owner", "manager"])
def test_a_plan_without_its_people_is_not_put_in_force(lacks):
    plan = make_draft()
    services.revise(plan, {lacks: None}, by="system: test", at=NOON, reason=WHY)
    with pytest.raises(Refused, match=f"It lacks an? {lacks}"):
        services.put_in_force(plan, by="system: test", at=NOON, reason=WHY)


def test_somebody_who_left_is_not_named():
    gone = make_contact("Left Long Ago", active=False)
    with pytest.raises(Refused, match="Left Long Ago has left"):
        make_draft(owner=gone)


def test_an_impossible_rule_is_refused():
    with pytest.raises(Refused, match="within twelve years"):
        make_draft(frequency=Frequency.CUSTOM, rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")


def test_the_backup_is_somebody_else():
    owner = make_contact("Amara Okafor")
    with pytest.raises(Refused, match="somebody else than the owner"):
        make_draft(owner=owner, backup=owner)


# Done


def test_what_is_done_opens_the_next_date(amara):
    plan = make_plan()
    services.complete(standing(plan), by=amara[0], at=moment("2026-12-02", 10))
    assert states(plan) == [(date(2026, 12, 2), State.COMPLETED), (date(2027, 1, 2), State.OPEN)]
    done = plan.occurrences.get(number=1)
    assert (done.done_by, done.done_at) == ("Amara Okafor", moment("2026-12-02", 10))


def test_it_is_done_once(amara):
    first = standing(make_plan())
    services.complete(first, by=amara[0], at=NOON)
    with pytest.raises(Refused, match="It was done already"):
        services.complete(first, by=amara[0], at=NOON)


def test_early_completion_moves_a_floating_plan(amara):
    plan = make_plan(basis=Basis.FLOATING, anchor=date(2026, 12, 15))
    services.complete(standing(plan), by=amara[0], at=moment("2026-11-20"))
    assert standing(plan).scheduled_on == date(2026, 12, 20)


def test_early_completion_leaves_a_fixed_plan_where_it_is(amara):
    plan = make_plan()
    services.complete(standing(plan), by=amara[0], at=moment("2026-11-20"))
    assert standing(plan).scheduled_on == date(2027, 1, 2)


@pytest.mark.parametrize(
    ("done_at", "why", "sentence"),
    [
        (NOON + timedelta(minutes=1), "", "in the future"),
        (NOON - timedelta(days=40), "I forgot.", "cannot have been done before"),
        (NOON - DAY, "", "Say in a sentence why"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(amara, done_at, why, sentence):
    plan = make_plan(at=NOON - timedelta(days=30))
    with pytest.raises(Refused, match=sentence):
        services.complete(standing(plan), by=amara[0], at=NOON, done_at=done_at, late_because=why)
    assert standing(plan).state == State.OPEN


def test_an_earlier_day_is_kept_with_its_reason(amara):
    plan = make_plan(at=NOON - timedelta(days=30))
    first = standing(plan)
    services.complete(first, by=amara[0], at=NOON, done_at=NOON - DAY, late_because="The portal was down.")
    first.refresh_from_db()
    assert (first.done_at, first.recorded_at, first.late_because) == (NOON - DAY, NOON, "The portal was down.")
    note = records.timeline(first).get(kind="done")
    assert (note.event_at, note.recorded_at, note.reason) == (NOON - DAY, NOON, "The portal was down.")


def test_what_lies_before_the_lead_time_counts_for_the_date_before(amara):
    plan = make_plan(lead_days=5)
    with pytest.raises(Refused, match="before Fri 27 Nov 2026"):
        services.complete(standing(plan), by=amara[0], at=moment("2026-11-20"))


def test_dates_that_passed_meanwhile_stay_visible_as_missed(amara):
    plan = make_plan(frequency=Frequency.WEEKLY, anchor=date(2026, 11, 16))
    services.complete(standing(plan), by=amara[0], at=moment("2026-12-17"))
    assert states(plan) == [
        (date(2026, 11, 23), State.COMPLETED),
        (date(2026, 11, 30), State.MISSED),
        (date(2026, 12, 7), State.MISSED),
        (date(2026, 12, 14), State.MISSED),
        (date(2026, 12, 21), State.OPEN),
    ]
    assert records.timeline(plan).filter(kind="missed").get().text.startswith("kept 3 dates as missed")


def test_a_plan_that_asks_for_proof_is_not_ticked(amara):
    plan = make_plan(needs_evidence=True)
    with pytest.raises(Refused, match="asks for proof"):
        services.complete(standing(plan), by=amara[0], at=NOON)


# Signed off


def test_a_second_person_signs(amara):
    plan, (joel, _) = make_plan(needs_sign_off=True), make_member("Joel Brandt")
    first = services.complete(standing(plan), by=amara[0], at=NOON)
    assert (first.state, plan.occurrences.count()) == (State.TO_SIGN, 1)
    with pytest.raises(NotYours, match="did it yourself"):
        services.sign_off(first, by=amara[0], at=NOON)
    services.sign_off(first, by=joel, at=NOON + DAY)
    assert states(plan) == [(date(2026, 12, 2), State.COMPLETED), (date(2027, 1, 2), State.OPEN)]


def test_superusers_do_not_sign_for_themselves():
    plan, root = make_plan(needs_sign_off=True), make_user(is_superuser=True)
    first = services.complete(standing(plan), by=root, at=NOON)
    with pytest.raises(NotYours):
        services.sign_off(first, by=root, at=NOON)


def test_whoever_closed_the_change_that_did_it_does_not_sign_it_off(amara):
    user = amara[0]
    plan = make_plan(needs_sign_off=True)
    services.complete(
        standing(plan), by=Actor(name=user.get_full_name()), at=NOON, source=Source.CHANGE, change="CHG-000001"
    )
    for verb in (services.sign_off, services.send_back):
        with pytest.raises(NotYours, match="You did it yourself"):
            verb(standing(plan), by=user, at=NOON, reason=WHY)
    assert services.sign_off(standing(plan), by=make_user(roles=["manager"]), at=NOON).state == State.COMPLETED


def test_a_part_of_the_system_signs_nothing(amara):
    first = services.complete(standing(make_plan(needs_sign_off=True)), by=amara[0], at=NOON)
    with pytest.raises(NotYours, match="somebody who signs in"):
        services.sign_off(first, by="system: test", at=NOON)


def test_what_is_sent_back_is_open_again_with_its_date(amara):
    plan, (joel, _) = make_plan(needs_sign_off=True), make_member("Joel Brandt")
    first = services.complete(standing(plan), by=amara[0], at=NOON)
    with pytest.raises(Refused, match="Say in a sentence why"):
        services.send_back(first, by=joel, at=NOON, reason="")
    services.send_back(first, by=joel, at=NOON, reason="The report is of last year.")
    again = standing(plan)
    assert (again.state, again.done_at, again.done_by, again.scheduled_on) == (
        State.OPEN, None, "", date(2026, 12, 2)
    )  # fmt: skip
    services.complete(again, by=amara[0], at=NOON + DAY)
    assert standing(plan).state == State.TO_SIGN


# Skipped


def test_a_date_is_skipped_for_a_reason(amara):
    plan = make_plan()
    for reason in ("", "  "):
        with pytest.raises(Refused, match="Say in a sentence why you skip it"):
            services.skip(standing(plan), by=amara[0], at=NOON, reason=reason)
    services.skip(standing(plan), by=amara[0], at=NOON, reason="The system is switched off.")
    assert states(plan) == [(date(2026, 12, 2), State.SKIPPED), (date(2027, 1, 2), State.OPEN)]


def test_a_floating_plan_goes_on_from_the_date_that_was_skipped(amara):
    plan = make_plan(basis=Basis.FLOATING, anchor=date(2026, 12, 15))
    services.skip(standing(plan), by=amara[0], at=NOON, reason="Not worth it.")
    assert standing(plan).scheduled_on == date(2027, 1, 15)


# What the database keeps


def test_a_plan_has_one_standing_date():
    plan = make_plan()
    second = standing(plan)
    second.pk, second.number, second.reference = None, 9, "MNT-9.9"
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save(force_insert=True)


def test_opening_twice_opens_once():
    plan = make_plan()
    services.open_many([plan, plan], at=NOON + DAY)
    assert plan.occurrences.count() == 1


@pytest.mark.parametrize("change", [{"scheduled_on": date(2026, 12, 3)}, {"number": 7}])
def test_the_scheduled_date_never_changes(change):
    first = standing(make_plan())
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        Occurrence.objects.filter(pk=first.pk).update(**change)


def test_what_is_settled_stays_as_it_is(amara):
    first = services.complete(standing(make_plan()), by=amara[0], at=NOON)
    rows = Occurrence.objects.filter(pk=first.pk)
    for change in ({"done_by": "Somebody else"}, {"state": State.OPEN}, {"late_because": "Otherwise"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        rows.delete()


# Changed, handed over, retired


def test_a_new_rule_withdraws_the_date_that_stands():
    plan = make_plan()
    services.revise(plan, {"frequency": Frequency.WEEKLY}, by="system: test", at=NOON, reason="More often now")
    assert states(plan) == [(date(2026, 12, 2), State.WITHDRAWN), (date(2026, 11, 23), State.OPEN)]
    assert TrailRow.objects.filter(model="maintenance.plan", reason="More often now").exists()


def test_new_words_leave_the_date_alone():
    plan = make_plan()
    services.revise(plan, {"procedure": "With care."}, by="system: test", at=NOON, reason=WHY)
    assert [state for _, state in states(plan)] == [State.OPEN]


def test_a_state_is_no_word_of_an_edit():
    with pytest.raises(ValueError, match="no state to write"):
        services.revise(make_draft(), {"state": PlanState.IN_FORCE}, by="system: test", at=NOON, reason=WHY)


def test_plans_are_handed_over_all_or_none():
    backup = make_contact("Joel Brandt")
    plans = [make_plan(backup=backup), make_plan()]
    services.hand_over(plans, backup, by="system: test", at=NOON, reason="Amara leaves.")
    assert [(p.owner, p.backup) for p in Plan.objects.filter(pk__in=[p.pk for p in plans])] == [(backup, None)] * 2
    with pytest.raises(Refused, match="has left"):
        services.hand_over(plans, make_contact(active=False), by="system: test", at=NOON, reason=WHY)


def test_what_is_done_and_waits_for_a_signature_is_not_lost_to_another_rule(amara):
    plan = make_plan(needs_sign_off=True)
    done = services.complete(standing(plan), by=amara[0], at=NOON)
    with pytest.raises(Refused, match=f"{done.reference} is done and waits for a signature. Sign it off, or send it"):
        services.revise(plan, {"frequency": Frequency.WEEKLY}, by="system: test", at=NOON, reason=WHY)
    services.revise(plan, {"grace_days": 9}, by="system: test", at=NOON, reason=WHY)
    assert standing(plan).state == State.TO_SIGN


def test_an_owner_who_left_is_flagged():
    plan = make_plan()
    assert not Plan.objects.orphaned().exists()
    plan.owner.active = False
    plan.owner.save()
    assert list(Plan.objects.orphaned()) == [plan]


def test_a_retired_plan_comes_round_no_more_and_keeps_its_history():
    plan = make_plan()
    services.retire(plan, by="system: test", at=NOON, reason="The system is gone.")
    assert states(plan) == [(date(2026, 12, 2), State.WITHDRAWN)]
    assert services.open_many([Plan.objects.get(pk=plan.pk)], at=NOON) == 0
    again = services.take_up_again(plan, by="system: test", at=NOON, reason="It is back.")
    assert again.state == PlanState.DRAFT


@pytest.mark.parametrize("basis", ["fixed", "floating"])
def test_a_plan_that_is_taken_up_again_owes_nothing_from_while_it_was_retired(basis):
    plan = make_plan(frequency=Frequency.WEEKLY, anchor=date(2026, 11, 20), basis=basis)
    services.complete(standing(plan), by="system: test", at=NOON + 3 * DAY)
    services.retire(plan, by="system: test", at=NOON + 3 * DAY, reason="The system is gone.")
    later = NOON + 400 * DAY
    services.take_up_again(plan, by="system: test", at=later, reason="It is back.")
    services.put_in_force(plan, by="system: test", at=later, reason="It is back.")
    first = standing(plan)
    assert later.date() <= first.due_on < later.date() + 7 * DAY
    services.complete(first, by="system: test", at=later + DAY)
    assert standing(plan).due_on > first.due_on


def test_a_plan_that_floats_and_is_taken_up_again_in_time_keeps_its_date():
    plan = make_plan(frequency=Frequency.ANNUAL, basis="floating")
    services.complete(standing(plan), by="system: test", at=NOON)
    services.retire(plan, by="system: test", at=NOON + DAY, reason="By mistake")
    services.take_up_again(plan, by="system: test", at=NOON + 2 * DAY, reason="It was a mistake.")
    services.put_in_force(plan, by="system: test", at=NOON + 2 * DAY, reason="It was a mistake.")
    assert standing(plan).due_on == date(2027, 11, 17)


def test_a_year_that_was_mistyped_is_refused():
    plan = make_draft()
    with pytest.raises(Refused, match="Check the year"):
        services.put_in_force(plan, by="system: test", at=NOON, reason=WHY, last_done_on=date(26, 11, 1))


# As needed, and done by changes


@pytest.fixture
def patches():
    system = make_system()
    return make_plan(
        frequency=Frequency.AS_NEEDED, ceiling_days=30, trigger="A patch comes out.", systems=[system],
        topic="maintenance.security-patch",
    )  # fmt: skip


def test_what_is_done_as_needed_is_due_anyway_after_its_ceiling(patches):
    assert standing(patches).scheduled_on == date(2026, 12, 17)


def test_looking_whether_it_is_needed_does_not_move_the_ceiling(patches):
    services.evaluate(patches, by="system: test", at=NOON + DAY, reason="Nothing came out.")
    patches.refresh_from_db()
    assert patches.evaluated_at == NOON + DAY
    assert standing(patches).scheduled_on == date(2026, 12, 17)


def test_what_is_needed_is_due_earlier_and_its_scheduled_date_stays(patches):
    services.need(patches, until=date(2026, 11, 20), by="system: test", at=NOON, reason="CVE of the day")
    first = standing(patches)
    assert (first.scheduled_on, first.due_on) == (date(2026, 12, 17), date(2026, 11, 20))


def test_what_is_done_and_waits_for_its_signature_is_not_needed_again(amara):
    plan = make_plan(frequency=Frequency.AS_NEEDED, ceiling_days=30, needs_sign_off=True)
    services.complete(standing(plan), by=amara[0], at=NOON)
    with pytest.raises(Refused, match="waits for somebody else to sign it off"):
        services.need(plan, until=date(2026, 11, 20), by="system: test", at=NOON, reason="CVE of the day")
    assert standing(plan).due_on == date(2026, 12, 17)


def test_a_day_that_is_far_away_is_not_when_something_is_needed(patches):
    with pytest.raises(Refused, match="more than three years away"):
        services.need(patches, until=date(9999, 12, 31), by="system: test", at=NOON, reason="CVE of the day")


def test_nobody_looks_whether_a_retired_task_is_needed(patches):
    services.retire(patches, by="system: test", at=NOON, reason="The system is gone.")
    with pytest.raises(Refused, match="not in force"):
        services.evaluate(patches, by="system: test", at=NOON, reason="Nothing came out.")


def test_a_task_that_comes_round_by_itself_is_not_said_to_be_needed():
    with pytest.raises(Refused, match="comes round by itself"):
        services.need(make_plan(), until=date(2026, 12, 1), by="system: test", at=NOON, reason=WHY)


def test_a_change_is_asked_for_on_each_system_and_doing_it_otherwise_answers_that(patches, amara):
    demand = Demand.objects.get(topic="maintenance.security-patch")
    assert demand.payload["plan"] == patches.reference
    services.complete(standing(patches), by=amara[0], at=NOON + DAY)
    demand.refresh_from_db()
    assert (demand.answered_by, demand.answer["state"]) == ("Amara Okafor", State.COMPLETED)


# The job itself


@pytest.fixture
def rotation():
    plan = make_plan(frequency=Frequency.DAILY, anchor=date(2026, 11, 17))
    return plan, *services.hand_out_token(plan, "logrotate", by="system: test", at=NOON, reason=WHY)


def test_a_job_does_its_task(rotation):
    _, token, secret = rotation
    assert services.token_of(secret) == token
    done, news = services.report_done(token, by="token: logrotate", at=NOON + timedelta(hours=3))
    assert news
    assert (done.source, done.state, done.done_by) == (Source.JOB, State.COMPLETED, "token: logrotate")


def test_a_job_that_reports_twice_counts_once(rotation):
    plan, token, _ = rotation
    first, _ = services.report_done(token, by="token: logrotate", at=NOON)
    again, news = services.report_done(token, by="token: logrotate", at=NOON + timedelta(minutes=5))
    assert (again, news) == (first, False)
    assert standing(plan).number == 2


def test_a_token_that_is_revoked_while_its_job_reports_counts_no_more(rotation):
    _, token, secret = rotation
    read = services.token_of(secret)
    services.revoke_token(token, by="system: test", at=NOON, reason=WHY)
    with pytest.raises(Refused, match="Ask for a new one"):
        services.report_done(read, by="job: logrotate", at=NOON + DAY)


def test_a_revoked_token_counts_no_more(rotation):
    _, token, secret = rotation
    services.revoke_token(token, by="system: test", at=NOON, reason=WHY)
    assert services.token_of(secret) is None


def test_the_secret_is_kept_nowhere(rotation):
    _, token, secret = rotation
    assert secret not in str(token.__dict__)
    assert secret not in str(list(TrailRow.objects.values()))
