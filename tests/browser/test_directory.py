"""The directory, the inbox and one's own contact methods in Chromium."""

from datetime import timedelta

import pytest

from portal.accounts.services import grant
from portal.directory.models import Team
from portal.lib import clock
from portal.notify import services
from portal.notify.compose import Draft
from portal.notify.verification import make_code
from tests.factories.accounts import make_user
from tests.factories.directory import (
    make_contact,
    make_emergency_contact,
    make_method,
    make_shift,
    make_system,
    make_team,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def leila():
    """A manager with an entry in the directory."""
    user = make_user("leila", first_name="Leila", last_name="Nasser", is_staff=True)
    grant(user, "manager", by="test", at=clock.now(), reason="A test")
    return make_contact("Leila Nasser", user=user)


@pytest.fixture
def company(leila):
    """A directory with good and bad in it."""
    now = clock.now()
    mei = make_contact("Mei Tanaka", title="Platform engineer")
    make_method(mei, kind="phone")
    support = make_team("support", members=[mei, leila])
    make_shift(support, mei, starts=now - timedelta(days=1), until=now + timedelta(days=2))
    make_shift(support, leila, starts=now + timedelta(days=2), until=now + timedelta(days=3))
    mail = make_system("mail-intake", owner=support, rto=60, version="4.2", description="Turns mail into tickets.")
    make_system("mail-parser", parent=mail)
    make_emergency_contact(mail, mei, backup=make_contact("Priya Raman", reachable=False))
    make_emergency_contact(mail, leila, role="security_lead")
    make_method(leila, kind="ntfy", verified=False)
    for number in range(3):
        text = {"title": f"Alarm {number}", "body": "Look at it.", "url_path": "/incidents/", "urgent": number == 0}
        draft = Draft(key=f"alarm:{number}", kind="test", lane="inbox", contact_id=leila.pk, **text)
        services.queue([draft], at=now)
    return mail


PAGES = [
    "/directory/systems/",
    "/directory/systems/mail-intake/",
    "/directory/people/",
    "/directory/teams/support/on-call/",
    "/me/contact-methods/",
    "/inbox/",
]


def test_every_page_is_accessible_in_every_look(page, live_server, sign_in, leila, company, assert_no_axe_violations):
    sign_in(page, leila.user)
    for path in PAGES:
        page.goto(f"{live_server.url}{path}")
        assert_no_axe_violations(page)


def test_somebody_is_put_on_call_from_the_list_of_teams(page, live_server, sign_in, leila, company):
    sign_in(page, leila.user)
    page.goto(f"{live_server.url}/directory/people/")
    page.get_by_role("link", name="Put somebody on call for Security").click()
    page.get_by_label("Person", exact=True).select_option(label="Mei Tanaka")
    page.get_by_label("Reason").fill("Stands in until Monday")
    page.get_by_role("button", name="Put on call").click()
    page.get_by_text("Mei Tanaka is on call for Security until").wait_for()
    assert Team.objects.get(slug="security").shifts.get().contact.name == "Mei Tanaka"


def test_an_address_is_verified_by_its_code(page, live_server, sign_in, leila, company):
    sign_in(page, leila.user)
    page.goto(f"{live_server.url}/me/contact-methods/")
    page.get_by_role("button", name="Send a code").click()
    page.get_by_text("A code is on its way").wait_for()
    page.get_by_label("Code from the message").fill(make_code(leila.methods.get(kind="ntfy"), at=clock.now()))
    page.get_by_role("button", name="Verify", exact=True).click()
    page.get_by_text("Messages reach you at").wait_for()
    assert leila.methods.get(kind="ntfy").is_verified


def test_the_inbox_empties_its_count(page, live_server, sign_in, leila, company):
    sign_in(page, leila.user)
    page.goto(f"{live_server.url}/inbox/")
    page.get_by_role("button", name="Mark all as read").click()
    page.get_by_text("All read").wait_for()
    assert services.unread_count(leila.user) == 0
