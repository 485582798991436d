"""The trail and the past in Chromium: read by an auditor, in every look, with a keyboard, and without scripts."""

from datetime import timedelta

import pytest

from portal.accounts.services import grant, withdraw
from portal.audit import sealing, trail
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.directory.models import ContactMethod
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_method, make_system
from tests.factories.incidents import make_incident
from tests.factories.verified import make_verification

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def auditor():
    """An auditor whose engagement opens everything."""
    return make_user("siobhan", first_name="Siobhan", last_name="Kearney", roles=["auditor"])


@pytest.fixture
def past(auditor):
    """Some of everything that a trail tells, and what stands of it."""
    now = clock.now()

    def act(name, minutes, **more):
        return acting(
            by=name, at=now - timedelta(minutes=minutes), origin="web", address="192.0.2.17", anew=True, **more
        )

    with act("Amara Okafor", 90):
        incident = make_incident(title="Inbound mail is not turned into tickets", at=now - timedelta(minutes=90))
    with act("Amara Okafor", 80, reason="More customers are concerned than we thought"):
        incident.title = "Inbound mail is not turned into tickets anywhere"
        incident.commander = make_contact("Mei Tanaka")
        incident.save()
    with act("Leila Nasser", 70, reason="Covers my leave"):
        oscar = make_user("oscar", first_name="Oscar", last_name="Brandt")
        grant(oscar, "security-lead", by="Leila Nasser", at=now - timedelta(minutes=70), reason="Covers my leave")
        withdraw(oscar, "security-lead", by="Leila Nasser", at=now - timedelta(minutes=60), reason="Leave is over")
    with act("Henrik Voss", 50, reason="Left the company"):
        method = make_method(make_contact("Yusuf Demir"))
        method.delete()
    for minutes in (40, 41, 42):
        with act("unknown", minutes):
            trail.record(Action.SIGN_IN_REFUSED, event="Wrong password", model="accounts.user", name="hvoss")
    with act(auditor, 30):
        trail.record_reading(make_system("mail-intake"), "Opened evidence EV-000088")
    sealing.seal(at=now)
    make_verification(now)
    return {"incident": incident, "method": ContactMethod._meta.label_lower, "gone": method, "oscar": oscar}


def addresses(past):
    incident = past["incident"]
    gesture = TrailRow.objects.filter(model="incidents.incident", reason__startswith="More").first().gesture
    gone = TrailRow.objects.get(action=Action.DELETED).object_id
    return [
        "/audit/",
        "/audit/?q=nosuchword&origin=web&person=7",
        "/audit/?period=always",
        f"/audit/gestures/{gesture}/",
        "/audit/deleted/",
        f"/audit/incidents.incident/{incident.pk}/",
        f"/audit/{past['method']}/{gone}/",
        "/audit/as-of/",
        "/audit/as-of/incidents.incident/",
        "/audit/as-of/incidents.incident/?at=2001-01-01T00:00",
        f"/audit/as-of/incidents.incident/{incident.pk}/",
        f"/audit/as-of/incidents.incident/{incident.pk}/?at=2001-01-01T00:00",
        f"/audit/as-of/{past['method']}/{gone}/",
        "/audit/roles/",
        "/audit/roles/?from=2001-01-01",
    ]


def test_every_page_is_accessible_in_every_look(page, live_server, sign_in, auditor, past, assert_no_axe_violations):
    sign_in(page, auditor)
    for path in addresses(past):
        page.goto(f"{live_server.url}{path}")
        assert_no_axe_violations(page)


def test_an_open_gesture_and_open_dates_are_accessible_too(
    page, live_server, sign_in, auditor, past, assert_no_axe_violations
):
    sign_in(page, auditor)
    page.goto(f"{live_server.url}/audit/")
    page.get_by_text("Choose dates…").click()
    page.get_by_text("More customers are concerned").click()
    page.get_by_role("cell", name="removed Inbound mail is not turned into tickets").first.wait_for()
    assert_no_axe_violations(page)


def test_the_trail_is_narrowed_with_the_keyboard_alone(page, live_server, sign_in, auditor, past):
    sign_in(page, auditor)
    page.goto(f"{live_server.url}/audit/")
    page.keyboard.press("Tab")
    page.get_by_role("link", name="Skip to content").press("Enter")
    for name in ("30 days", "Incidents", "web"):
        chip = page.get_by_role("region", name="What was done").get_by_role("link", name=name)
        while not chip.evaluate("element => element === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator(".chip[aria-current]", has_text=name).wait_for()
    page.wait_for_url("**/audit/?period=30d&what=incidents&origin=web")
    page.locator("details.gesture > summary", has_text="More customers").press("Enter")
    page.get_by_role("link", name="commander").press("Enter")
    page.wait_for_url("**/audit/?model=incidents.incident&field=commander")
    page.locator(".chip", has_text="field commander").press("Enter")
    page.wait_for_url("**/audit/?model=incidents.incident")


def test_it_all_works_without_scripts(browser, live_server, auditor, past, sign_in):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, auditor)
    page.goto(f"{live_server.url}/audit/?q=concerned")
    page.locator("details.gesture > summary").click()
    page.get_by_role("link", name="Show what changed").click()
    page.get_by_role("link", name=past["incident"].reference, exact=True).first.click()
    assert page.get_by_role("heading", level=1).inner_text() == f"The life of {past['incident'].reference}"
    context.close()


def test_what_was_read_refused_and_deleted_is_found(page, live_server, sign_in, auditor, past):
    sign_in(page, auditor)
    page.goto(f"{live_server.url}/")
    page.get_by_role("link", name="Trail", exact=True).click()
    page.get_by_text("Chain verified").wait_for()
    page.get_by_text("failed to sign in as hvoss, 3 times").wait_for()
    page.get_by_role("link", name="Reading").click()
    page.get_by_text("opened evidence EV-000088").wait_for()
    page.goto(f"{live_server.url}/audit/roles/?from=2001-01-01&q=oscar")
    page.get_by_role("row", name="Security lead Oscar Brandt").get_by_text("“Leave is over”").wait_for()
    page.goto(f"{live_server.url}/audit/deleted/")
    page.get_by_text("“Left the company”").wait_for()


def test_filters_rise_as_a_sheet_on_a_phone(page, live_server, sign_in, auditor, past):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, auditor)
    page.goto(f"{live_server.url}/audit/")
    page.get_by_role("button", name="Any time, everything, any origin").click()
    page.get_by_role("link", name="Sign-ins").click()
    page.get_by_role("button", name="Any time, sign-ins, any origin").wait_for()
