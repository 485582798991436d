"""Chromium for the pages: signing in, axe in every look, and a policy that must stay silent."""

import os

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client

# Playwright runs a loop in the tests' thread; their own queries are safe beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# colour scheme, width, height: a desk and a phone, light and dark
LOOKS = {
    "light desk": ("light", 1440, 900),
    "dark desk": ("dark", 1440, 900),
    "light phone": ("light", 390, 844),
    "dark phone": ("dark", 390, 844),
}
OF_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


@pytest.fixture(scope="session")
def base_url():
    """None: tests name the whole address. (The plugin's own fixture warns on pytest 9.)"""


@pytest.fixture
def page(page):
    """A page on which no script fails and nothing breaks the content security policy."""
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(15_000)
    yield page
    assert complaints == []


@pytest.fixture
def sign_in(live_server):
    """`sign_in(page, user)`: the browser holds a session of this user."""

    def sign_in(page, user):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return sign_in


@pytest.fixture
def in_each_look():
    """`for look in in_each_look(page)`: the page as it stands, in light and dark, on a desk and on a phone."""

    def in_each_look(page):
        for look, (scheme, width, height) in LOOKS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            yield look

    return in_each_look


@pytest.fixture
def assert_no_axe_violations(in_each_look):
    """`assert_no_axe_violations(page)`: axe finds nothing in any look, and nothing scrolls sideways.

    In the dark only the rules about colour are asked: the page is the same one.
    """

    def assert_no_axe_violations(page):
        page.evaluate(AXE_SCRIPT)
        for look in in_each_look(page):
            asked = {"resultTypes": ["violations"]} | ({"runOnly": OF_COLOUR} if "dark" in look else {})
            told = page.evaluate("asked => axe.run(asked).then(found => found.violations)", asked)
            assert [_told(found) for found in told] == [], f"{page.url} in {look}"
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{page.url} in {look} is {overflow} px too wide"

    return assert_no_axe_violations


def _told(found):
    return f"{found['id']}: {found['help']} {[node['html'][:200] for node in found['nodes'][:3]]}"
