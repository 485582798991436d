"""Now, readiness, the jump box and the keys in a real browser."""

from datetime import timedelta

import pytest

from incidents import services
from portal.deadlines import services as deadlines
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_shift, make_system, make_team
from tests.factories.incidents import make_incident, make_policy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def amara():
    user = make_user("amara", roles=["manager"], first_name="Amara", last_name="Okafor")
    return make_contact("Amara Okafor", user=user)


@pytest.fixture
def company(amara):
    """A system whose people are on call, and the engine keeping time."""
    now = clock.now()
    team = make_team("platform", members=[amara])
    make_shift(team, amara, starts=now - timedelta(days=1), until=now + timedelta(days=3))
    system = make_system("mail-intake", name="Mail Intake", owner=team, rto=60)
    make_system("orphan", name="Orphan", owner=None)
    make_policy("Platform first", default=True, steps=[team, amara])
    deadlines.mark_sweep("deadlines", at=now)
    return system


@pytest.fixture
def fire(company, amara):
    """A SEV-1 with a missed clock, one at risk and one that runs, and three smaller incidents."""
    now = clock.now()
    worst = make_incident(
        severity=1, title="Mail is not turned into tickets", systems=[company], at=now - timedelta(minutes=14)
    )
    services.acknowledge(worst, by=amara, at=now - timedelta(minutes=9))
    for severity, minutes in ((2, 20), (3, 200), (4, 900)):
        make_incident(severity=severity, systems=[company], at=now - timedelta(minutes=minutes), commander=amara)
    return worst


def test_now_while_something_burns(page, live_server, sign_in, amara, fire, assert_no_axe_violations):
    sign_in(page, amara.user)
    page.goto(live_server.url)
    page.get_by_role("heading", name="Mail is not turned into tickets").wait_for()
    assert_no_axe_violations(page)


def test_now_while_nothing_burns(page, live_server, sign_in, amara, company, assert_no_axe_violations):
    sign_in(page, amara.user)
    page.goto(live_server.url)
    page.get_by_text("Nothing burns").wait_for()
    assert_no_axe_violations(page)


def test_readiness_names_people_and_holes(page, live_server, sign_in, amara, company, assert_no_axe_violations):
    sign_in(page, amara.user)
    page.goto(f"{live_server.url}/readiness/")
    page.get_by_text("Nobody owns Orphan").first.wait_for()
    assert_no_axe_violations(page)


@pytest.mark.parametrize("path", ["/keys/", "/jump/?q=nothing-fits-this", "/jump/?q=a"])
def test_small_pages(page, live_server, sign_in, amara, fire, assert_no_axe_violations, path):
    sign_in(page, amara.user)
    page.goto(live_server.url + path)
    assert_no_axe_violations(page)


def test_what_is_declared_meanwhile_appears_by_itself(page, live_server, sign_in, amara, company):
    sign_in(page, amara.user)
    page.goto(live_server.url)
    page.get_by_text("Nothing burns").wait_for()
    make_incident(severity=1, title="Ticket Desk is down", systems=[company], at=clock.now())

    page.evaluate("htmx.trigger('#now', 'refresh')")  # the clock of the page does the same every ten seconds

    page.get_by_role("heading", name="Ticket Desk is down").wait_for()
    page.get_by_text("1 incident open, SEV-1").wait_for()


def test_a_reference_typed_into_the_box_opens_its_room(page, live_server, sign_in, amara, fire):
    sign_in(page, amara.user)
    page.goto(live_server.url)
    page.keyboard.press("/")
    page.keyboard.type(fire.reference.lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/incidents/{fire.reference}/")


def test_one_press_acknowledges_from_now(page, live_server, sign_in, amara, company):
    incident = make_incident(severity=1, title="Ticket Desk is down", systems=[company], at=clock.now())
    sign_in(page, amara.user)
    page.goto(live_server.url)

    page.get_by_role("button", name="Acknowledge").click()

    page.wait_for_url(f"**/incidents/{incident.reference}/")
    incident.refresh_from_db()
    assert incident.acknowledged_by == "Amara Okafor"
