"""A SEV-1 whose three audiences are told in time, in Chromium; and the pages of communications in every look."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from incidents import clocks
from incidents.communications import subscribing
from incidents.communications.drafting import draft
from incidents.sweeps import sweep_incidents
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest
from portal.deadlines.models import DeadlineState
from portal.lib import clock
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.communications import list_member, set_rule
from tests.factories.directory import make_channel, make_contact, make_system
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def at():
    return clock.now() - timedelta(minutes=4)


@pytest.fixture
def freya():
    return make_contact("Freya Halvorsen", user=make_user("freya", roles=["responder"], first_name="Freya"))


@pytest.fixture
def incident(at, freya):
    list_member("stakeholders", make_contact("Sam Stakeholder"))
    list_member("customers", make_channel("Customer mail list"))
    list_member("executives", make_contact("Eve Executive"))
    set_rule("executives", needs_approval=True)
    systems = [make_system("mail-intake", name="Mail Intake")]
    return make_incident(title="Mail is not turned into tickets", severity=1, systems=systems, at=at)


def say(page, audience, *, button):
    page.get_by_role("link", name=f"Tell {audience}").first.click()
    page.get_by_label("Subject").wait_for()
    assert "Mail" in page.get_by_label("Text", exact=True).input_value()
    page.get_by_role("button", name=button).click()
    page.wait_for_url(re.compile(r"/incidents/INC-\d+/$"))


def test_all_three_audiences_of_a_sev_1_are_told_in_time(page, live_server, sign_in, incident, freya):
    manager = make_user("hannah", roles=["manager"])
    sign_in(page, freya.user)
    page.goto(f"{live_server.url}{incident.get_absolute_url()}")
    say(page, "stakeholders", button="Send to stakeholders")
    say(page, "customers", button="Send to customers")
    say(page, "executives", button="Ask for approval")
    page.get_by_text("Waits for approval").first.wait_for()

    request = ApprovalRequest.objects.get()
    approvals.decide(
        request, stage=request.stages.get(), verdict="approve", digest=request.digest, confirmed=True, by=manager,
        at=clock.now(),
    )  # fmt: skip
    sweep_incidents(at=clock.now())
    found = clocks.of(incident)
    assert {found[name].state for name in ("stakeholders", "customers", "executives")} == {DeadlineState.MET}
    assert Message.objects.filter(kind="communication").exclude(lane="inbox").count() == 3

    page.reload()
    page.get_by_text("Sent to Eve Executive.").wait_for()
    page.goto(f"{live_server.url}/incidents/communications/?result=met")
    assert page.get_by_role("row").filter(has_text="Mail is not turned into tickets").count() == 3
    page.goto(f"{live_server.url}/status/")
    page.get_by_text("1 of 1 systems suffers").wait_for()
    assert page.get_by_role("blockquote").count() == 1


def test_the_pages_of_communications_have_no_axe_violation_in_any_look(
    page, live_server, sign_in, incident, freya, at, assert_no_axe_violations
):
    kept = draft(incident, audience="customers", subject="Mail is late", text="Nothing is lost.", by=freya, at=at)
    subscribing.follow(incident, by=freya.user, at=at)
    subscribing.follow(incident.systems.get(), by=freya.user, at=at)
    sign_in(page, freya.user)
    room = incident.get_absolute_url()
    for address in (
        room, f"{room}tell/executives/", kept.get_absolute_url(), f"{kept.get_absolute_url()}withdraw/", f"{room}skip/",
        "/incidents/following/", "/incidents/communications/", "/incidents/communications/?audience=customers",
        "/status/",
    ):  # fmt: skip
        page.goto(f"{live_server.url}{address}")
        assert_no_axe_violations(page)
