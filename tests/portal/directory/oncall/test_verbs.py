"""The verbs of schedules and swaps, and what each refuses."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from portal.directory import services
from portal.directory.models import Layer, OnCallShift, Swap
from portal.directory.oncall import addresses, schedules, swaps
from portal.directory.oncall.schedules import Rota
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_shift, make_team
from tests.factories.oncall import make_schedule

pytestmark = pytest.mark.django_db
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
NEXT_MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
DOING = {"by": "test", "at": NOON}
WHY = {**DOING, "reason": "A test"}


@pytest.fixture
def people():
    return [make_contact(name) for name in ("Mei", "Jonas", "Amara")]


@pytest.fixture
def schedule(people):
    return make_schedule(None, *people)


def rota(*members, **more):
    return Rota(**{"name": "Week", "members": members, "first_day": date(2026, 11, 16), **more})


def on_call(schedule, at):
    return services.on_call(schedule.team, at=at)


def ask(schedule, people, **more):
    return swaps.ask(schedule, people[0], people[1], **{"span": (NOON, NEXT_MONDAY), **WHY, **more})


# Schedules and layers.


def test_a_schedule_is_made_and_somebody_takes_turns_from_then_on(people):
    schedule = schedules.add_schedule(make_team(), name=" Primary ", time_zone="Asia/Tokyo", **WHY)
    layer = schedules.add_layer(schedule, rota(*people), starts=NOON, **WHY)
    assert (schedule.name, layer.time_zone) == ("Primary", "Asia/Tokyo")
    assert [on_call(schedule, NOON + n * WEEK) for n in range(3)] == people
    assert on_call(schedule, NOON - HOUR) is None


def test_changing_a_rota_does_not_rewrite_the_past(schedule, people):
    layer = schedule.layers.get()
    schedules.change_layer(layer, rota(people[2]), starts=NOON, **WHY)
    assert on_call(schedule, NOON - HOUR) == people[0]
    assert on_call(schedule, NOON) == people[2]
    assert Layer.objects.count() == 2


def test_a_layer_that_was_changed_meanwhile_is_not_changed_twice(schedule, people):
    layer = schedule.layers.get()
    schedules.change_layer(layer, rota(people[2]), starts=NOON, **WHY)
    with pytest.raises(ValidationError, match="changed or ended meanwhile"):
        schedules.change_layer(layer, rota(people[1]), starts=NOON + HOUR, **WHY)
    assert on_call(schedule, NOON + 2 * HOUR) == people[2]


def test_the_past_cannot_be_changed(schedule, people):
    for act in (schedules.change_layer, schedules.add_layer):
        subject = schedule.layers.get() if act is schedules.change_layer else schedule
        with pytest.raises(ValidationError, match="past is not changed"):
            act(subject, rota(people[1]), starts=NOON - HOUR, **WHY)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"members": ()}, "Name at least one person"),
        ({"hours": "sometimes"}, "is not understood"),
        ({"every": 99}, "lasts at most 52 weeks"),
        ({"every": 0}, "greater than or equal to 1"),
        ({"time_zone": "Mars/Base"}, "is no time zone"),
        ({"name": ""}, "name"),
    ],
)
def test_a_rota_that_cannot_be_is_refused(schedule, people, more, sentence):
    with pytest.raises(ValidationError, match=sentence):
        schedules.add_layer(schedule, rota(*people, **more) if "members" not in more else rota(), starts=NOON, **WHY)
    assert Layer.objects.count() == 1


def test_a_rota_of_people_who_left_is_refused(schedule):
    with pytest.raises(ValidationError, match="Leila has left"):
        schedules.add_layer(schedule, rota(make_contact("Leila", active=False)), starts=NOON, **WHY)


def test_a_layer_ends_and_one_that_has_not_begun_never_counts(schedule, people):
    coming = schedules.add_layer(schedule, rota(people[2], position=2), starts=NOON + DAY, **WHY)
    schedules.end_layer(coming, until=NOON, **WHY)
    schedules.end_layer(schedule.layers.first(), until=NOON + HOUR, **WHY)
    assert on_call(schedule, NOON) == people[0]
    assert on_call(schedule, NOON + HOUR) is None
    assert on_call(schedule, NOON + 2 * DAY) is None


def test_a_retired_schedule_answers_no_more_but_for_the_past(schedule, people):
    shift = swaps.take_over(schedule, people[2], starts=NOON + DAY, until=NOON + 2 * DAY, **WHY)[0]
    schedules.retire(schedule, **WHY)
    assert on_call(schedule, NOON) is None
    assert on_call(schedule, NOON - HOUR) == people[0]
    shift.refresh_from_db()
    assert shift.withdrawn
    with pytest.raises(ValidationError, match="retired already, by test"):
        schedules.retire(schedule, **WHY)
    with pytest.raises(ValidationError, match="Make a new schedule"):
        schedules.add_layer(schedule, rota(people[1]), starts=NOON, **WHY)


# Standing in.


def test_taking_over_shows_everywhere_and_gives_back(schedule, people):
    swaps.take_over(schedule, people[2], starts=NOON, until=NOON + HOUR, **WHY)
    assert [on_call(schedule, NOON + n * HOUR) for n in (-1, 0, 1)] == [people[0], people[2], people[0]]
    assert OnCallShift.objects.get().history.get().history_change_reason == "A test"


def test_taking_over_lies_over_an_override_that_stands_already(schedule, people):
    make_shift(schedule.team, people[1], starts=NOON + HOUR, until=NOON + 3 * HOUR)
    swaps.take_over(schedule, people[2], starts=NOON, until=NOON + 4 * HOUR, **WHY)
    assert {on_call(schedule, NOON + n * HOUR) for n in range(4)} == {people[2]}


def test_taking_over_what_one_holds_already_is_refused(schedule, people):
    with pytest.raises(ValidationError, match="on call in this time already"):
        swaps.take_over(schedule, people[0], starts=NOON, until=NOON + HOUR, **WHY)


def test_a_swap_changes_nothing_until_it_is_accepted(schedule, people):
    swap = ask(schedule, people)
    assert on_call(schedule, NOON) == people[0]
    swap = swaps.accept(swap, by=people[1], at=NOON)
    assert (swap.state, swap.answered_by) == ("accepted", "Jonas")
    assert on_call(schedule, NOON) == people[1]
    shift = OnCallShift.objects.get()
    assert (shift.swap, shift.schedule) == (swap, schedule)
    assert shift.history.get().history_change_reason == "Swap accepted by Jonas: A test"


def test_a_swap_in_return_exchanges_both_turns(schedule, people):
    swap = ask(schedule, people, back=(NEXT_MONDAY, NEXT_MONDAY + WEEK))
    swaps.accept(swap, by=people[1], at=NOON)
    assert [on_call(schedule, at) for at in (NOON, NEXT_MONDAY, NEXT_MONDAY + WEEK)] == [
        people[1],
        people[0],
        people[2],
    ]


@pytest.mark.parametrize("verb", [swaps.decline, swaps.withdraw])
def test_a_swap_that_is_not_accepted_leaves_all_as_it_was(schedule, people, verb):
    swap = verb(ask(schedule, people), **DOING)
    assert on_call(schedule, NOON) == people[0]
    for late in (swaps.accept, swaps.decline, swaps.withdraw):
        with pytest.raises(ValidationError, match="already, by test"):
            late(swap, **DOING)


def test_a_swap_lapses_when_its_time_is_over(schedule, people):
    swap = ask(schedule, people, span=(NOON, NOON + HOUR))
    with pytest.raises(ValidationError, match="lapsed"):
        swaps.accept(swap, by="test", at=NOON + HOUR)


def test_a_running_turn_is_handed_over_from_the_moment_of_the_answer(schedule, people):
    swaps.accept(ask(schedule, people), by="test", at=NOON + HOUR)
    assert [on_call(schedule, NOON + n * HOUR) for n in (0, 1)] == people[:2]


def test_a_swap_of_what_is_no_longer_held_is_refused(schedule, people):
    swap = ask(schedule, people)
    swaps.take_over(schedule, people[2], starts=NOON, until=NEXT_MONDAY, **WHY)
    with pytest.raises(ValidationError, match="Mei holds nothing"):
        swaps.accept(swap, by=people[1], at=NOON)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"span": (NEXT_MONDAY, NEXT_MONDAY + DAY)}, "Mei holds nothing"),
        ({"span": (NOON, NOON)}, "must end after it starts"),
        ({"span": (NOON - DAY, NOON)}, "has passed"),
        ({"span": (NOON, NOON + 90 * DAY)}, "at most 62 days"),
        ({"back": (NOON, NOON + HOUR)}, "overlap"),
        ({"back": (NEXT_MONDAY + WEEK, NEXT_MONDAY + 2 * WEEK)}, "Jonas holds nothing"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(schedule, people, more, sentence):
    with pytest.raises(ValidationError, match=sentence):
        ask(schedule, people, **more)
    assert not Swap.objects.exists()


def test_a_swap_with_oneself_with_a_leaver_or_twice_is_refused(schedule, people):
    with pytest.raises(ValidationError, match="needs two people"):
        ask(schedule, [people[0], people[0]])
    with pytest.raises(ValidationError, match="has left"):
        ask(schedule, [people[0], make_contact(active=False)])
    ask(schedule, people)
    with pytest.raises(ValidationError, match="Withdraw that request first"):
        ask(schedule, people)


# Addresses of calendars.


def test_a_calendar_address_is_known_until_it_is_revoked_or_its_owner_goes():
    owner = make_contact(user=make_user())
    secret, other = (addresses.make(owner, None, **DOING) for _ in range(2))
    feed = addresses.find(secret)
    assert feed.owner == owner
    assert secret not in str(feed.__dict__)
    addresses.revoke(feed, **DOING)
    assert addresses.find(secret) is None
    with pytest.raises(ValidationError, match="revoked already"):
        addresses.revoke(feed, **DOING)
    owner.active = False
    owner.save()
    assert addresses.find(other) is None
    assert addresses.find("schlüssel") is None


def test_nobody_takes_over_a_schedule_that_is_retired(schedule, people):
    schedules.retire(schedule, **WHY)
    with pytest.raises(ValidationError, match="is retired"):
        swaps.take_over(schedule, people[1], starts=NOON + HOUR, until=NOON + DAY, **WHY)
    assert on_call(schedule, NOON + 2 * HOUR) is None
