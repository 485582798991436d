"""The incident pages in Chromium: every look, without script, by keyboard, and while they refresh themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import services
from portal.directory.enums import MethodKind
from portal.lib import clock
from portal.notify.links import make_link
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.directory import (
    make_contact,
    make_emergency_contact,
    make_method,
    make_severity,
    make_shift,
    make_system,
    make_team,
)
from tests.factories.incidents import make_incident, make_policy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def at():
    return clock.now() - timedelta(minutes=4)


@pytest.fixture
def amara(at):
    contact = make_contact("Amara Okafor", user=make_user("amara", roles=["responder"], first_name="Amara"))
    make_method(contact, kind=MethodKind.PHONE)
    return contact


@pytest.fixture
def mail(amara, at):
    team = make_team("mail-team", name="Mail")
    make_shift(team, amara, starts=at - timedelta(days=1), until=at + timedelta(days=7))
    system = make_system("mail-intake", name="Mail Intake", owner=team, rto=60)
    make_emergency_contact(system, amara, backup=make_contact("Priya Raman"))
    make_policy("Mail", steps=[amara, team], systems=[system])
    return system


@pytest.fixture
def incident(mail, at):
    return make_incident(title="Inbound mail is not turned into tickets", severity=1, systems=[mail], at=at)


@pytest.fixture
def room(page, live_server, sign_in, amara, incident):
    sign_in(page, amara.user)
    page.goto(f"{live_server.url}{incident.get_absolute_url()}")
    return page


def refresh(page):
    """Let the live parts be fetched now rather than in ten seconds."""
    with page.expect_response("**/live/**"):
        page.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'live')")


def test_the_pages_have_no_axe_violation_in_any_look(
    page, live_server, sign_in, amara, incident, at, assert_no_axe_violations
):
    note = services.add_note(incident, text="Broker 1 is down", by=amara, at=at)
    services.add_note(incident, text="Broker 2 is down", by=amara, at=at, corrects=note)
    services.record_update(incident, audience="customers", text="We know and work on it.", by=amara, at=at)
    services.cancel(make_incident(title="Over", severity=3, at=at), by="test", at=at, reason="Twice")
    sign_in(page, amara.user)
    room = incident.get_absolute_url()
    addresses = [
        "/incidents/", "/incidents/?view=all", "/incidents/?q=unheard", "/incidents/declare/?system=mail-intake",
        room, f"{room}update/", f"{room}reclassify/", f"{room}note/?corrects={note.pk}", f"{room}page/",
    ]  # fmt: skip
    for address in addresses:
        page.goto(f"{live_server.url}{address}")
        assert_no_axe_violations(page)


def test_a_form_that_was_refused_has_no_axe_violation(
    page, live_server, sign_in, amara, mail, assert_no_axe_violations
):
    sign_in(page, amara.user)
    page.goto(f"{live_server.url}/incidents/declare/")
    page.get_by_role("button", name="Declare incident").click()
    page.get_by_text("Say in one sentence what is wrong.").wait_for()
    assert_no_axe_violations(page)


def test_the_link_of_a_message_takes_two_taps_and_has_no_axe_violation(
    page, live_server, incident, amara, assert_no_axe_violations
):
    services.page_person(incident, contact=amara, by="test", at=clock.now())
    link = make_link(Message.objects.exclude(lane="inbox").latest("pk"), at=clock.now())
    address = f"{live_server.url}/a/{link.rpartition('/a/')[2]}"
    page.goto(address)
    assert_no_axe_violations(page)
    page.get_by_role("button", name=f"Acknowledge {incident.reference}").click()
    page.get_by_text("Acknowledged by Amara Okafor").wait_for()
    assert_no_axe_violations(page)


def test_an_incident_is_declared_and_acknowledged_without_script(browser, live_server, sign_in, amara, mail):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, amara.user)
    page.goto(f"{live_server.url}/incidents/declare/")
    page.get_by_label("What is wrong").fill("Mail stands still")
    page.get_by_role("radio", name="SEV-1").check()
    page.get_by_label("Mail Intake").check()
    page.get_by_role("button", name="Declare incident").click()
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    page.get_by_text("Acknowledged. Nobody else is paged now.").wait_for()
    context.close()


def test_the_room_refreshes_itself_and_keeps_what_is_being_written(room, incident, amara):
    room.get_by_placeholder("What did you see or do?").fill("The queue is")
    room.locator("#room-clocks details").first.locator("summary").click()
    room.get_by_placeholder("What did you see or do?").focus()
    services.acknowledge(incident, by=amara, at=clock.now())
    refresh(room)
    room.locator("#room-head").get_by_text("Acknowledged").wait_for()
    assert room.get_by_placeholder("What did you see or do?").input_value() == "The queue is"
    assert room.evaluate("document.activeElement.name") == "text"
    assert room.locator("#room-clocks details[open]").count() == 1


def test_a_part_with_an_open_menu_is_left_alone(room, incident, amara):
    room.get_by_label("More actions").click()
    services.acknowledge(incident, by=amara, at=clock.now())
    refresh(room)
    room.locator("#room-timeline").get_by_text("Escalation stopped.").wait_for()
    assert room.get_by_role("link", name="Cancel incident").is_visible()


def test_a_hidden_tab_asks_for_nothing(room):
    asked = []
    room.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    room.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    room.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'live')")
    room.wait_for_timeout(200)
    assert asked == []


def test_keys_lead_to_the_note_and_to_acknowledging_which_asks_first(room, incident):
    room.keyboard.press("n")
    assert room.evaluate("document.activeElement.name") == "text"
    room.keyboard.press("Escape")
    room.evaluate("document.activeElement.blur()")
    room.keyboard.press("a")
    room.get_by_role("heading", name="Acknowledge").wait_for()
    incident.refresh_from_db()
    assert incident.status == "declared"


def test_on_a_phone_the_filters_rise_as_a_sheet(page, live_server, sign_in, amara, incident):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, amara.user)
    page.goto(f"{live_server.url}/incidents/")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=f"{make_severity(2).code} 0").click()
    page.get_by_text("No incident fits these filters").wait_for()
