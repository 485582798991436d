"""The shell in a real browser: readable by everybody, usable by keyboard, and silent under the strict policy."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib import admin

from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import make_system, make_team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def administrator():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["administrator"])


@pytest.fixture
def auditor():
    return make_user("ruth", first_name="Ruth", last_name="Bergqvist", roles=["auditor"])


RECORD_PAGES = {
    "index": "/admin/",
    "list": "/admin/directory/system/",
    "empty search": "/admin/directory/system/?q=nothing-fits-this",
    "add": "/admin/directory/system/add/",
    "change": "/admin/directory/system/{pk}/change/",
    "history": "/admin/directory/system/{pk}/history/",
    "add shift": "/admin/directory/oncallshift/add/",
    "users": "/admin/accounts/user/",
}


@pytest.mark.parametrize("name", RECORD_PAGES)
def test_record_pages_have_no_violations(name, page, live_server, sign_in, administrator, assert_no_axe_violations):
    system = make_system("Mail Intake")
    sign_in(page, administrator)
    page.goto(live_server.url + RECORD_PAGES[name].format(pk=system.pk))
    assert_no_axe_violations(page)


@pytest.mark.timeout(300)
def test_every_list_and_every_empty_form_of_the_records_is_readable(page, live_server, sign_in, rf):
    request = rf.get("/admin/")
    request.user = make_superuser("root")
    sign_in(page, request.user)
    for model, registered in admin.site._registry.items():
        base = f"{live_server.url}/admin/{model._meta.app_label}/{model._meta.model_name}/"
        page.goto(base)
        assert Axe().run(page).response["violations"] == [], base
        if not registered.has_add_permission(request):
            continue
        page.goto(f"{base}add/")
        assert Axe().run(page).response["violations"] == [], f"{base}add/"


def test_a_reader_without_the_right_to_change_gets_a_tidy_page(
    page, live_server, sign_in, auditor, assert_no_axe_violations
):
    system = make_system("Mail Intake")
    sign_in(page, auditor)
    page.goto(f"{live_server.url}/admin/directory/system/{system.pk}/change/")
    assert page.get_by_text("You may read this record").is_visible()
    assert page.locator("main form :is(input, select, textarea):not([type=hidden])").count() == 0
    assert_no_axe_violations(page)


def test_the_door_has_no_violations_and_lets_in(page, live_server, administrator, assert_no_axe_violations):
    page.goto(f"{live_server.url}/admin/")
    assert "/sign-in/?next=/admin/" in page.url
    assert_no_axe_violations(page)
    page.get_by_label("User name").fill(administrator.username)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").is_visible()
    assert_no_axe_violations(page)


def test_error_pages_have_no_violations(page, live_server, sign_in, administrator, assert_no_axe_violations):
    sign_in(page, administrator)
    page.goto(f"{live_server.url}/nothing-stands-here/")
    assert page.get_by_role("heading", level=1).inner_text() == "There is nothing at this address"
    assert_no_axe_violations(page)


def test_the_theme_goes_round_and_is_remembered(page, live_server, sign_in, administrator):
    sign_in(page, administrator)
    page.goto(f"{live_server.url}/admin/")
    switch = page.get_by_role("button", name="Theme: follows the system")
    switch.click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Theme: dark").click()
    assert page.locator("html").get_attribute("data-theme") == "auto"


def test_the_slash_key_leads_to_the_search_and_escape_closes_the_menu(page, live_server, sign_in, administrator):
    sign_in(page, administrator)
    page.goto(f"{live_server.url}/admin/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Tab")
    page.locator("summary.who").click()
    assert page.get_by_role("button", name="Sign out").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("button", name="Sign out").is_visible()


def test_keys_lead_to_pages_until_they_are_switched_off(page, live_server, sign_in, administrator):
    sign_in(page, administrator)
    page.goto(f"{live_server.url}/admin/directory/system/")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/admin/")
    page.keyboard.press("?")
    page.get_by_label("Switch the single keys off").check()
    page.keyboard.press("Escape")
    page.goto(f"{live_server.url}/admin/directory/system/")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_timeout(100)
    assert page.url.endswith("/admin/directory/system/")


def test_the_navigation_rises_as_a_drawer_on_a_phone(page, live_server, sign_in, administrator):
    sign_in(page, administrator)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/")
    drawer = page.get_by_role("navigation", name="Main")
    assert not drawer.is_visible()
    page.get_by_role("button", name="Open navigation").click()
    assert drawer.is_visible()
    page.keyboard.press("Escape")
    assert not drawer.is_visible()


def test_what_was_done_is_said_in_a_toast_that_can_be_closed(page, live_server, sign_in, administrator):
    team = make_team("Platform")
    sign_in(page, administrator)
    page.goto(f"{live_server.url}/admin/directory/team/{team.pk}/change/")
    page.get_by_label("Description").fill("Runs the ground that the others stand on.")
    page.get_by_label("Reason for this change").fill("The text was missing")
    page.get_by_role("button", name="Save team").click()
    toast = page.locator(".toast")
    assert toast.is_visible()
    toast.get_by_role("button", name="Close this message").click()
    assert page.locator(".toast").count() == 0


def test_everything_of_the_shell_works_without_script(browser, live_server, sign_in, administrator):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page, administrator)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("button", name="Open navigation").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Accounts").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Accounts"
    page.locator("summary.who").click()
    page.get_by_role("button", name="Sign out").click()
    assert "/sign-in/" in page.url
    context.close()
