"""What the engine does for maintenance: each reminder once, one message to each person, and nothing forgotten."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from maintenance import services, sweeps
from maintenance.enums import Frequency, Source, State
from maintenance.models import Occurrence, Plan
from maintenance.services.common import NOTICE
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import Team
from portal.notify.models import Message
from portal.records import services as records
from portal.records.models import Demand
from tests.factories.accounts import make_user
from tests.factories.actions import make_item
from tests.factories.directory import NOON, make_contact, make_system, make_team
from tests.factories.maintenance import WHY, make_member, make_plan, standing
from tests.maintenance.test_restoring import restore

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
DUE = NOON.replace(month=12, day=2)


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


@pytest.fixture
def amara():
    return make_member("Amara Okafor")[1]


@pytest.fixture
def maren():
    return make_member("Maren Holt", "manager")[1]


def inbox(contact, kind=""):
    rows = Message.objects.filter(contact=contact, lane="inbox").order_by("id")
    return list(rows.filter(kind=kind) if kind else rows.exclude(kind="maintenance_monday"))


def fired(plan):
    rows = Deadline.objects.filter(kind=NOTICE, subject_id__in=plan.occurrences.values("pk"))
    return list(rows.filter(state=DeadlineState.FIRED).order_by("due_at", "id").values_list("key", flat=True))


def run(*moments):
    for at in moments:
        sweeps.sweep_maintenance(at=at)


def test_the_owner_is_reminded_before_on_the_day_and_after_it(amara, maren):
    plan = make_plan(owner=amara, manager=maren)
    run(*(NOON + n * DAY for n in range(16)))
    assert fired(plan) == ["before:7", "before:1", "due"]
    assert [message.title for message in inbox(amara)] == [
        f"Due Wed 2 Dec, 12:00 GMT: {plan.task}", f"Due Wed 2 Dec, 12:00 GMT: {plan.task}", f"Due today: {plan.task}",
    ]  # fmt: skip
    assert not inbox(maren)


def test_past_the_grace_it_goes_up_the_line_once_per_level(amara, maren):
    joel = make_member("Joel Brandt")[1]
    team = Team.objects.get(slug="ops")
    team.members.add(joel)
    plan = make_plan(owner=amara, manager=maren, team=team, grace_days=2)
    run(*(DUE + n * DAY for n in range(15)))
    assert fired(plan)[-5:] == ["due", "manager", "team", "overdue:1", "overdue:2"]
    assert len(inbox(maren)) == 1
    assert len(inbox(joel)) == 1
    assert [n.text for n in records.timeline(standing(plan)).filter(kind="escalated").order_by("event_at")] == [
        "told Maren Holt", "told Joel Brandt",
    ]  # fmt: skip


@pytest.mark.parametrize("grace", [2, 10])
def test_with_another_grace_the_reminders_go_on_and_each_level_is_told_once(amara, maren, grace):
    plan = make_plan(owner=amara, manager=maren, grace_days=5)
    run(DUE + MINUTE)
    services.revise(plan, {"grace_days": grace}, by="system: test", at=DUE + 3 * DAY, reason=WHY)
    run(*(DUE + MINUTE + n * DAY for n in range(3, 30)))
    assert len(inbox(maren)) == 2  # as the manager, and in place of a team
    assert sorted(fired(plan)) == sorted(
        ["before:7", "before:1", "due", "manager", "team", *(f"overdue:{week}" for week in range(1, 5))]
    )


def test_what_was_told_before_the_grace_changed_is_not_told_again(amara, maren):
    plan = make_plan(owner=amara, manager=maren, grace_days=2)
    run(*(DUE + MINUTE + n * DAY for n in range(3)))
    services.revise(plan, {"grace_days": 9}, by="system: test", at=DUE + 3 * DAY, reason=WHY)
    run(*(DUE + MINUTE + n * DAY for n in range(3, 20)))
    assert fired(plan)[-4:] == ["manager", "overdue:1", "overdue:2", "team"]
    assert len(inbox(maren)) == 2


def test_a_sweep_that_runs_again_says_nothing_again(amara):
    make_plan(owner=amara)
    run(DUE, DUE, DUE + MINUTE, DUE + 2 * MINUTE)
    assert len(inbox(amara)) == 1


def test_what_was_done_reminds_nobody(amara):
    plan = make_plan(owner=amara)
    services.complete(standing(plan), by="system: test", at=NOON)
    run(DUE)
    assert not inbox(amara)


@pytest.mark.slow
def test_an_outage_over_many_reminders_ends_in_each_level_once_and_one_digest_per_person(amara, maren):
    joel = make_member("Joel Brandt")[1]
    plans = [make_plan(owner=(amara, joel)[n % 2], manager=maren, grace_days=0) for n in range(50)]
    run(DUE - DAY - MINUTE)
    before = {contact: len(inbox(contact)) for contact in (amara, joel, maren)}
    run(DUE + MINUTE, DUE + 2 * MINUTE)  # a day without a sweep, over "tomorrow", "today" and the manager's level
    for contact in (amara, joel, maren):
        assert len(inbox(contact)) == before[contact] + 1
    assert [inbox(c)[-1].title for c in (amara, joel, maren)] == [
        "25 maintenance tasks, 25 overdue", "25 maintenance tasks, 25 overdue", "50 maintenance tasks, 50 overdue",
    ]  # fmt: skip
    for plan in plans:
        levels = fired(plan)
        assert len(levels) == len(set(levels))
        assert levels[-3:] == ["before:1", "due", "manager"]


def test_to_remind_of_many_plans_costs_as_many_queries_as_of_few(amara, maren):
    asked = []
    for moment, count in ((DUE - DAY, 2), (DUE + DAY, 9)):
        for _ in range(count):
            make_plan(owner=amara, manager=maren, backup=maren, at=moment - DAY, anchor=moment.date())
        with CaptureQueriesContext(connection) as context:
            assert sweeps.remind(at=moment) >= count
        asked.append(len(context))
    assert asked[0] == asked[1]


def test_what_an_owner_who_left_would_be_told_goes_to_the_backup(amara):
    joel = make_member("Joel Brandt")[1]
    make_plan(owner=amara, backup=joel)
    amara.active = False
    amara.save()
    run(DUE)
    assert not inbox(amara)
    assert "Amara Okafor, who has left" in inbox(joel)[0].body


def test_nobody_left_to_remind_is_written_down():
    plan = make_plan(owner=make_contact("Amara Okafor"), manager=make_contact("Maren Holt"))
    for contact in (plan.owner, plan.manager):
        contact.active = False
        contact.save()
    run(DUE)
    assert "found nobody to remind" in records.timeline(standing(plan)).first().text


def leave(*people):
    for contact in people:
        contact.active = False
        contact.save()


def test_what_goes_up_a_line_that_leads_nowhere_goes_to_the_administrators_once_per_level(amara, maren):
    kwame = make_member("Kwame Mensah", "administrator")[1]
    plan = make_plan(owner=amara, manager=maren, grace_days=2)
    leave(maren)
    run(*(DUE + n * DAY for n in range(8)))
    assert fired(plan)[-4:] == ["due", "manager", "team", "overdue:1"]
    assert len(inbox(kwame)) == 2
    assert "Maren Holt, its manager, has left" in inbox(kwame)[0].body
    assert "you are told as an administrator. Name another manager" in inbox(kwame)[0].body
    assert "administrator" not in inbox(amara)[-1].body
    assert records.timeline(standing(plan)).filter(kind="escalated").first().text == (
        "told Kwame Mensah; nobody who answers for the plan is left, so the administrators are told"
    )


def test_the_administrators_hear_of_many_lines_that_lead_nowhere_in_one_message(amara, maren):
    kwame = make_member("Kwame Mensah", "administrator")[1]
    for _ in range(3):
        make_plan(owner=amara, manager=maren, grace_days=0, team=make_team(members=[maren]))
    leave(maren)
    run(DUE + MINUTE)
    [digest] = inbox(kwame)
    assert digest.body.count("its manager has left and nobody of a team can be told: name another manager") == 3
    assert "name another manager" not in inbox(amara)[-1].body


def test_a_team_is_told_before_the_administrators_are(amara, maren):
    kwame, joel = make_member("Kwame Mensah", "administrator")[1], make_member("Joel Brandt")[1]
    make_plan(owner=amara, manager=maren, grace_days=0, team=make_team(members=[joel]))
    leave(maren)
    run(DUE + DAY)
    assert inbox(joel)
    assert not inbox(kwame)


def test_a_message_leads_to_the_date(amara):
    plan = make_plan(owner=amara)
    run(DUE)
    message = inbox(amara)[0]
    assert message.url_path == f"/maintenance/{plan.reference}/1/"
    assert message.about_reference == f"{plan.reference}.1"
    assert "Every month, counted from Mon 2 Nov 2026" in message.body


def test_a_plan_in_force_without_a_date_gets_one():
    plan = make_plan()
    first = standing(plan)
    Plan.objects.get(pk=plan.pk)
    services.skip(first, by="system: test", at=NOON, reason=WHY)
    assert sweeps.open_dates(at=NOON) == 0
    assert standing(plan).number == 2


def test_whoever_signs_is_reminded_at_once_and_every_week(amara, maren):
    plan = make_plan(owner=amara, manager=maren, needs_sign_off=True)
    services.complete(standing(plan), by="system: test", at=NOON)
    run(NOON, NOON + DAY, NOON + 7 * DAY + MINUTE)
    assert [message.title for message in inbox(maren)] == [f"To be signed off: {plan.task}"] * 2


# Changes


def test_a_change_does_the_task_once_it_is_closed_on_every_system(amara):
    plan = make_plan(
        owner=amara, frequency=Frequency.AS_NEEDED, ceiling_days=30, topic="maintenance.security-patch",
        systems=[make_system(), make_system()],
    )  # fmt: skip
    first, second = Demand.objects.filter(topic="maintenance.security-patch").order_by("pk")
    for demand, at in ((first, NOON + DAY), (second, NOON + 2 * DAY)):
        assert standing(plan).number == 1
        demand.answer, demand.answered_at, demand.answered_by = {"change": "CHG-000007"}, at, "Jonas Lindqvist"
        demand.save()
        run(at + MINUTE)
    done = Occurrence.objects.get(plan=plan, number=1)
    assert (done.state, done.source, done.change, done.done_by) == (
        State.COMPLETED, Source.CHANGE, "CHG-000007", "Jonas Lindqvist"
    )  # fmt: skip
    assert done.done_at == NOON + 2 * DAY
    assert standing(plan).scheduled_on == date(2026, 12, 19)


def test_a_change_that_is_closed_before_its_date_can_be_done_does_it_then_and_stops_nothing_else():
    plan = make_plan(topic="maintenance.security-patch", systems=[make_system()])
    services.complete(standing(plan), by="system: test", at=NOON)  # the date after can be done from 17 December on
    demand = Demand.objects.get(answered_at=None)
    demand.answer, demand.answered_at, demand.answered_by = {"change": "CHG-000007"}, NOON + DAY, "Jonas Lindqvist"
    demand.save()
    starts_at = standing(plan).starts_at
    run(NOON + DAY, starts_at - MINUTE)
    assert standing(plan).number == 2
    run(starts_at + MINUTE)
    assert Occurrence.objects.get(plan=plan, number=2).done_at == starts_at


def test_a_change_that_cannot_complete_its_date_yet_does_not_stop_the_others(amara):
    systems = [make_system()]
    stuck = make_plan(topic="maintenance.security-patch", systems=systems, proves_recovery=True)
    fine = make_plan(topic="maintenance.security-patch", systems=systems)
    for demand in Demand.objects.all():
        demand.answer, demand.answered_at, demand.answered_by = {"change": "CHG-000007"}, NOON + DAY, "Jonas Lindqvist"
        demand.save()
    run(NOON + DAY + MINUTE)
    assert (standing(stuck).number, standing(fine).number) == (1, 2)


# Mondays


def mondays(contact):
    return inbox(contact, "maintenance_monday")


def test_managers_get_one_digest_every_monday(amara, maren):
    plan = make_plan(owner=amara, manager=maren, frequency=Frequency.WEEKLY, anchor=date(2026, 11, 20))
    monday = NOON + 6 * DAY  # 23 November
    run(NOON, monday.replace(hour=7), monday.replace(hour=8), monday, monday + DAY)
    assert [message.title for message in mondays(maren)] == [
        "Maintenance this week: 1 overdue, 0 due, 0 to be signed off"
    ]
    assert f"/maintenance/{plan.reference}/1/" in mondays(maren)[0].body
    assert not mondays(amara)


def test_the_digest_names_the_managers_own_action_items(amara, maren):
    make_plan(owner=amara, manager=maren)
    make_item(owner=maren, title="Put the key where the plan says", due_at=NOON + 8 * DAY)
    make_item(owner=maren, title="Far away", due_at=NOON + 60 * DAY)
    make_item(owner=amara, title="Somebody else's")
    run(NOON + 6 * DAY)
    body = mondays(maren)[0].body
    assert "Action items of yours, overdue or due in the next 7 days" in body
    assert "Put the key where the plan says, Wed 25 Nov" in body
    assert "Far away" not in body
    assert "Somebody else's" not in body


def test_the_digest_names_the_promises_that_are_unproven_and_leads_to_them(amara, maren):
    plan = make_plan(owner=amara, manager=maren, frequency=Frequency.WEEKLY, anchor=date(2026, 11, 20))
    restore(make_system("desk", name="Ticket desk", rto=60, rpo=60), started=NOON - DAY)
    restore(make_system("queue", name="Mail queue", rto=240, rpo=60), started=NOON - DAY, succeeded=False)
    make_system("store", name="File store", rto=480, rpo=60)
    make_system("wiki", name="Wiki")
    run(NOON + 6 * DAY)
    [digest] = mondays(maren)
    assert digest.title.endswith("0 to be signed off, 2 promises unproven")
    assert "2 recovery promises unproven:" in digest.body
    assert "- File store: It was never measured. " in digest.body
    assert "/recovery/systems/store/" in digest.body
    assert "failed." in digest.body
    assert "Ticket desk" not in digest.body
    assert "Wiki" not in digest.body
    assert f"/maintenance/{plan.reference}/1/" in digest.body
    assert "/maintenance/?whose=managed" in digest.body


def test_a_long_list_of_unproven_promises_ends_with_the_way_to_the_others(amara, maren):
    make_plan(owner=amara, manager=maren)
    for number in range(22):
        make_system(f"s{number}", name=f"System {number:02}", rto=60, rpo=60)
    run(NOON + 6 * DAY)
    [digest] = mondays(maren)
    assert digest.title.endswith("22 promises unproven")
    assert "System 19" in digest.body
    assert "System 20" not in digest.body
    assert "and 2 more: " in digest.body
    assert "/recovery/?show=unproven" in digest.body


def test_promises_are_named_to_nobody_who_may_not_read_of_recovery(amara):
    make_plan(owner=amara, manager=(reader := make_contact("Rae Reader", user=make_user())))
    make_system("store", name="File store", rto=480, rpo=60)
    run(NOON + 6 * DAY)
    [digest] = mondays(reader)
    assert "File store" not in digest.body
    assert "unproven" not in digest.title


def test_a_monday_that_was_down_is_caught_up_once(amara, maren):
    make_plan(owner=amara, manager=maren)
    run(NOON + 8 * DAY, NOON + 9 * DAY)
    assert len(mondays(maren)) == 1
