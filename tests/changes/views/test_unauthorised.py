"""Writes outside of any change: listed for whoever answers, never answered by whoever made them."""

from __future__ import annotations

import uuid

import pytest

from changes.enums import ChangeType, FindingState
from changes.models import Change, Finding
from portal.audit.actor import acting, current
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def text_of(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def finding(database, at):
    return Finding.objects.create(
        system=database, act=uuid.uuid4(), made_at=at, made_by="Kwame Mensah", words="Changed Ticket database"
    )


def test_who_may_read_them(client, as_user):
    assert client.get("/changes/unauthorised/").status_code == 302
    assert as_user(make_user("nobody")).get("/changes/unauthorised/").status_code == 403


def test_one_is_accepted_with_a_reason_once(as_user, ruth, finding):
    reader = as_user(ruth)
    assert "1 write outside of any change waits for an answer" in text_of(reader.get("/changes/"))
    assert "Kwame Mensah" in text_of(reader.get("/changes/unauthorised/"))
    address = f"/changes/unauthorised/{finding.pk}/accept/"
    assert reader.post(address, {"change_reason": ""}).status_code == 422
    assert reader.post(address, {"change_reason": "A typing mistake"}).status_code == 302
    finding.refresh_from_db()
    assert (finding.state, finding.answer) == (FindingState.ACCEPTED, "A typing mistake")
    assert "has answered it already" in text_of(reader.post(address, {"change_reason": "Again"}))
    assert "Nothing waits for an answer" in text_of(reader.get("/changes/unauthorised/"))


def test_one_becomes_an_emergency_change(as_user, ruth, finding):
    answer = as_user(ruth).post(f"/changes/unauthorised/{finding.pk}/turn/", {"change_reason": "It was urgent"})
    change = Change.objects.get()
    assert (change.type, answer["Location"]) == (ChangeType.EMERGENCY, change.get_absolute_url())


def test_others_answer_for_nothing(as_user, jonas, finding):
    refused = as_user(jonas).post(f"/changes/unauthorised/{finding.pk}/accept/", {"change_reason": "Mine"})
    assert refused.status_code == 403
    assert as_user(jonas).get(f"/changes/unauthorised/{finding.pk}/explode/").status_code == 404


def test_only_whoever_may_answer_is_offered_to(as_user, jonas, ruth, database, finding, at):
    database.description = "Ruth wrote this"
    with acting(by=ruth, at=at):
        database.save()
        own = current().gesture
    theirs = Finding.objects.create(system=database, act=own, made_at=at, made_by=str(ruth), words="Changed it")
    offered = text_of(as_user(ruth).get("/changes/unauthorised/"))
    assert f"/changes/unauthorised/{finding.pk}/accept/" in offered
    assert f"/changes/unauthorised/{theirs.pk}/accept/" not in offered
    shown = text_of(as_user(jonas).get("/changes/unauthorised/"))
    assert "Kwame Mensah" in shown
    assert "/accept/" not in shown
