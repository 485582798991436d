"""The change calendar, and the secret address from which a calendar program reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import icalendar
import pytest

from changes import services
from changes.models import Freeze
from changes.selectors import calendar
from portal.directory.models import CalendarFeed
from portal.directory.oncall import addresses
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.changes import make_assessed, make_change, make_emergency, verify
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def text_of(response):
    return " ".join(response.content.decode().split())


def days_with(response, title):
    days = response.context["calendar"].days
    return [day.date for day in days if any(title in entry.title for entry in (*day.entries, *day.around))]


def test_who_may_read_it(client, as_user):
    assert client.get("/changes/calendar/").status_code == 302
    assert as_user(make_user("nobody")).get("/changes/calendar/").status_code == 403


@pytest.mark.parametrize("view", ["month", "week", "list"])
def test_a_change_stands_on_its_day_and_a_draft_on_none(as_user, jonas, amara, slot, at, view):
    make_assessed(title="Upgrade it", by=jonas, implementer=amara, at=at, **slot)
    make_change(title="Only a draft", by=jonas, at=at, **slot)
    day = slot["planned_start"].astimezone(UTC).date()
    page = as_user(jonas).get(f"/changes/calendar/?view={view}&on={day}")
    assert days_with(page, "Upgrade it")[0] == day
    assert days_with(page, "Only a draft") == []


def test_freezes_come_round_and_grave_incidents_and_windows_are_shown(as_user, jonas, database, at):
    Freeze.objects.create(
        name="Close", domain="finance", starts=datetime(2026, 1, 31, 8, tzinfo=UTC),
        ends=datetime(2026, 1, 31, 18, tzinfo=UTC), rule="FREQ=MONTHLY;BYMONTHDAY=-1", time_zone="UTC",
    )  # fmt: skip
    incident = make_incident(severity=1, systems=[database], at=at)
    page = as_user(jonas).get("/changes/calendar/?on=2027-03-10")
    assert [day.isoformat() for day in days_with(page, "Close")] == ["2027-03-31"]
    page = as_user(jonas).get("/changes/calendar/")
    assert days_with(page, f"SEV-1 on {database}") == [at.astimezone(UTC).date()]
    assert f"?q={incident.reference}" in text_of(page)


def test_a_crowded_month_shows_less_of_each_day_and_hides_nothing(as_user, jonas, amara, slot, at, monkeypatch):
    monkeypatch.setattr(calendar, "CROWDED", 3)
    for number in range(4):
        make_assessed(title=f"Change number {number}", by=jonas, implementer=amara, at=at, **slot)
    for number in range(2):
        Freeze.objects.create(
            name=f"Close {number}", domain="finance", starts=slot["planned_start"], ends=slot["planned_end"]
        )
    date = slot["planned_start"].astimezone(UTC).date()
    page = as_user(jonas).get(f"/changes/calendar/?on={date}")
    day = next(day for day in page.context["calendar"].days if day.date == date)
    assert (len(day.entries), day.more, day.changes) == (2, 2, 4)
    assert (len(day.shown_around), day.more_around, day.frozen) == (1, 1, True)
    assert "2 more" in text_of(page)
    assert "1 more around it" in text_of(page)


def test_a_full_day_says_how_many_more_there_are(as_user, jonas, amara, slot, at):
    for number in range(5):
        make_assessed(title=f"Change number {number}", by=jonas, implementer=amara, at=at, **slot)
    day = slot["planned_start"].astimezone(UTC).date()
    shown = text_of(as_user(jonas).get(f"/changes/calendar/?on={day}"))
    assert "2 more</a>" in shown
    one_day = as_user(jonas).get(f"/changes/calendar/?view=list&on={day}&days=1")
    assert len(one_day.context["calendar"].days[0].entries) == 5


def test_a_change_over_midnight_counts_on_each_of_its_days(as_user, jonas, amara, at):
    evening = datetime(2027, 6, 1, 20, tzinfo=UTC)
    for minute in range(6):
        begins = evening + timedelta(minutes=minute)
        make_assessed(
            title=f"Short {minute}", by=jonas, implementer=amara, at=at,
            planned_start=begins, planned_end=begins + timedelta(minutes=10),
        )  # fmt: skip
    make_assessed(
        title="A long night", by=jonas, implementer=amara, at=at,
        planned_start=evening + timedelta(hours=1), planned_end=evening + timedelta(days=2),
    )  # fmt: skip
    shown = as_user(jonas).get("/changes/calendar/?view=list&on=2027-06-01").context["calendar"]
    first, second, third, fourth = shown.days[:4]
    assert ([entry.title for entry in first.entries], first.more) == ([f"Short {n}" for n in range(5)], 2)
    assert [[entry.title for entry in day.entries] for day in (second, third)] == [["A long night"]] * 2
    assert (second.more, third.more, fourth.entries, shown.total) == (0, 0, [], 7)


def started_at_once(title, *, jonas, amara, at):
    emergency = make_emergency(title=title, by=jonas, implementer=amara, at=at, planned_start=None, planned_end=None)
    authority = make_person("Ines Halloran", "change-approver")
    make_person("Ruth Bergqvist", "change-approver")
    return services.start_emergency(emergency, authority=authority, by=amara, at=at, reason="It burns")


@pytest.mark.parametrize("view", ["month", "week", "list"])
def test_an_emergency_without_a_slot_stands_on_the_days_on_which_it_is_carried_out(as_user, jonas, amara, at, view):
    began, today = (at - timedelta(days=2)).replace(hour=12), at.astimezone(UTC).date()
    started_at_once("Under way", jonas=jonas, amara=amara, at=began)
    over = started_at_once("Done with", jonas=jonas, amara=amara, at=began)
    verify(over, at=began + timedelta(minutes=5))
    first = began.astimezone(UTC).date()
    page = as_user(jonas).get(f"/changes/calendar/?view={view}&on={first}")
    shown = {title: [day for day in days_with(page, title) if day <= today] for title in ("Under way", "Done with")}
    assert shown["Done with"] == [first]
    last = min(today, page.context["calendar"].days[-1].date)
    assert shown["Under way"] == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert page.context["calendar"].total == 2
    assert "still open" in text_of(page)


def test_what_is_still_open_is_on_no_day_that_is_to_come(as_user, jonas, amara, database, at):
    make_incident(severity=1, systems=[database], at=at)
    started_at_once("Under way", jonas=jonas, amara=amara, at=at)
    later = (at + timedelta(days=70)).date()
    page = as_user(jonas).get(f"/changes/calendar/?on={later}")
    assert days_with(page, f"SEV-1 on {database}") == days_with(page, "Under way") == []


def test_a_calendar_program_reads_emergencies_without_a_slot_too(as_user, client, jonas, amara, at):
    began = at - timedelta(hours=5)
    over = verify(started_at_once("Done with", jonas=jonas, amara=amara, at=began), at=began + timedelta(hours=1))
    running = started_at_once("Under way", jonas=jonas, amara=amara, at=at)
    path = as_user(jonas).post("/changes/feeds/").context["address"].partition("/changes/")[2]
    client.logout()
    answer = client.get(f"/changes/{path}")
    events = {str(event["summary"]): event for event in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")}
    done = events[f"{over.reference} Done with"]
    assert (done.start, done.end) == tuple(one.replace(microsecond=0) for one in (began, began + timedelta(hours=1)))
    assert events[f"{running.reference} Under way"].end > at


def test_it_goes_back_and_forth(as_user, jonas):
    asked = as_user(jonas).get("/changes/calendar/?on=2026-12-15").context["asked"]
    assert (asked.first.isoformat(), asked.last.isoformat()) == ("2026-11-30", "2027-01-04")
    assert "on=2026-11-01" in asked.previous
    assert "on=2027-01-01" in asked.following
    week = as_user(jonas).get("/changes/calendar/?view=week&on=2026-12-16").context["asked"]
    assert (week.first.isoformat(), "on=2026-12-21" in week.following) == ("2026-12-14", True)


def test_what_an_address_misspells_is_left_out(as_user, jonas):
    for query in ("view=year&on=soon", "on=9999-99-99", "on=0001-01-01", "on=9999-12-31&view=list", "on=%00"):
        assert as_user(jonas).get(f"/changes/calendar/?{query}").status_code == 200


def test_a_calendar_program_reads_by_a_secret_address_until_it_is_revoked(as_user, client, jonas, amara, slot, at):
    change = make_assessed(title="Upgrade it", by=jonas, implementer=amara, at=at, **slot)
    Freeze.objects.create(name="Close", domain="finance", starts=at, ends=at + timedelta(days=1))
    page = as_user(jonas).post("/changes/feeds/")
    path = page.context["address"].partition("/changes/")[2]
    client.logout()
    answer = client.get(f"/changes/{path}")
    assert answer["Content-Type"].startswith("text/calendar")
    events = {str(event["summary"]): event for event in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")}
    assert set(events) == {f"{change.reference} Upgrade it", "Freeze: Close (finance close)"}
    assert str(events[f"{change.reference} Upgrade it"]["url"]).endswith(change.get_absolute_url())
    assert client.get(f"/changes/{path}", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    feed = CalendarFeed.objects.get()
    assert as_user(amara).post(f"/changes/feeds/{feed.pk}/revoke/").status_code == 404
    assert as_user(jonas).post(f"/changes/feeds/{feed.pk}/revoke/").status_code == 302
    client.logout()
    assert client.get(f"/changes/{path}").status_code == 404


def test_an_address_of_turns_opens_no_calendar_of_changes_nor_the_other_way_round(client, jonas, at):
    turns = addresses.make(jonas.contact, None, by=jonas, at=at)
    changes = addresses.make(jonas.contact, None, topic="changes", by=jonas, at=at)
    assert client.get(f"/changes/feed/{turns}.ics").status_code == 404
    assert client.get(f"/on-call/ical/{changes}.ics").status_code == 404
    assert client.get(f"/on-call/ical/{turns}.ics").status_code == 200


def test_the_calendar_costs_the_same_however_much_there_is(
    as_user, jonas, amara, slot, at, django_assert_num_queries, django_assert_max_num_queries
):
    make_assessed(by=jonas, implementer=amara, at=at, **slot)
    Freeze.objects.create(name="One", starts=at, ends=at + timedelta(days=1))
    reader = as_user(jonas)
    reader.get("/changes/calendar/")
    with django_assert_max_num_queries(20) as few:
        reader.get("/changes/calendar/")
    for number in range(6):
        make_assessed(by=jonas, implementer=amara, at=at, **slot)
        Freeze.objects.create(name=f"More {number}", starts=at, ends=at + timedelta(days=1))
    with django_assert_num_queries(len(few)):
        reader.get("/changes/calendar/")


def test_a_list_of_two_weeks_stays_short_however_much_is_around_a_day(as_user, jonas, at):
    for number in range(5):
        Freeze.objects.create(name=f"Freeze {number}", starts=at, ends=at + timedelta(hours=1))
    reader = as_user(jonas)
    shown = text_of(reader.get("/changes/calendar/?view=list"))
    assert "Freeze 2" in shown
    assert "Freeze 3" not in shown
    assert "2 more around it" in shown
    one_day = reader.get(f"/changes/calendar/?view=list&on={at:%Y-%m-%d}&days=1")
    assert "Freeze 4" in text_of(one_day)
