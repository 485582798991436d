"""The secret address that calendars read, and a file that is taken in after a look."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal.directory.models import CalendarFeed, OnCallShift
from portal.directory.oncall import ical
from portal.directory.oncall.ical import Out
from portal.lib import clock
from portal.lib.zones import zone_or_utc
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_team
from tests.factories.oncall import make_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def hannah(client):
    user = make_user("hannah", roles=["manager"])
    client.force_login(user)
    return make_contact("Hannah", user=user)


@pytest.fixture
def team(hannah):
    return make_schedule(make_team("ops"), hannah, make_contact("Mei")).team


def made(client, team=None):
    page = client.post(reverse("directory:make-feed"), {"team": team.pk if team else ""}).content.decode()
    return page.split('value="http')[1].split('"')[0].partition("/on-call")[2]


def test_a_calendar_reads_ones_own_turns_and_a_teams_without_a_session(client, team):
    mine, all_turns = (f"/on-call{made(client, one)}" for one in (None, team))
    client.logout()
    assert b"SUMMARY:On call: Operations" in client.get(mine).content
    answer = client.get(all_turns)
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert b"SUMMARY:Mei (Operations)" in answer.content
    assert client.get(all_turns, headers={"if-none-match": answer.headers["ETag"]}).status_code == 304


def test_an_address_is_nothing_once_revoked_or_once_its_owner_may_read_no_more(client, team, hannah):
    mine, other = (f"/on-call{made(client)}" for _ in range(2))
    client.post(reverse("directory:revoke-feed", args=[CalendarFeed.objects.first().pk]))
    assert client.get(mine).status_code == 404
    assert client.get(other).status_code == 200
    hannah.user.groups.clear()
    assert client.get(other).status_code == 404
    assert client.get("/on-call/ical/guess.ics").status_code == 404


def test_nobody_revokes_the_address_of_another(client, team, hannah):
    made(client)
    client.force_login(make_user("amara", roles=["responder"]))
    assert client.post(reverse("directory:revoke-feed", args=[CalendarFeed.objects.get().pk])).status_code == 404


def upload(client, team, content):
    file = SimpleUploadedFile("rota.ics", content, content_type="text/calendar")
    return client.post(reverse("directory:import", args=[team.slug]), {"file": file})


def test_a_file_is_looked_at_first_and_then_taken_in_once(client, team):
    at = clock.now().replace(microsecond=0)
    hour = timedelta(hours=1)
    titles = ("On call: Mei", "Nemo", "Hannah")
    events = [Out(f"{n}@x", title, at + (n + 1) * hour, at + (n + 4) * hour) for n, title in enumerate(titles)]
    content = ical.write("x", events, at=at, zone=zone_or_utc("UTC"))
    answer = upload(client, team, content)
    page = answer.content.decode()
    assert "Nobody of that name or address is in the directory." in page
    assert "It overlaps with the turn of Mei; the one that starts last counts." in page
    assert not OnCallShift.objects.exists()
    turns, address = answer.context["form"]["turns"].value(), reverse("directory:import", args=[team.slug])
    assert client.post(address, {"turns": turns, "reason": ""}).status_code == 422
    for _ in range(2):
        assert client.post(address, {"turns": turns, "reason": "From the old tool"}).status_code == 302
    assert sorted(OnCallShift.objects.values_list("contact__name", flat=True)) == ["Hannah", "Mei"]
    assert "It stands already." in upload(client, team, content).content.decode()
    assert client.post(address, {"turns": f"{turns}x", "reason": "Forged"}).url == address


@pytest.mark.parametrize("content", [b"", b"garbage", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"])
def test_a_file_without_turns_is_refused(client, team, content):
    answer = upload(client, team, content)
    assert answer.status_code == 422
    assert not OnCallShift.objects.exists()
