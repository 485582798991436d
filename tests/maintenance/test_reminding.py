"""When somebody is reminded: a table of steps, and what follows from an outage."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from maintenance.reminding import Course, first_step, steps, steps_between

LONDON = ZoneInfo("Europe/London")
DUE = datetime(2026, 12, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def course(interval=365, grace=3, due=DUE):
    return Course(due, interval, grace, LONDON)


def days(found):
    return [(step.key, (step.at - DUE).days) for step in found]


def test_somebody_is_reminded_before_on_the_day_and_every_week_after_it():
    assert days(islice(steps(course(grace=10)), 8)) == [
        ("before:30", -30), ("before:7", -7), ("before:1", -1), ("due", 0),
        ("overdue:1", 7), ("manager", 10), ("overdue:2", 14), ("team", 20),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "wanted"),
    [(1, []), (2, ["before:1"]), (7, ["before:1"]), (8, ["before:7", "before:1"]), (28, ["before:7", "before:1"]),
     (31, ["before:30", "before:7", "before:1"])],
)  # fmt: skip
def test_only_what_is_shorter_than_the_interval_reminds_before(interval, wanted):
    assert [step.key for step in islice(steps(course(interval)), len(wanted) + 1)] == [*wanted, "due"]


def test_without_grace_the_manager_is_told_on_the_day_and_the_team_a_day_later():
    assert days(islice(steps(course(1, grace=0)), 4)) == [("due", 0), ("manager", 0), ("team", 1), ("overdue:1", 7)]


def test_the_order_of_steps_never_goes_back():
    for grace in range(40):
        found = list(islice(steps(course(grace=grace)), 40))
        assert [step[:2] for step in found] == sorted(step[:2] for step in found)
        assert len({step.key for step in found}) == 40


def test_what_is_opened_late_is_reminded_on_its_day_at_the_latest():
    assert first_step(course(), at=DUE - 8 * DAY).key == "before:7"
    assert first_step(course(), at=DUE - timedelta(hours=1)).key == "due"
    assert first_step(course(), at=DUE + 90 * DAY).key == "due"


def test_an_outage_passes_each_step_once():
    first = first_step(course(), at=DUE - 2 * DAY)
    passed, following = steps_between(course(), after=first, until=DUE + 8 * DAY)
    assert [step.key for step in passed] == ["due", "manager", "team", "overdue:1"]
    assert (following.key, following.at) == ("overdue:2", DUE + 14 * DAY)


def test_steps_keep_their_hour_over_a_clock_change():
    due = datetime(2026, 3, 30, 11, tzinfo=UTC)  # noon in London, a day after the clocks went forward
    assert first_step(course(due=due), at=due - 8 * DAY).at == datetime(2026, 3, 23, 12, tzinfo=UTC)
