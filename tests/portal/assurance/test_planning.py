"""Reviews that are made by themselves, reminders until they are done, and what is said of overdue ones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.assurance import reference, sweeps
from portal.assurance.enums import ReviewKind
from portal.assurance.models import Review, ReviewPlan
from portal.assurance.periods import period_before, period_of
from portal.assurance.services import deciding, opening, planning, signing
from portal.assurance.services.people import reviewing_roles
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.reviews import DAY, change, make_review

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
MADE = DECEMBER + planning.SETTLING
ZONES = st.sampled_from([UTC, ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/St_Johns")])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MONTHS = st.sampled_from([1, 3, 6, 12])


def sweep(at):
    fired = sweeps.sweep_reviews(at=at)
    while sweeps.sweep_reviews(at=at):
        fired += 1
    return fired


@pytest.fixture
def leila():
    user = make_user("leila", roles=["security-lead"], first_name="Leila", last_name="Nasser")
    make_contact("Leila Nasser", user=user)
    return user


@pytest.fixture
def kwame():
    user = make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")
    make_contact("Kwame Mensah", user=user)
    return user


@given(MOMENTS, MONTHS, ZONES)
def test_periods_hold_their_moment_begin_at_midnight_and_touch(moment, months, zone):
    starts, ends = period_of(moment, months, zone)
    assert starts <= moment < ends
    assert (starts.day, starts.hour, (starts.month - 1) % months) == (1, 0, 0)
    assert period_of(ends, months, zone)[0] == ends
    assert period_of(ends - timedelta(microseconds=1), months, zone) == (starts, ends)
    assert period_before(ends, months, zone) == (starts, ends)


@pytest.mark.django_db
def test_every_installation_reviews_changes_each_month_and_access_each_quarter():
    plans = {plan.kind: plan for plan in ReviewPlan.objects.all()}
    assert plans[ReviewKind.CHANGES].months == 1
    assert plans[ReviewKind.ACCESS].months == 3
    assert all(set(plan.reviewer_roles) <= set(reviewing_roles()) for plan in plans.values())
    reference.load()
    assert ReviewPlan.objects.count() == 2


@pytest.mark.django_db
def test_a_plan_has_one_due_row_for_the_period_that_runs():
    sweep(NOON)
    sweep(NOON + DAY)
    due = {row.subject_id: row.due_at for row in Deadline.objects.filter(kind=planning.PLAN)}
    plans = {plan.pk: plan for plan in ReviewPlan.objects.all()}
    assert {plans[pk].kind: at for pk, at in due.items()} == {
        ReviewKind.CHANGES: MADE,
        ReviewKind.ACCESS: datetime(2027, 1, 1, tzinfo=UTC) + planning.SETTLING,
    }
    assert not Review.objects.exists()


@pytest.mark.django_db
def test_the_review_of_a_month_is_made_after_its_end_and_the_next_is_planned(kwame, leila):
    change(kwame, times=2)
    sweep(NOON)
    assert sweep(MADE - timedelta(seconds=1)) == 0
    sweep(MADE)
    review = Review.objects.get(kind=ReviewKind.CHANGES)
    assert (review.period_from, review.period_until) == (datetime(2026, 11, 1, tzinfo=UTC), DECEMBER)
    assert review.opened_by == "system: reviews"
    assert review.due_at == MADE + timedelta(days=14)
    assert {item.about_name for item in review.items.all()} >= {"Kwame Mensah"}
    pending = Deadline.objects.get(kind=planning.PLAN, state="pending", subject_id=review.plan_id)
    assert pending.due_at == datetime(2027, 1, 1, tzinfo=UTC) + planning.SETTLING
    assert Message.objects.filter(kind="review_opened", contact__user=leila).exists()


@pytest.mark.django_db
def test_no_month_is_left_out_however_long_the_portal_slept(leila):
    sweep(NOON)
    ReviewPlan.objects.get(kind=ReviewKind.ACCESS)
    sweep(datetime(2027, 3, 10, tzinfo=UTC))
    changes = Review.objects.filter(kind=ReviewKind.CHANGES).order_by("period_from")
    assert [review.period_from.month for review in changes] == [11, 12, 1, 2]
    assert [a.period_until for a in changes][:-1] == [b.period_from for b in changes][1:]
    assert Review.objects.filter(kind=ReviewKind.ACCESS).count() == 1  # nobody can say who held what in the past


@pytest.mark.django_db
def test_two_sweeps_make_one_review(leila):
    sweep(NOON)
    plan = ReviewPlan.objects.get(kind=ReviewKind.CHANGES)
    row = Deadline.objects.get(kind=planning.PLAN, subject_id=plan.pk)
    first = planning.fire(plan, row.payload, by="system: reviews", at=MADE)
    second = planning.fire(plan, row.payload, by="system: reviews", at=MADE)
    assert first == second
    assert Review.objects.filter(kind=ReviewKind.CHANGES).count() == 1


@pytest.mark.django_db
def test_a_plan_that_is_switched_off_makes_nothing():
    sweep(NOON)
    for plan in ReviewPlan.objects.all():
        plan.active = False
        plan.save()
    sweep(MADE)
    assert not Review.objects.exists()
    assert not Deadline.objects.filter(kind=planning.PLAN, state="pending", due_at__lte=MADE).exists()


@pytest.mark.django_db
def test_reviewers_are_reminded_until_it_is_done(kwame, leila):
    change(kwame)
    review = make_review(due_at=NOON + 10 * DAY)
    pending = deadlines.of(review, [opening.REMINDER]).filter(state="pending")
    assert pending.get().due_at == NOON + 7 * DAY
    sweep(NOON + 7 * DAY)
    assert Message.objects.filter(kind="review_reminder", contact__user=leila, lane="inbox").count() == 1
    assert pending.get().due_at == NOON + 9 * DAY
    sweep(NOON + 9 * DAY)
    assert Message.objects.filter(kind="review_reminder", contact__user=leila, lane="inbox").count() == 2
    deciding.attest(review, review.items.all(), by=leila, at=NOON + 9 * DAY)
    signing.sign(review, statement="Seen", by=leila, at=NOON + 9 * DAY, confirmed=True)
    assert not Deadline.objects.filter(subject_id=review.pk, kind__startswith="review_", state="pending").exclude(
        kind=planning.PLAN
    )
    sweep(NOON + 30 * DAY)
    assert (
        Message.objects.filter(
            kind__in=["review_reminder", "review_overdue"], contact__user=leila, lane="inbox"
        ).count()
        == 2
    )


@pytest.mark.django_db
def test_an_overdue_review_is_said_to_reviewers_and_administrators_and_stays_missed(kwame, leila):
    change(kwame)
    review = make_review(due_at=NOON + 4 * DAY)
    sweep(NOON + 30 * DAY)
    for user in (kwame, leila):
        assert Message.objects.filter(kind="review_overdue", contact__user=user, lane="inbox").exists()
    assert (
        Message.objects.filter(
            kind__in=["review_reminder", "review_overdue"], contact__user=leila, lane="inbox"
        ).count()
        == 2
    )
    deciding.attest(review, review.items.all(), by=leila, at=NOON + 31 * DAY)
    signing.sign(review, statement="Late", by=leila, at=NOON + 31 * DAY, confirmed=True)
    assert signing.is_missed(review)


@pytest.mark.django_db
def test_a_short_time_is_reminded_of_at_its_half():
    assert opening.first_reminder(NOON, NOON + 2 * DAY) == NOON + DAY
    assert opening.first_reminder(NOON, NOON + 14 * DAY) == NOON + 11 * DAY


@pytest.mark.django_db
def test_a_quiet_sweep_costs_three_queries(django_assert_num_queries):
    """Plans, what other parts ask for, and deadlines: one question each."""
    sweep(NOON)
    with django_assert_num_queries(3):
        sweeps.sweep_reviews(at=NOON + DAY)
