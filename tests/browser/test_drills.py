"""The pages of a drill in Chromium: marked in every look, and free of violations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import services
from incidents.enums import Audience
from incidents.sweeps import sweep_incidents
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.communications import list_member
from tests.factories.directory import make_contact, make_system
from tests.factories.incidents import make_incident, make_policy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def at():
    return clock.now() - timedelta(minutes=20)


@pytest.fixture
def hannah(at):
    return make_contact("Hannah Vogel", user=make_user("hannah", roles=["manager"], first_name="Hannah"))


@pytest.fixture
def drill(hannah, at):
    system = make_system("mail-intake", name="Mail Intake", rto=60)
    make_policy("Mail", steps=[hannah], default=True)
    list_member(Audience.CUSTOMERS, make_contact("Customer"))
    made = make_incident(
        title="Inbound mail is not turned into tickets", severity=1, systems=[system], at=at, is_drill=True, by=hannah
    )
    sweep_incidents(at=at + timedelta(minutes=1))
    services.acknowledge(made, by=hannah, at=at + timedelta(minutes=3))
    sweep_incidents(at=at + timedelta(minutes=19))
    return made


@pytest.fixture
def signed_in(page, sign_in, hannah, drill):
    make_incident(title="Search is slow", severity=3, at=clock.now())
    sign_in(page, hannah.user)
    return page


PATHS = (
    "/incidents/drills/", "/incidents/drills/start/", "/incidents/", "/", "/incidents/{}/", "/incidents/{}/drill/",
    "/incidents/{}/real/", "/incidents/{}/tell/customers/",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_its_pages_are_sound_in_every_look(signed_in, live_server, drill, assert_no_axe_violations, path):
    signed_in.goto(f"{live_server.url}{path.format(drill.reference)}")
    assert "Drill" in signed_in.inner_text("main")
    assert_no_axe_violations(signed_in)


def test_the_mark_is_printed(signed_in, live_server, drill):
    signed_in.goto(f"{live_server.url}{drill.get_absolute_url()}")
    signed_in.emulate_media(media="print")
    assert signed_in.locator(".head__marks .pill", has_text="Drill").is_visible()


def test_a_drill_is_started_and_turns_real(signed_in, live_server):
    signed_in.goto(f"{live_server.url}/incidents/drills/start/")
    signed_in.get_by_label("What is supposed to be wrong").fill("Mail stands still")
    signed_in.locator("input[name=severity]").first.check(force=True)
    signed_in.locator("input[name=systems]").first.check(force=True)
    signed_in.get_by_role("button", name="Start the drill").click()
    assert "This is a drill." in signed_in.inner_text("main")
    signed_in.get_by_label("More actions").click()
    signed_in.get_by_role("link", name="This is real").click()
    signed_in.get_by_label("Reason").fill("Mail does stand still")
    signed_in.get_by_role("button", name="This is real").click()
    assert "It came to light in the drill" in signed_in.inner_text("main")
