"""Schedules behind the same questions as before: who is on call now, at any moment, and until when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.directory import readiness, services
from portal.directory.oncall import reading
from tests.factories.directory import NOON, make_calendar, make_contact, make_shift, make_team
from tests.factories.oncall import make_layer, make_schedule

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEXT_MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def people():
    return [make_contact(name) for name in ("Mei", "Jonas", "Amara")]


def test_a_schedule_says_who_is_on_call_now_and_at_any_moment(people):
    schedule = make_schedule(None, *people)
    team = schedule.team
    assert services.on_call(team, at=NOON) == people[0]
    assert services.on_call_until(team, at=NOON) == NEXT_MONDAY
    assert services.on_call(team, at=NEXT_MONDAY) == people[1]
    assert services.on_call(team, at=NEXT_MONDAY - timedelta(days=364)) == people[0]


def test_an_override_by_hand_lies_over_the_schedule_and_gives_the_duty_back(people):
    team = make_schedule(None, *people[:2]).team
    make_shift(team, people[2], starts=NOON, until=NOON + HOUR)
    assert [services.on_call(team, at=NOON + n * HOUR) for n in (-1, 0, 1)] == [people[0], people[2], people[0]]
    assert services.on_call_until(team, at=NOON) == NOON + HOUR


def test_the_upper_layer_wins_in_its_hours(people):
    schedule = make_schedule(None, people[0])
    make_layer(schedule, people[1], position=2, hours="Tue 12:00-13:00")
    assert [services.on_call(schedule.team, at=NOON + n * HOUR) for n in (-1, 0, 1)] == [
        people[0],
        people[1],
        people[0],
    ]


def test_a_working_calendar_leaves_its_holidays_to_the_layer_below(people):
    schedule = make_schedule(None, people[0])
    calendar = make_calendar(days_off={NOON.date() + DAY: "Feast"})
    make_layer(schedule, people[1], position=2, calendar=calendar)
    assert services.on_call(schedule.team, at=NOON) == people[1]
    assert services.on_call(schedule.team, at=NOON + DAY) == people[0]


def test_the_second_schedule_answers_where_nobody_holds_the_first(people):
    first = make_schedule(None, people[0], hours="Mon 09:00-10:00")
    make_schedule(first.team, people[1])
    assert services.on_call(first.team, at=NOON) == people[1]
    make_shift(first.team, people[2], starts=NOON)  # by hand, over the first
    assert services.on_call(first.team, at=NOON) == people[2]


def test_whoever_has_left_is_passed_over_but_not_in_the_past(people):
    schedule = make_schedule(None, people[0])
    make_layer(schedule, people[1], position=2)
    people[1].active = False
    people[1].save()
    team = schedule.team.pk
    assert reading.holders([team], at=NOON) == {team: people[0]}
    assert reading.holders([team], at=NOON, with_leavers=True) == {team: people[1]}
    assert services.turns_ahead([team], at=NOON)[team][0].contact == people[0]


def test_one_person_for_good_has_no_end_in_sight(people):
    team = make_schedule(None, people[0]).team
    assert services.on_call_until(team, at=NOON) is None


def test_many_schedules_take_no_more_queries_than_one(people, django_assert_max_num_queries):
    teams = [make_schedule(None, *people).team.pk for _ in range(6)]
    with django_assert_max_num_queries(5):
        assert len(services.on_call_many(teams, at=NOON)) == 6
    with django_assert_max_num_queries(7):
        services.turns_ahead(teams, at=NOON)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_moment_and_the_turns_ahead_say_the_same(people, data):
    """Layers with hours in three zones, in versions, and shifts by hand: asked both ways around a clock change."""
    change = datetime(2026, 10, 25, 1, tzinfo=UTC)
    schedule = make_schedule(make_team())
    zones = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe"])
    hours = st.sampled_from(["", "Mon-Fri 18:00-09:00", "Sat-Sun 00:00-24:00", "Sun 01:15-03:30"])
    shift = st.integers(-48, 48).map(lambda n: change + n * HOUR)
    for position in range(data.draw(st.integers(1, 3))):
        chosen = data.draw(st.lists(st.sampled_from(people), min_size=1, max_size=3))
        first = data.draw(shift)
        make_layer(
            schedule, *chosen, position=position + 1, time_zone=data.draw(zones), hours=data.draw(hours),
            unit=data.draw(st.sampled_from(["hours", "days"])), every=data.draw(st.integers(1, 30)),
            starts=first, until=data.draw(st.sampled_from([None, first + DAY])),
        )  # fmt: skip
    for _ in range(data.draw(st.integers(0, 3))):
        starts = data.draw(shift)
        over = data.draw(st.sampled_from([None, schedule]))
        row = make_shift(schedule.team, data.draw(st.sampled_from(people)), starts=starts, until=starts + 7 * HOUR)
        row.schedule = over
        row.save()
    turns = services.turns_ahead([schedule.team_id], at=change - 2 * DAY)[schedule.team_id]
    assert all(one.until <= two.starts for one, two in pairwise(turns))
    for minutes in data.draw(st.lists(st.integers(-2800, 2800), min_size=5, max_size=5)):
        at = change + timedelta(minutes=minutes)
        held = [turn.contact for turn in turns if turn.starts <= at < turn.until]
        assert held == [who for who in [services.on_call(schedule.team, at=at)] if who]


def test_readiness_tells_of_holes_leavers_people_without_a_method_and_unfair_load(people):
    mute, leaver = make_contact("Yusuf", reachable=False), make_contact("Leila")
    schedule = make_schedule(
        make_team("ops"), mute, people[0], people[0], people[0], people[0], hours="Mon-Fri 00:00-24:00"
    )
    make_layer(schedule, leaver, position=2, hours="Sun 00:00-01:00")
    leaver.active = False
    leaver.save()
    found = " ".join(hole.sentence for hole in readiness.holes(at=NOON))
    assert "Nobody is on call for Operations from Sat 21 Nov, 00:00 until Mon 23 Nov, 00:00." in found
    assert "Leila has left, but takes turns in “Week” of" in found
    assert "Yusuf, in the rotation of Operations, has no verified contact method." in found or "Yusuf, on call" in found
    assert "Mei is on call for Operations in" in found


def test_somebody_alone_in_a_rotation_is_told(people):
    make_schedule(make_team("ops"), people[0])
    found = [hole.sentence for hole in readiness.holes(at=NOON)]
    assert "Mei alone takes all turns of Operations. Add somebody to the rotation." in found


def test_a_turn_has_its_own_edges_whatever_time_is_asked_for(people):
    schedule = make_schedule(None, *people)
    starts, until = NOON, NOON + 7 * DAY
    wide = reading.lines([schedule.team_id], starts=starts - reading.BEYOND, until=until + reading.BEYOND)
    found = reading.whole(wide[schedule.team_id], wide[schedule.team_id].turns(), starts=starts, until=until)
    assert [(one.turn.contact, one.begins, one.ends) for one in found] == [
        (people[0], NEXT_MONDAY - 7 * DAY, NEXT_MONDAY),
        (people[1], NEXT_MONDAY, NEXT_MONDAY + 7 * DAY),
    ]


def test_whoever_is_alone_has_neither_beginning_nor_end_in_sight(people):
    line = reading.lines([make_schedule(None, people[0]).team_id], starts=NOON, until=NOON + DAY)
    found = [one for each in line.values() for one in reading.whole(each, each.turns(), starts=NOON, until=NOON + DAY)]
    assert [(one.begins, one.ends) for one in found] == [(None, None)]
