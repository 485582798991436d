"""The board of maintenance windows and its pages in Chromium: every look, and a window that is worked to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maintenance.models import Window
from portal.audit.actor import acting
from portal.lib import clock
from tests.factories.directory import make_emergency_contact, make_system
from tests.factories.maintenance import WHY, make_member
from tests.factories.windows import make_open, make_series, make_window

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def maren():
    return make_member("Maren Holt", "manager")


@pytest.fixture
def windows(maren):
    """One that goes on, one past its end, one ahead, and one that comes round every Sunday."""
    at = clock.now()
    with acting(by="system: test", reason=WHY, at=at):
        desk, queue = make_system("desk", name="Ticket desk"), make_system("queue", name="Mail queue")
        make_emergency_contact(desk, contact=maren[1])
        series = make_series(queue, title="Patch the hosts of the queue", at=at, anchor=at.date() + timedelta(days=2))
        return (
            make_open(desk, title="Rebuild the search index of the desk", at=at),
            make_open(queue, title="Move the mail queue to its new disks", minutes=10, at=at - timedelta(minutes=30)),
            make_window(desk, queue, title="Replace the switch of the second rack", at=at),
            series.windows.first(),
        )


def test_no_page_has_anything_that_axe_finds(page, live_server, sign_in, maren, windows, assert_no_axe_violations):
    sign_in(page, maren[0])
    of_each = [window.get_absolute_url() for window in windows]
    for path in (
        "/maintenance/windows/", *of_each, f"{of_each[0]}verify/",
        "/maintenance/windows/new/plan/", "/maintenance/windows/new/open/", "/maintenance/windows/new/series/",
    ):  # fmt: skip
        answer = page.goto(live_server.url + path)
        assert answer.ok, path
        assert_no_axe_violations(page)


def test_the_form_of_a_series_asks_what_the_chosen_rule_needs(page, live_server, sign_in, maren):
    sign_in(page, maren[0])
    page.goto(f"{live_server.url}/maintenance/windows/new/series/")
    rule, weekday, every = (page.locator(f"#id_{name}") for name in ("rule", "weekday", "every"))
    assert [field.is_visible() for field in (rule, weekday, every)] == [False, False, True]
    page.get_by_label("How often").select_option("nth_weekday")
    assert [field.is_visible() for field in (rule, weekday, every)] == [False, True, True]
    page.get_by_label("How often").select_option("custom")
    assert [field.is_visible() for field in (rule, weekday, every)] == [True, False, False]


def test_a_window_is_worked_to_its_end(page, live_server, sign_in, maren, windows):
    going_on = windows[0]
    sign_in(page, maren[0])
    page.goto(f"{live_server.url}/maintenance/windows/")
    page.get_by_role("link", name=going_on.title).first.click()
    page.get_by_role("link", name="Work is over").first.click()
    page.get_by_role("button", name="Work is over").click()
    page.get_by_role("link", name="Complete").first.click()
    page.get_by_role("button", name="Complete").click()
    page.get_by_text("It is completed.").wait_for()
    assert Window.objects.get(pk=going_on.pk).state == "completed"
