"""The calendar of maintenance, and the address from which a calendar program reads it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from maintenance import services
from maintenance.enums import Basis, Frequency
from portal.audit.actor import acting
from portal.directory.models import CalendarFeed, Team
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_system
from tests.factories.engagements import make_engagement
from tests.factories.maintenance import WHY, make_member, make_plan, standing
from tests.factories.windows import make_window

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock_stands(monkeypatch):
    monkeypatch.setattr("portal.lib.clock.now", lambda: NOON)
    monkeypatch.setattr("portal.lib.clock.database_now", lambda: NOON)
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


@pytest.fixture
def amara(client):
    user, contact = make_member("Amara Okafor")
    client.force_login(user)
    return contact


def days(page):
    return {
        f"{day.date:%m-%d}": [(entry.task, entry.look.word) for entry in day.entries]
        for week in page.context["month"].weeks
        for day in week
        if day.entries and not day.is_out
    }


def test_a_month_shows_what_was_done_what_stands_and_what_is_to_come(client, amara):
    plan = make_plan(owner=amara, frequency=Frequency.WEEKLY, anchor=date(2026, 11, 2), task="Look")
    services.complete(standing(plan), by="system: test", at=NOON)
    assert days(client.get("/maintenance/calendar/?whose=mine")) == {
        "11-23": [("Look", "Done")],
        "11-30": [("Look", "Open")],
    }
    following = days(client.get("/maintenance/calendar/?whose=mine&on=2026-12-01"))
    assert following == {day: [("Look", "To come")] for day in ("12-07", "12-14", "12-21", "12-28")}


def test_what_floats_is_not_foreseen(client, amara):
    make_plan(owner=amara, frequency=Frequency.WEEKLY, basis=Basis.FLOATING, anchor=date(2026, 12, 1), task="Look")
    assert days(client.get("/maintenance/calendar/?whose=mine&on=2026-12-01")) == {"12-01": [("Look", "Open")]}


def test_what_is_not_ones_own_is_in_another_view(client, amara):
    make_plan(task="Of somebody else", anchor=date(2026, 11, 20))
    assert days(client.get("/maintenance/calendar/?whose=mine")) == {}
    assert days(client.get("/maintenance/calendar/?whose=all")) == {"11-20": [("Of somebody else", "Open")]}


@pytest.mark.parametrize("on", ["nonsense", "0001-01-01", "9999-12-31", ""])
def test_a_month_that_is_none_is_a_month_all_the_same(client, amara, on):
    assert client.get(f"/maintenance/calendar/?on={on}").status_code == 200


def made(client, **words):
    address = client.post("/maintenance/feeds/", words).context["address"]
    return address.partition("//")[2].partition("/")[2]


def test_a_calendar_program_reads_ones_own_tasks_until_the_address_is_revoked(client, amara):
    plan = make_plan(owner=amara, task="Rotate keys")
    make_plan(task="Of somebody else")
    address = made(client)
    feed = CalendarFeed.objects.get(topic="maintenance")
    anybody = type(client)()
    answer = anybody.get(f"/{address}")
    words = answer.content.decode()
    assert answer["Content-Type"].startswith("text/calendar")
    assert f"{plan.reference} Rotate keys" in words
    assert "Of somebody else" not in words
    assert anybody.get(f"/{address}", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    client.post(f"/maintenance/feeds/{feed.pk}/revoke/")
    assert anybody.get(f"/{address}").status_code == 404


def test_an_address_of_a_team_shows_the_tasks_of_the_team(client, amara):
    team, other = Team.objects.get(slug="ops"), Team.objects.get(slug="support")
    team.members.add(amara)
    make_plan(team=team, task="Of the team")
    make_plan(team=other, task="Of another team")
    words = client.get(f"/{made(client, of='team:ops')}").content.decode()
    assert "Of the team" in words
    assert "Of another team" not in words
    assert client.post("/maintenance/feeds/", {"of": "team:support"}).status_code == 404


def test_an_address_of_a_system_shows_its_tasks_and_windows_whoever_does_them(client, amara):
    mail, desk = make_system("mail", name="Mail"), make_system("desk", name="Desk")
    make_plan(systems=[mail, desk], task="Of both")
    make_plan(systems=[desk], task="Of the desk")
    make_plan(owner=amara, task="Of no system")
    make_window(mail, title="Work on mail")
    make_window(desk, title="Work on the desk")
    address = made(client, of="system:mail")
    words = client.get(f"/{address}").content.decode()
    assert "X-WR-CALNAME:Maintenance of Mail" in words
    assert words.count("Of both") == 1
    assert "Work on mail" in words
    for other in ("Of the desk", "Of no system", "Work on the desk"):
        assert other not in words
    page = client.get("/maintenance/calendar/").content.decode()
    assert "Of Mail</span>" in page
    client.post(f"/maintenance/feeds/{CalendarFeed.objects.get(system=mail).pk}/revoke/")
    assert client.get(f"/{address}").status_code == 404


@pytest.mark.parametrize("of", ["system:nowhere", "system:retired", "system:", "team:", "nonsense"])
def test_no_address_is_made_of_what_is_not_there(client, amara, of):
    make_system("retired", active=False)
    assert client.post("/maintenance/feeds/", {"of": of}).status_code == 404
    assert not CalendarFeed.objects.exists()


def test_an_address_of_changes_opens_no_maintenance(client, amara):
    address = client.post("/changes/feeds/").context["address"]
    secret = address.rpartition("/")[2]
    assert client.get(f"/maintenance/feed/{secret}").status_code == 404


@pytest.mark.parametrize("of", ["maintenance", "changes"])
def test_no_address_is_offered_or_made_for_an_auditor_or_whoever_is_not_in_the_directory(client, of):
    auditor, _ = make_member("Priya Raman", "auditor")
    make_engagement(auditor)
    for user in (auditor, make_user("nobody", roles=["responder"])):
        client.force_login(user)
        page = client.get(f"/{of}/calendar/")
        assert page.status_code == 200
        assert f"/{of}/feeds/" not in page.content.decode()
        assert client.post(f"/{of}/feeds/").status_code == 403
    assert not CalendarFeed.objects.exists()
