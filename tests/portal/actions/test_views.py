"""The pages of action items: mine, my teams', all; overdue first; opened from a record; each verb a form."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from portal.actions.enums import State
from portal.actions.models import ActionItem
from portal.audit.actor import acting
from portal.directory.models import Team
from portal.lib import clock
from tests.factories.actions import make_item
from tests.factories.directory import make_contact
from tests.factories.incidents import make_incident
from tests.factories.maintenance import make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def at():
    return clock.now()


@pytest.fixture
def joel(client):
    user, contact = make_member("Joel Brandt")
    client.force_login(user)
    return contact


@pytest.fixture
def items(joel, at):
    """One of mine that is overdue, one of somebody of my team, one of a stranger's, one that is done."""
    with acting(by="system: test", at=at):
        mei = make_contact("Mei Tanaka")
        Team.objects.get(slug="platform").members.set([joel, mei])
        before = at - 30 * DAY
        return {
            "mine": make_item(owner=joel, title="Watch the queue", at=before),
            "team": make_item(owner=mei, title="Test the restore", at=at),
            "other": make_item(owner=make_contact("Amara Okafor"), title="Name a backup", at=at),
        }


def shown(response):
    return [row.item.title for row in response.context["list"].rows]


def test_how_late_it_is_stands_beside_its_day(client, items):
    assert "16 days ago" in client.get(items["mine"].get_absolute_url()).content.decode()


def test_what_is_mine_comes_first_and_overdue_before_the_rest(client, items):
    page = client.get("/actions/")
    assert (page.status_code, shown(page)) == (200, ["Watch the queue"])
    assert shown(client.get("/actions/?whose=teams")) == ["Watch the queue", "Test the restore"]
    assert shown(client.get("/actions/?whose=all"))[0] == "Watch the queue"
    assert shown(client.get("/actions/?whose=all&when=overdue")) == ["Watch the queue"]
    assert shown(client.get("/actions/?whose=all&when=30")) == ["Test the restore", "Name a backup"]
    assert shown(client.get("/actions/?whose=all&q=backup")) == ["Name a backup"]
    assert "1 across everything" in page.content.decode()


@pytest.mark.parametrize("query", ["whose=x&when=y&page=z", "page=999999999", "when=7&page=0", "q=%00"])
def test_an_address_that_makes_no_sense_shows_the_list(client, items, query):
    assert client.get(f"/actions/?{query}").status_code == 200


def test_an_item_is_opened_from_a_record_once_however_often_the_form_is_sent(client, joel, at):
    with acting(by="system: test", at=at):
        incident = make_incident(title="Mail stood still")
    room = client.get(incident.get_absolute_url()).content.decode()
    url = f"/actions/new/?about={incident.reference}"
    assert url in room
    given = {
        "once": str(uuid.uuid4()), "title": "Watch the queue", "kind": "detective", "owner": joel.pk,
        "due_on": (at + 7 * DAY).date().isoformat(),
    }  # fmt: skip
    pages = [client.post(url, given) for _ in range(2)]
    item = ActionItem.objects.get()
    assert [page.url for page in pages] == [item.get_absolute_url()] * 2
    assert item.source == incident
    assert "Watch the queue" in client.get(incident.get_absolute_url()).content.decode()


def test_what_cannot_be_is_said_in_the_form(client, joel, at):
    given = {"once": str(uuid.uuid4()), "title": "Watch", "kind": "detective", "owner": joel.pk, "due_on": "2001-01-01"}
    page = client.post("/actions/new/", given)
    assert page.status_code == 422
    assert "That day has passed" in page.content.decode()
    assert client.get("/actions/new/?about=INC-999999").status_code == 404


def test_each_verb_is_a_form_that_carries_it_out(client, items, at):
    item = items["mine"]
    url = reverse("actions:act", args=[item.reference, "done"])
    assert client.get(url).status_code == 200
    refused = client.post(url, {"once": str(uuid.uuid4()), "note": " "})
    assert refused.status_code == 422
    client.post(url, {"once": str(uuid.uuid4()), "note": "A probe watches it."})
    item.refresh_from_db()
    assert (item.state, item.done_by) == (State.DONE, "Joel Brandt")
    page = client.get(item.get_absolute_url()).content.decode()
    assert "A probe watches it." in page
    assert client.get(reverse("actions:act", args=[item.reference, "explode"])).status_code == 404


def test_an_owner_who_has_left_is_flagged(client, items):
    owner = items["other"].owner
    with acting(by="system: test", reason="Left"):
        owner.active = False
        owner.save()
    assert "The owner of 1 of these has left" in client.get("/actions/?whose=all").content.decode()
    assert "has left" in client.get(items["other"].get_absolute_url()).content.decode()
