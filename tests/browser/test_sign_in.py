"""Signing in with a second factor, in a real browser: an app, a passkey of a virtual key, a recovery code."""

import re

import pytest
from django.core.management import call_command

from portal.accounts import factors
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.factors import code_of, give_app

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def required(settings):
    settings.SECOND_FACTOR = "required"


@pytest.fixture
def amara():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["administrator"])


@pytest.fixture
def here(live_server):
    """The portal at a name that browsers use passkeys at: an address of figures is none."""
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def key(page):
    """A virtual security key in the browser: it answers without a touch."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def give_password(page, here, wanted=""):
    page.goto(f"{here}/sign-in/{wanted}")
    page.get_by_label("User name").fill("amara")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def type_code(page, label, code, button):
    page.get_by_label(label).fill(code)
    page.get_by_role("button", name=button).click()


def sign_out(page, here):
    page.goto(f"{here}/me/")
    page.locator("summary.who").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/sign-in/")


def test_the_first_login_of_an_empty_portal_enrols_an_app_and_signs_in_with_it(
    page, here, required, monkeypatch, assert_no_axe_violations
):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, username="amara", email="amara@example.org", verbosity=0)
    give_password(page, here, "?next=/incidents/")
    page.get_by_role("heading", name="Set up a second factor").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Use an authenticator app").click()
    page.get_by_text("No camera? Type the key instead").click()
    secret = re.sub(r"\s", "", page.locator("details .mono").inner_text())
    assert_no_axe_violations(page)
    type_code(page, "Code that the app shows", "000000", "Set it up")
    page.get_by_text("That is not the code that the app shows now").wait_for()
    assert_no_axe_violations(page)
    type_code(page, "Code that the app shows", code_of(secret), "Set it up")
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    assert page.locator(".codes li").count() == 10
    assert_no_axe_violations(page)
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/incidents/")
    sign_out(page, here)

    give_password(page, here)
    page.get_by_role("heading", name="Second factor").wait_for()
    assert_no_axe_violations(page)
    type_code(page, "Code from your authenticator app", "000000", "Sign in")
    page.get_by_text("That code is not right").wait_for()
    assert_no_axe_violations(page)
    type_code(page, "Code from your authenticator app", code_of(secret, ahead=1), "Sign in")
    page.wait_for_url(f"{here}/")
    page.get_by_role("heading", name="First steps").wait_for()
    told = TrailRow.objects.filter(action="signed-in").order_by("-id").first()
    assert told.event == "Signed in with password and authenticator app"


def test_somebody_enrols_a_passkey_and_signs_in_with_it(
    page, here, amara, key, required, assert_no_axe_violations, settings
):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    give_password(page, here)
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_label("Name").fill("Laptop")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page, here)

    give_password(page, here)
    page.get_by_role("button", name="Use a passkey").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{here}/")
    assert factors.factors_of(amara).passkeys[0].name == "Laptop"

    page.goto(f"{here}/me/second-factor/")
    page.get_by_text("Laptop").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Make new codes").click()
    page.get_by_role("heading", name="Confirm that it is you").wait_for()
    page.get_by_text("What you entered is kept").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Confirmed").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Send it now").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()


def test_a_passkey_that_is_refused_is_said_on_the_page(page, here, amara, key, required):
    give_password(page, here)
    page.get_by_role("link", name="Use a passkey").click()
    # A script that is put in too early goes with the page that is left.
    page.get_by_role("button", name="Add the passkey").wait_for()
    page.evaluate(
        """() => {
        navigator.credentials.create = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    }"""
    )
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_text("No passkey was given in time").wait_for()
    assert page.get_by_role("button", name="Add the passkey").is_enabled()


def test_somebody_without_their_phone_signs_in_with_a_recovery_code(page, here, amara, required):
    give_app(amara)
    first, *_ = factors.new_recovery_codes(amara)
    give_password(page, here, "?next=/admin/")
    type_code(page, "Code from your authenticator app", first, "Sign in")
    page.wait_for_url("**/admin/")
    assert factors.factors_of(amara).codes_left == 9


def test_the_admin_opens_only_behind_the_second_step(page, here, amara, required):
    secret = give_app(amara)
    page.goto(f"{here}/admin/")
    give_password(page, here, "?next=/admin/")
    page.goto(f"{here}/admin/")
    assert "/sign-in/" in page.url
    page.goto(f"{here}/sign-in/second/")
    type_code(page, "Code from your authenticator app", code_of(secret), "Sign in")
    page.wait_for_url("**/admin/")


def test_it_is_all_done_by_keyboard(page, here, amara, required):
    secret = give_app(amara)
    page.goto(f"{here}/sign-in/")
    page.locator("#id_username:focus").wait_for()
    for typed in ("amara", PASSWORD):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#id_code:focus").wait_for()
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{here}/")


def test_a_page_left_alone_ends_its_session_and_goes_to_the_sign_in(page, live_server, sign_in, amara, settings):
    sign_in(page, amara)
    page.goto(f"{live_server.url}/")
    settings.SESSION_IDLE = clock.now() - clock.now()
    page.evaluate("htmx.trigger('#now', 'refresh')")
    page.get_by_text("Your sign-in had ended").wait_for()
    assert "next=%2F" in page.url


@pytest.mark.parametrize("path", ["/me/", "/me/second-factor/", "/confirm/", "/sign-in/"])
def test_a_page_has_no_violations(path, page, live_server, sign_in, amara, assert_no_axe_violations):
    sign_in(page, amara)
    page.goto(live_server.url + path)
    assert_no_axe_violations(page)


def test_the_reset_of_a_colleagues_factor_has_no_violations(
    page, live_server, sign_in, amara, assert_no_axe_violations
):
    ben = make_user("ben", first_name="Ben", last_name="Ross")
    give_app(ben)
    sign_in(page, amara)
    page.goto(f"{live_server.url}/admin/accounts/user/{ben.pk}/change/")
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Reset second factor").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Make sure that it is really them").wait_for()
    assert_no_axe_violations(page)
    page.get_by_label(re.compile("Why|Reason", re.IGNORECASE)).fill("His phone fell into the sea")
    page.get_by_role("button", name="Reset second factor").click()
    page.get_by_text("sets up a new second factor at the next sign-in").wait_for()
    assert not factors.has_factor(ben)
