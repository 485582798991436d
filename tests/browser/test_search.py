"""Search in a real browser: while one types, on its page, and from the room of an incident."""

import pytest

from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_system
from tests.factories.incidents import make_incident
from tests.factories.runbooks import make_published

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def relay():
    desk = make_system("desk", name="Ticket Desk")
    make_published(system=desk)
    make_contact("Rosa Relayer", title="Keeper of the relays")
    return make_incident(
        severity=2, title="The relay does not send mails", description="Since noon the relay's log is silent.",
        systems=[desk], at=clock.now(),
    )  # fmt: skip


@pytest.fixture
def signed_in(page, sign_in):
    sign_in(page, make_user("amara", roles=["responder"], first_name="Amara", last_name="Okafor"))
    return page


def test_the_best_show_while_one_types_and_the_keyboard_opens_one(
    signed_in, live_server, relay, assert_no_axe_violations
):
    page = signed_in
    page.goto(f"{live_server.url}/keys/")
    page.keyboard.press("/")
    page.keyboard.type("relay")
    page.locator("#found .list mark").first.wait_for()
    assert 1 < page.locator("#found .list li").count() <= 8
    assert_no_axe_violations(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/keys/" not in url)


def test_arrows_lead_there_and_back_and_escape_closes_it(signed_in, live_server, relay):
    page = signed_in
    page.goto(f"{live_server.url}/keys/")
    page.fill("#q", "relay")
    page.locator("#found .list").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.locator("#q").evaluate("box => box === document.activeElement")
    page.keyboard.press("Escape")
    page.locator("#found .list").wait_for(state="hidden")


def test_the_page_groups_what_was_found(signed_in, live_server, relay, assert_no_axe_violations):
    page = signed_in
    page.goto(f"{live_server.url}/search/?q=relay")
    page.get_by_role("heading", name="Troubleshooting").wait_for()
    page.get_by_role("heading", name="Incidents").wait_for()
    assert_no_axe_violations(page)


def test_the_room_leads_to_the_entries_that_fit(signed_in, live_server, relay, assert_no_axe_violations):
    page = signed_in
    page.goto(live_server.url + relay.get_absolute_url())
    page.locator("section[aria-labelledby=runbooks]").get_by_text("Restart the relay").wait_for()
    page.get_by_role("link", name="Search for this incident").click()
    page.get_by_text("what is about its systems comes first").wait_for()
    page.locator("main .list").get_by_text("Restart the relay").wait_for()
    assert page.locator(f'main .list a[href="{relay.get_absolute_url()}"]').count() == 0
    assert_no_axe_violations(page)
