"""A window begins and ends at its time, shouts when it overruns, and says in the periods what it means to others."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from maintenance import services, sweeps
from maintenance.enums import WindowState
from maintenance.models import Window
from maintenance.policy import Refused
from maintenance.window_policy import WINDOW, next_shout, next_window_state
from portal.audit.actor import acting
from portal.directory.enums import EmergencyRole
from portal.directory.models import EmergencyContact, Team
from portal.notify.models import Message
from portal.records import services as records
from portal.records.models import Demand, Period
from tests.factories.directory import NOON, make_system
from tests.factories.maintenance import WHY, make_member
from tests.factories.windows import BY, make_open, make_series, make_window

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by=BY, reason=WHY, at=NOON):
        yield


@pytest.fixture
def desk():
    return make_system("desk", name="Ticket Desk")


@pytest.fixture
def amara(desk):
    contact = make_member("Amara Okafor")[1]
    EmergencyContact(system=desk, role=EmergencyRole.PRIMARY_OWNER, contact=contact).save()
    return contact


@pytest.fixture
def maren():
    return make_member("Maren Holt", "manager")[1]


def run(*moments):
    for at in moments:
        sweeps.sweep_maintenance(at=at)


def told(contact):
    return [
        row.title
        for row in Message.objects.filter(contact=contact, lane="inbox", kind__contains="mainten").order_by("id")
    ]


def period_of(window):
    (found,) = Period.objects.filter(reference=window.reference, kind="maintenance")
    return found.starts, found.ends


def lines(window):
    return list(records.timeline(window).order_by("recorded_at", "id").values_list("kind", flat=True))


def test_a_planned_window_covers_its_time_before_anything_moved_it(desk):
    window = make_window(desk)
    assert window.reference.startswith("MNW-")
    assert period_of(window) == (NOON + HOUR, NOON + 3 * HOUR)


def test_it_begins_at_its_time_and_its_contacts_are_told(desk, amara):
    window = make_window(desk)
    run(NOON + 59 * MINUTE)
    assert Window.objects.get().state == WindowState.SCHEDULED
    run(NOON + HOUR, NOON + HOUR + MINUTE)
    assert Window.objects.get().state == WindowState.IN_PROGRESS
    assert told(amara) == ["Maintenance begins: Ticket Desk"]
    assert lines(window) == ["planned", "begun"]


def test_completed_early_it_covers_no_more_and_whoever_pages_is_asked_to_look_again(desk, amara):
    window = make_open(desk)
    services.verify(window, by=BY, at=NOON + 20 * MINUTE)
    assert period_of(window) == (NOON, NOON + HOUR)
    services.complete_window(window, by=BY, at=NOON + 30 * MINUTE)
    assert period_of(window) == (NOON, NOON + 30 * MINUTE)
    assert Demand.objects.get(topic="window.over").payload["systems"] == ["desk"]
    assert told(amara) == ["Maintenance begins: Ticket Desk", "Maintenance is over: Ticket Desk"]


def test_an_overrun_shouts_to_contacts_and_managers_and_covers_no_more_than_was_promised(desk, amara, maren):
    window = make_open(desk)
    run(NOON + HOUR, NOON + HOUR + MINUTE)
    shout = f"{window.reference} overruns: Ticket Desk"
    assert told(maren) == [shout]
    assert told(amara) == ["Maintenance begins: Ticket Desk", shout]
    assert period_of(window) == (NOON, NOON + HOUR)
    run(NOON + 2 * HOUR, NOON + 3 * HOUR, NOON + 5 * HOUR)
    assert told(maren) == [shout] * 3
    services.verify(window, by=BY, at=NOON + 6 * HOUR)
    services.complete_window(window, by=BY, at=NOON + 6 * HOUR)
    run(*(NOON + n * DAY for n in range(1, 5)))
    assert told(maren) == [shout] * 3
    assert period_of(window) == (NOON, NOON + HOUR)


def test_what_an_outage_held_back_of_an_overrun_is_said_once(desk, maren):
    make_open(desk)
    run(NOON + 3 * DAY, NOON + 3 * DAY + MINUTE)
    assert len(told(maren)) == 1


def test_a_window_that_passed_while_nothing_ran_begins_and_ends_without_telling_that_it_begins(desk, amara):
    window = make_window(desk, closes_itself=True)
    run(NOON + DAY, NOON + DAY + MINUTE)
    window.refresh_from_db()
    assert window.state == WindowState.COMPLETED
    assert period_of(window) == (NOON + HOUR, NOON + 3 * HOUR)
    assert told(amara) == ["Maintenance is over: Ticket Desk"]


def test_extending_covers_longer_and_silences_the_shout(desk, maren):
    window = make_open(desk)
    services.extend(window, ends_at=NOON + 3 * HOUR, by=BY, at=NOON + 50 * MINUTE, reason="The index is large")
    run(NOON + HOUR, NOON + 2 * HOUR)
    assert told(maren) == []
    assert period_of(window) == (NOON, NOON + 3 * HOUR)
    run(NOON + 3 * HOUR)
    assert len(told(maren)) == 1
    services.extend(window, ends_at=NOON + 5 * HOUR, by=BY, at=NOON + 3 * HOUR + MINUTE, reason="Still")
    run(NOON + 4 * HOUR, NOON + 5 * HOUR)
    assert len(told(maren)) == 2


def test_a_cancelled_window_covers_nothing(desk):
    window = make_window(desk)
    services.cancel(window, by=BY, at=NOON, reason="Not needed")
    assert not Period.objects.exists()
    run(NOON + HOUR)
    assert Window.objects.get().state == WindowState.CANCELLED


@pytest.mark.parametrize("verb", WINDOW)
def test_the_dictionary_says_what_every_verb_does_and_refuses_in_sentences(verb):
    for state in WindowState:
        if state in WINDOW[verb]:
            assert next_window_state(verb, state) == WINDOW[verb][state]
        else:
            with pytest.raises(Refused, match=r"[A-Z].*\.$"):
                next_window_state(verb, state)


@pytest.mark.parametrize(
    ("starts_in", "minutes", "words"),
    [(-30, 60, "has passed"), (60, -5, "before it starts"), (60, 2, "five minutes"), (60, 8 * 1440, "seven days"),
     (400 * 1440, 60, "year ahead")],
)  # fmt: skip
def test_impossible_times_are_refused_in_a_sentence(desk, starts_in, minutes, words):
    with pytest.raises(Refused, match=words):
        make_window(desk, starts_in=starts_in, minutes=minutes)


def test_a_window_names_systems_and_says_what_is_done(desk):
    with pytest.raises(Refused, match="at least one system"):
        make_window()
    with pytest.raises(Refused, match="what is done"):
        make_window(desk, title="  ")


def test_a_series_stands_four_weeks_ahead_and_the_sweep_goes_on(desk):
    series = make_series(desk)
    days = list(series.windows.values_list("scheduled_on", flat=True))
    assert days == [date(2026, 11, 22) + n * 7 * DAY for n in range(4)]
    run(NOON + 7 * DAY, NOON + 7 * DAY + MINUTE)
    assert series.windows.count() == 5


def test_a_series_excuses_nothing_that_was_before_it_was_planned(desk):
    series = make_series(desk, anchor=date(2026, 11, 16), minutes=7 * 24 * 60)
    assert series.windows.order_by("starts_at")[0].starts_at == NOON.replace(day=23, hour=2)


def test_a_window_that_is_moved_out_of_its_time_before_a_sweep_began_it_has_whoever_pages_look_again(desk):
    window = make_window(desk)
    later = NOON + 2 * DAY
    services.move(window, starts_at=later, ends_at=later + HOUR, by=BY, at=NOON + 61 * MINUTE, reason=WHY)
    assert Demand.objects.filter(topic="window.over").count() == 1


def test_a_window_that_overruns_into_another_shift_is_told_to_who_is_on_call_then(desk, monkeypatch):
    asked = []
    monkeypatch.setattr("portal.directory.services.on_call_many", lambda teams, *, at: asked.append(at) or {})
    make_open(make_system(owner=Team.objects.get(slug="ops")))
    run(NOON + 5 * HOUR)
    assert asked == [NOON, NOON + 5 * HOUR]


def test_a_rare_series_stands_with_its_next_window(desk):
    series = make_series(desk, frequency="monthly", every=6, anchor=date(2027, 3, 7))
    assert [row.scheduled_on for row in series.windows.all()] == [date(2027, 3, 7)]
    run(NOON + DAY)
    assert series.windows.count() == 1


def test_a_series_keeps_its_hour_on_the_wall_clock_over_a_clock_change(desk):
    series = make_series(desk, anchor=date(2027, 3, 21), at=datetime(2027, 3, 20, 12, tzinfo=ZoneInfo("UTC")))
    local = [row.starts_at.astimezone(ZoneInfo("Europe/London")).time() for row in series.windows.all()]
    assert set(local) == {time(2)}
    assert {row.length for row in series.windows.all()} == {2 * HOUR}


def test_a_series_that_ended_makes_no_more_and_cancels_what_is_ahead(desk):
    series = make_series(desk)
    services.end_series(series, by=BY, at=NOON + DAY, reason="We patch live now")
    assert {row.state for row in series.windows.all()} == {WindowState.CANCELLED}
    run(NOON + 20 * DAY)
    assert series.windows.count() == 4
    with pytest.raises(Refused, match="already"):
        services.end_series(series, by=BY, at=NOON + DAY, reason="Again")


def test_shouts_never_lie_in_the_past():
    for late in (timedelta(0), 30 * MINUTE, 3 * HOUR, 30 * HOUR, 50 * DAY):
        assert next_shout(NOON, at=NOON + late) > NOON + late
