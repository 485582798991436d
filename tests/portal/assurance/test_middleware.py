"""An auditor without a running engagement finds whom to ask, and nothing else."""

import pytest

from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON
from tests.factories.engagements import make_engagement
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def signed_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def idle(client):
    """An auditor whose engagement is over."""
    user = make_user("siobhan", roles=["auditor"], engaged=False)
    make_engagement(user, ends=NOON, title="Audit of the past")
    return signed_in(client, user)


@pytest.mark.parametrize("path", ["/", "/incidents/", "/readiness/", "/jump/?q=x", "/inbox/", "/admin/", "/keys/"])
def test_nothing_is_open_without_a_running_engagement(idle, path):
    make_incident(title="Mail is down")
    make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")
    response = idle.get(path)
    assert response.status_code == 403
    text = response.content.decode()
    assert "Nothing is open to you now" in text
    assert "Kwame Mensah" in text
    assert "Mail is down" not in text


def test_it_says_what_was_open_before(idle):
    response = idle.get("/audit/engagements/")
    assert response.status_code == 200
    assert "Audit of the past" in response.content.decode()


def test_a_part_of_a_page_leads_the_whole_page_there(idle):
    response = idle.get("/", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/audit/engagements/"


@pytest.mark.parametrize("path", ["/me/", "/me/password/", "/me/second-factor/", "/healthz/"])
def test_ones_own_account_stays_open(idle, path):
    assert idle.get(path).status_code in {200, 302, 503}


def test_writing_is_refused_too(idle):
    assert idle.post("/incidents/declare/", {}).status_code == 403


@pytest.mark.parametrize(
    "user",
    [
        lambda: make_user(roles=["auditor"]),
        lambda: make_user(roles=["auditor", "responder"], engaged=False),
        lambda: make_user(roles=["responder"]),
        make_superuser,
    ],
    ids=["engaged", "with another role", "no auditor", "superuser"],
)
def test_everybody_else_finds_what_they_came_for(client, user):
    assert signed_in(client, user()).get("/incidents/").status_code == 200


def test_somebody_without_any_role_is_told_so_as_before(client):
    response = signed_in(client, make_user()).get("/incidents/")
    assert response.status_code == 403
    assert "Nothing is open to you now" not in response.content.decode()
