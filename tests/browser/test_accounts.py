"""One's own account and the history of a record in a real browser."""

import pytest

from portal.audit.actor import Actor, acting
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.directory import make_contact, make_team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def amara():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["responder", "administrator"])


@pytest.fixture
def team():
    found = make_team(name="Operations", description="Answers first, day and night.")
    with acting(by=Actor("Mei Lin"), reason="Two of the night shift moved over", origin="admin", address="192.0.2.17"):
        found.name, found.description = "Site operations", "Answers first."
        found.save()
        found.members.set([make_contact("Ben Ross"), make_contact("Ruth Bergqvist")])
    return found


def addresses(team):
    base = f"/admin/directory/team/{team.pk}/history/"
    return {
        "me": "/me/",
        "password": "/me/password/",
        "history": base,
        "version": f"{base}{team.history.first().pk}/",
        "account": "/admin/accounts/user/",
        "sign-ins": "/admin/accounts/signin/",
    }


@pytest.mark.parametrize("name", ["me", "password", "history", "version", "account", "sign-ins"])
def test_a_page_has_no_violations(name, page, live_server, sign_in, amara, team, assert_no_axe_violations):
    sign_in(page, amara)
    page.goto(live_server.url + addresses(team)[name])
    assert_no_axe_violations(page)


def test_the_zone_is_changed_without_a_mouse(page, live_server, sign_in, amara):
    sign_in(page, amara)
    page.goto(f"{live_server.url}/me/")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.keyboard.press("Enter")
    page.get_by_text("Your account is up to date.").wait_for()
    amara.refresh_from_db()
    assert amara.time_zone == "Asia/Tokyo"


def test_a_password_is_changed_and_the_session_lives_on(page, live_server, sign_in, amara):
    sign_in(page, amara)
    page.goto(f"{live_server.url}/me/password/")
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another long sentence 42")
    page.get_by_label("New password again").fill("another long sentence 42")
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("Your password is changed.").wait_for()
    assert amara.history.first().history_change_reason.startswith("Password changed. Changed by the person")
