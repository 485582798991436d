"""The pages of the past: a moment is asked for in the reader's zone, and what stood then is shown."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from portal.accounts.services import grant
from portal.audit.actor import acting
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_team
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    """A reader in Tokyo, nine hours ahead."""
    client.force_login(make_superuser(time_zone="Asia/Tokyo"))
    return client


def said(response):
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())
    return re.sub(r" ([,:.])", r"\1", words)


@pytest.fixture
def team():
    with acting(at=NOON, anew=True, by="Leila Nasser", reason="New team"):
        team = make_team("storage", name="Storage", members=[make_contact("Mei Tanaka")])
    with acting(at=NOON + timedelta(hours=2), anew=True, by="Leila Nasser", reason="Renamed"):
        team.name = "Files"
        team.save()
    return team


def test_a_moment_and_a_kind_lead_to_the_register(reader, team):
    page = reader.get("/audit/as-of/", {"at": "2026-11-17T22:00", "model": "directory.team"})
    assert page.status_code == 302
    assert page.url == "/audit/as-of/directory.team/?at=2026-11-17T13%3A00%3A00.000000Z"
    words = said(reader.get(page.url))
    assert "Teams as of 17 November 2026, 22:00" in words
    assert "Storage" in words
    assert "Files" not in words
    assert "in Asia/Tokyo" in words


def test_what_is_no_moment_is_said_beside_the_field(reader, team):
    for page in (
        "/audit/as-of/",
        "/audit/as-of/directory.team/",
        f"/audit/as-of/directory.team/{team.pk}/",
        "/audit/roles/",
    ):
        answer = reader.get(page, {"at": "the day before"})
        assert answer.status_code == 422
        assert "Give a day and an hour, such as 2026-11-17 09:00." in said(answer)


def test_a_kind_that_is_not_in_the_list_is_refused(reader):
    assert reader.get("/audit/as-of/", {"model": "sessions.session"}).status_code == 422
    assert reader.get("/audit/as-of/audit.trailrow/").status_code == 404


def test_an_object_shows_every_field_and_leads_to_the_changes_around_it(reader, team):
    page = reader.get(f"/audit/as-of/directory.team/{team.pk}/", {"at": "2026-11-17T12:30:00Z"})
    words = said(page)
    assert "Storage as of 17 November 2026, 21:30" in words
    assert "So since Tue 17 Nov, 21:00, by Leila Nasser: “New team”" in words
    assert "Members" in words
    assert "Mei Tanaka" in words
    assert "Files as of" in said(reader.get(page.context["after"]))
    assert "It did not exist yet" in said(
        reader.get(f"/audit/as-of/directory.team/{team.pk}/", {"at": "2026-11-17T11:00Z"})
    )


def test_an_empty_register_says_why(reader):
    assert "There was none yet" in said(reader.get("/audit/as-of/directory.team/", {"at": "2001-01-01T00:00"}))
    assert "None of that name stood then" in said(reader.get("/audit/as-of/directory.team/", {"q": "nosuchname"}))


def test_a_page_of_a_register_is_light(reader):
    for number in range(30):
        make_incident(title=f"{number} {'long ' * 38}"[:190])
    page = reader.get("/audit/as-of/incidents.incident/")
    assert len(page.content) < 60_000
    assert "Made before" in said(page)
    rest = reader.get(f"/audit/as-of/incidents.incident/{page.context['next']}")
    first = {row.row.object_id for row in page.context["register"].rows}
    assert {row.row.object_id for row in rest.context["register"].rows}.isdisjoint(first)


def test_who_held_which_role_then(reader):
    with acting(at=NOON, anew=True):
        oscar = make_user("oscar", first_name="Oscar", last_name="Brandt")
    grant(oscar, "security-lead", by="Leila Nasser", at=NOON + timedelta(days=1), reason="Covers my leave")
    address = reverse("assurance:roles")
    words = said(reader.get(address, {"at": "2026-11-19T00:00", "q": "oscar"}))
    assert "Security lead Oscar Brandt 18 Nov 2026, 21:00, Leila Nasser “Covers my leave” Held still" in words
    assert "Nobody held it then" in said(reader.get(address, {"at": "2026-11-18T00:00", "q": "oscar"}))
    period = reader.get(address, {"from": "2026-11-10", "to": "2026-11-30", "role": "Security lead"})
    assert "At any time from 10 November 2026 to 30 November 2026" in said(period)
    assert "Oscar Brandt" in said(period)
    assert "Nobody held it then" in said(reader.get(address, {"role": "Emperor"}))


def test_roles_are_shown_only_to_whoever_may_see_accounts(client):
    user = make_user()
    client.force_login(user)
    assert client.get("/audit/roles/").status_code == 403
