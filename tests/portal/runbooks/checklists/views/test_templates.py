"""Checklists themselves: listed, shown in each version, written as text, edited with a reason."""

import pytest
from django.urls import reverse

from portal.runbooks.models import Checklist
from tests.factories.accounts import make_user
from tests.factories.checklists import make_checklist

pytestmark = pytest.mark.django_db


@pytest.fixture
def hannah(client):
    user = make_user("hannah", roles=["manager"])
    client.force_login(user)
    return user


def written(client, checklist):
    form = client.get(reverse("checklists:edit-template", args=[checklist.slug])).context["form"]
    return {name: form[name].value() for name in form.fields}


def test_they_are_listed_by_how_often_they_are_worked(client, hannah):
    groups = dict(client.get(reverse("checklists:templates")).context["groups"])
    assert {"Daily", "Weekly", "Monthly", "In an emergency", "When needed"} <= groups.keys()
    assert client.get(Checklist.objects.get(slug="incident-response").get_absolute_url()).status_code == 200


def test_an_edit_is_a_new_version_and_what_is_written_reads_back(client, hannah):
    checklist = make_checklist(steps=2)
    page = reverse("checklists:edit-template", args=[checklist.slug])
    sent = written(client, checklist)
    sent = {**sent, "steps": sent["steps"] + "\nops: Look at the status [status]", "reason": "One was missing"}
    assert client.post(page, sent).status_code == 302
    checklist.refresh_from_db()
    assert checklist.version == 2
    assert written(client, checklist)["steps"] == sent["steps"]
    assert len(client.get(checklist.get_absolute_url() + "?version=1").context["shown"].steps) == 2
    assert "version 2 is in force" in client.post(page, sent).content.decode()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Look", "Line 1: begin with a team and a colon, then say what to do."),
        ("nobody: Look", "Line 1: there is no team “nobody”."),
        ("ops:   ", "Line 1: begin with a team and a colon, then say what to do."),
    ],
)
def test_a_line_that_cannot_be_read_is_named(client, hannah, line, sentence):
    checklist = make_checklist()
    page = reverse("checklists:edit-template", args=[checklist.slug])
    answer = client.post(page, {**written(client, checklist), "steps": line, "reason": "Why not"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["steps"] == [sentence]


def test_one_is_written_and_a_name_is_taken_once(client, hannah):
    page = reverse("checklists:new-template")
    sent = {"name": "Move house", "frequency": "needed", "steps": "ops: Pack.\n\nops: Go.", "reason": "We move"}
    assert client.post(page, sent).url == reverse("checklists:template", args=["move-house"])
    assert "Another checklist has this name" in client.post(page, sent).content.decode()


def test_a_responder_reads_and_writes_none(client):
    client.force_login(make_user(roles=["responder"]))
    checklist = make_checklist()
    assert client.get(checklist.get_absolute_url()).status_code == 200
    for page in (reverse("checklists:new-template"), reverse("checklists:edit-template", args=[checklist.slug])):
        assert client.get(page).status_code == 403
