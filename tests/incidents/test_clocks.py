"""Each deadline explains itself in words: start, rule, calendar, holidays, pauses, result."""

from datetime import UTC, date, datetime, timedelta

import pytest

from incidents import clocks, services
from tests.factories.directory import NOON, make_calendar, make_contact, make_severity, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def words(incident, clock, at):
    return " ".join(clocks.explain(clocks.current(incident, clock), at=at))


def face(incident, name, at):
    return next(one for one in clocks.clock_cards(incident, at=at) if one.name == name)


def test_a_running_clock_says_where_it_started_what_it_is_given_and_what_is_left():
    text = words(make_incident(severity=1), "response", after(5))
    assert "It started Tue 17 Nov 2026, 12:00" in text
    assert "SEV-1 gives “Response” 15 min" in text
    assert "10 min are left." in text


def test_business_days_name_the_calendar_and_each_day_that_was_skipped():
    friday = datetime(2026, 12, 24, 15, 0, tzinfo=UTC)
    calendar = make_calendar("London office", days_off={date(2026, 12, 25): "Christmas Day"})
    incident = make_incident(severity=4, systems=[make_system(calendar=calendar)], at=friday)
    text = words(incident, "response", friday)
    assert "London office" in text
    assert "Christmas Day" in text
    assert clocks.current(incident, "response").due_at == datetime(2026, 12, 28, 17, 30, tzinfo=UTC)


def test_the_tightest_objective_is_named():
    systems = [make_system("slow", rto=240), make_system("fast", rto=30)]
    text = words(make_incident(systems=systems), "resolve", after(1))
    assert "that of Fast: 30 min" in text


def test_a_missed_clock_stays_missed_in_words():
    incident = services.acknowledge(make_incident(severity=1), by=make_contact(), at=after(18))
    text = words(incident, "response", after(60))
    assert "3 min late. It is missed and stays missed." in text


@pytest.mark.parametrize(("minutes", "state"), [(1, "track"), (11, "track"), (12, "risk"), (16, "missed")])
def test_a_clock_is_at_risk_from_three_quarters_of_its_time(minutes, state):
    incident = make_incident(severity=1)
    assert face(incident, "Response", after(minutes)).state == state


def test_ticking_clocks_come_by_due_time_and_settled_ones_after():
    incident = services.acknowledge(make_incident(severity=1), by=make_contact(), at=after(1))
    names = [one.name for one in clocks.clock_cards(incident, at=after(2))]
    assert names == ["Emergency activation", "Stakeholders", "Customers", "Executives", "Response"]


def test_a_paused_clock_shows_its_reason():
    incident = make_incident(systems=[make_system(rto=60)])
    services.pause_clock(incident, by=make_contact(), at=after(10), reason="Waits for the vendor.")
    shown = face(incident, "Resolve", after(30))
    assert (shown.state, shown.value) == ("paused", "50 min")
    assert "Waits for the vendor." in shown.note


def test_a_recomputed_clock_says_so():
    incident = services.reclassify(make_incident(severity=3), severity=make_severity(1), by=make_contact(), at=after(3))
    assert "computed anew when the severity changed" in words(incident, "response", after(4))


def test_the_next_clock_of_many_incidents_costs_one_query(django_assert_num_queries):
    ids = [make_incident(severity=2).pk for _ in range(5)]
    with django_assert_num_queries(1):
        found = clocks.next_clock(ids, at=after(1))
    assert {one.name for one in found.values()} == {"Customers"}


def test_what_was_kept_still_shows_when_the_next_update_is_taken_back_with_the_end():
    incident = make_incident(severity=1)
    services.record_update(incident, audience="stakeholders", text="We look.", by="test", at=after(1))
    services.skip_clock(incident, clock="customers", by="test", at=after(2), reason="None is touched.")
    services.acknowledge(incident, by="test", at=after(3))
    services.resolve(incident, by="test", at=after(4))
    shown = {one.name: one.state for one in clocks.clock_cards(incident, at=after(5))}
    assert (shown["Stakeholders"], shown["Customers"]) == ("met", "skipped")


def test_every_clock_is_shown_where_it_is_asked_for():
    incident = make_incident(severity=1)
    for minute in (1, 9):
        services.record_update(incident, audience="stakeholders", text="We look.", by="test", at=after(minute))
    cards = clocks.clock_cards(incident, at=after(10), every=True)
    assert [one.state for one in cards if one.name == "Stakeholders"] == ["track", "met", "met"]
