"""On-call pages and the contact sheet in Chromium: free of violations in every look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_emergency_contact, make_shift, make_system, make_team
from tests.factories.oncall import make_schedule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]

PATHS = (
    "/on-call/", "/on-call/mine/", "/on-call/schedules/new/", "/on-call/schedules/{schedule}/",
    "/on-call/schedules/{schedule}/layers/new/", "/on-call/schedules/{schedule}/take-over/",
    "/on-call/schedules/{schedule}/swap/", "/on-call/teams/{team}/import/", "/contact-sheet/",
)  # fmt: skip


@pytest.fixture
def places(page, sign_in):
    hannah = make_contact("Hannah Vogel", user=make_user("hannah", roles=["manager"], first_name="Hannah"))
    jonas = make_contact("Jonas Lindqvist", user=make_user("jonas", roles=["responder"]))
    team = make_team("mail-team", name="Mail")
    schedule = make_schedule(team, hannah, jonas)
    at = clock.now()
    make_shift(team, jonas, starts=at + timedelta(days=1), until=at + timedelta(days=2))
    make_emergency_contact(make_system("mail", name="Mail Intake", owner=team), hannah, backup=jonas)
    sign_in(page, hannah.user)
    return {"schedule": schedule.pk, "team": team.slug}


@pytest.mark.parametrize("path", PATHS)
def test_its_pages_are_sound_in_every_look(page, live_server, places, assert_no_axe_violations, path):
    answer = page.goto(f"{live_server.url}{path.format(**places)}")
    assert answer.status == 200
    assert_no_axe_violations(page)
