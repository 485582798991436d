"""Acknowledging by the secret link of a message: two taps, for one person, once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from incidents import services
from incidents.enums import Status
from portal.lib import clock
from portal.lib.digests import digest
from portal.notify.links import make_link
from portal.notify.models import ActionLink, Message
from tests.factories.directory import make_contact, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident():
    return make_incident(
        title="Mail stands still", severity=1, systems=[make_system()], at=clock.now() - timedelta(minutes=3)
    )


@pytest.fixture
def tomasz():
    return make_contact("Tomasz Wieczorek", time_zone="Asia/Tokyo")


@pytest.fixture
def address(incident, tomasz):
    """The path of a link that was sent to Tomasz a moment ago."""
    services.page_person(incident, contact=tomasz, by="test", at=clock.now())
    message = Message.objects.exclude(lane="inbox").get(contact=tomasz)
    return "/a/" + make_link(message, at=clock.now()).rpartition("/a/")[2]


def text_of(response):
    return response.content.decode()


def test_opening_the_link_only_shows(client, address, incident):
    for _ in range(3):
        response = client.get(address)
    assert "You answer as" in text_of(response)
    assert "Tomasz Wieczorek" in text_of(response)
    incident.refresh_from_db()
    assert incident.status == Status.DECLARED
    assert ActionLink.objects.get().used_at is None


def test_the_secret_stays_on_its_page(client, address):
    response = client.get(address)
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]


def test_the_second_tap_acknowledges_as_that_person(client, address, incident):
    response = client.post(address, follow=True)
    incident.refresh_from_db()
    assert (incident.status, incident.acknowledged_by) == (Status.ACKNOWLEDGED, "Tomasz Wieczorek")
    assert "Acknowledged by Tomasz Wieczorek" in text_of(response)
    assert incident.history.first().actor_name == "Tomasz Wieczorek"


def test_it_works_where_cookies_and_referrers_do_not(address, incident):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address, headers={"origin": "null"}).status_code == 302
    incident.refresh_from_db()
    assert incident.status == Status.ACKNOWLEDGED


def test_a_second_press_does_no_harm(client, address, incident):
    client.post(address)
    response = client.post(address, follow=True)
    assert response.status_code == 200
    assert "You answered" in text_of(response)


def test_it_says_who_was_faster_and_lets_one_join(client, address, incident):
    services.acknowledge(incident, by=make_contact("Mei Tanaka"), at=clock.now())
    page = text_of(client.get(address))
    assert "Acknowledged by Mei Tanaka" in page
    assert "Join as a responder" in page
    client.post(address)
    assert incident.responders.filter(contact__name="Tomasz Wieczorek").exists()


def test_a_link_of_an_incident_that_is_over_does_nothing(client, address, incident):
    services.cancel(incident, by="test", at=clock.now(), reason="Twice")
    page = text_of(client.get(address))
    assert "It is cancelled." in page
    assert "<button" not in page
    response = client.post(address)
    assert response.status_code == 409
    assert ActionLink.objects.get().used_at is None


def test_an_expired_link_tells_nothing_of_the_incident(client, address, incident):
    ActionLink.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    response = client.get(address)
    assert response.status_code == 410
    assert "This link has expired." in text_of(response)
    assert incident.title not in text_of(response)
    assert client.post(address).status_code == 409


def test_an_unknown_link_is_refused_in_a_sentence(client):
    response = client.get("/a/nonsense/")
    assert response.status_code == 410
    assert "This link is not known." in text_of(response)


def test_only_the_digest_of_the_secret_is_kept(address):
    secret = address.removeprefix("/a/").rstrip("/")
    assert ActionLink.objects.get().digest == digest(secret)


def test_times_are_shown_in_the_zone_of_the_person(client, address):
    assert "JST" in text_of(client.get(address))


def test_the_moment_of_an_answer_names_its_zone(client, address):
    page = re.sub(r"<[^>]+>", "", text_of(client.post(address, follow=True)))
    assert re.search(r"Acknowledged by Tomasz Wieczorek, [^.]* JST\.", page)
    assert re.search(r"You answered [^.]* JST by this link", page)


def test_somebody_who_has_left_answers_no_more(client, address, incident, tomasz):
    tomasz.active = False
    tomasz.save()
    assert "Tomasz Wieczorek has left" in text_of(client.post(address))
    incident.refresh_from_db()
    assert incident.status == Status.DECLARED
    assert ActionLink.objects.get().used_at is None


def restricted(incident):
    return services.restrict(incident, by="test", at=clock.now(), reason="It names people")


def test_whoever_was_called_still_answers_by_a_link_once_it_is_restricted(client, address, incident):
    restricted(incident)
    assert "Mail stands still" in text_of(client.get(address))
    assert client.post(address).status_code == 302


def test_a_link_that_went_to_somebody_who_is_no_member_tells_nothing_once_it_is_restricted(client, address, incident):
    Message.objects.update(kind="incident_exhausted")  # as the last resort
    assert "Mail stands still" in text_of(client.get(address))
    restricted(incident)
    response = client.get(address)
    assert response.status_code == 410
    assert "Mail stands still" not in text_of(response)
    assert client.post(address, follow=True).status_code == 410
    incident.refresh_from_db()
    assert incident.status == Status.DECLARED
