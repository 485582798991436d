"""The pages of security incidents, of merging and of breaking the glass in Chromium, in every look."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail

from incidents import clocks, services
from incidents.models import Incident
from incidents.sweeps import sweep_incidents
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.deadlines.models import DeadlineState
from portal.directory.models import Contact
from portal.lib import clock
from portal.notify import services as notify
from portal.notify.models import Message
from tests.factories.accounts import PASSWORD, make_superuser, make_user
from tests.factories.communications import list_member, set_rule
from tests.factories.directory import make_contact, make_emergency_contact, make_severity, make_system
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture
def at():
    return clock.now() - timedelta(minutes=4)


@pytest.fixture
def lead():
    return make_contact("Leila Nasser", user=make_user("leila", roles=["security-lead"], first_name="Leila")).user


@pytest.fixture
def theft(lead, at):
    mail = make_system("mail-intake", name="Mail Intake")
    incident = make_incident(
        title="Access tokens were published in a repository",
        severity=2,
        systems=[mail],
        type="security",
        by=lead,
        at=at,
    )
    twin = make_incident(
        title="Tokens published once more", severity=3, systems=[mail], type="security", by=lead, at=at
    )
    services.merge(twin, into=incident, by=lead, at=at, reason="The same repository")
    make_incident(title="Published tokens are used", severity=3, systems=[mail], by=lead, at=at)
    services.classify(
        incident, functional_impact="low", information_impact="privacy", recoverability="supplemented",
        attack_vector="email", by=lead, at=at,
    )  # fmt: skip
    step, other = incident.containment.all()[:2]
    services.settle_step(incident, step=step, state="done", by=lead, at=at)
    services.settle_step(incident, step=other, state="skipped", by=lead, at=at, reason="Nothing runs there")
    services.grant_access(
        incident, account=make_user("rae", roles=["responder"], first_name="Rae"), by=lead, at=at,
        reason="Knows the repository", until=clock.now() + timedelta(days=2),
    )  # fmt: skip
    services.acknowledge_rule(incident, by=lead, at=at)
    return incident


def shot(page, name):
    """Keep what the page looks like, where somebody asked for it."""
    if SHOTS:
        for scheme, width in (("light", 1280), ("dark", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=str(Path(SHOTS) / f"{name}-{scheme}-{width}.png"), full_page=True)


def test_the_pages_have_no_axe_violation_in_any_look(page, live_server, sign_in, lead, theft, assert_no_axe_violations):
    sign_in(page, lead)
    room = f"{live_server.url}{theft.get_absolute_url()}"
    merged = theft.merged.get()
    for name, address in (
        ("room", room), ("merged", f"{live_server.url}{merged.get_absolute_url()}"), ("classify", f"{room}classify/"),
        ("contain", f"{room}contain/"), ("grant", f"{room}grant/"), ("revoke", f"{room}revoke/"),
        ("split", f"{room}split/"), ("merge", f"{room}merge/"),
    ):  # fmt: skip
        page.goto(address)
        shot(page, name)
        assert_no_axe_violations(page)


def test_the_glass_is_broken_with_a_reason(page, live_server, sign_in, theft, assert_no_axe_violations):
    root = make_superuser("root")
    make_contact("Root", user=root)
    sign_in(page, root)
    page.goto(f"{live_server.url}{theft.get_absolute_url()}")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Reason").wait_for()
    shot(page, "glass")
    assert_no_axe_violations(page)
    assert "Access tokens" not in page.content()
    page.get_by_label("Reason").fill("The lead cannot be reached")
    page.get_by_role("button", name="Break the glass").click()
    page.wait_for_url("**/incidents/INC-000001/")
    assert "Access tokens were published" in page.content()


AUDIENCES = ("stakeholders", "customers", "executives")
ROOM = re.compile(r"/incidents/INC-\d+/$")


def declare(page, live_server):
    """Declare a security incident at SEV-1 with the form, and return it."""
    page.goto(f"{live_server.url}/incidents/declare/")
    page.get_by_label("What is wrong").fill("Xylophone tokens were published")
    page.get_by_role("radio", name=re.compile("SEV-1")).check()
    page.get_by_role("checkbox", name=re.compile("Mail Intake")).check()
    page.get_by_label(re.compile("security incident", re.IGNORECASE)).check()
    page.get_by_role("button", name="Declare incident").click()
    page.wait_for_url(ROOM)
    return Incident.objects.get()


def act(page, verb, **fields):
    """Do one thing from the room by its form; the rule is read where it is asked for."""
    page.get_by_role("link", name=verb).first.click()
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " ").capitalize()).select_option(value)
    rule = page.get_by_label("I have read the rule above")
    if rule.count():
        rule.check()
    page.locator("form button.btn--primary, form button.btn--danger").last.click()
    page.wait_for_url(ROOM)


def tell(page, audience, words, *, button):
    page.get_by_role("link", name=f"Tell {audience}").first.click()
    page.get_by_label("Subject").fill(f"What {audience} need to know")
    page.get_by_label("Text", exact=True).fill(words)
    page.get_by_role("button", name=button).click()
    page.wait_for_url(ROOM)


def approve(page):
    """Approve what the page shows, and confirm who does."""
    page.get_by_role("button", name="Approve these words").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Send it now").click()
    page.get_by_text("Your approval is recorded.").wait_for()


def test_a_security_sev_1_from_its_declaration_to_three_audiences_told_in_time(
    page, live_server, sign_in, lead, assert_no_axe_violations
):
    freya = make_contact("Freya Halvorsen", user=make_user("freya", roles=["responder"], first_name="Freya"))
    hannah = make_user("hannah", roles=["manager"], first_name="Hannah")
    make_severity(1)
    make_emergency_contact(
        make_system("mail-intake", name="Mail Intake"), Contact.objects.get(user=lead), role="security_lead"
    )
    outside = {name: make_contact(f"Of {name}") for name in AUDIENCES}
    for name, contact in outside.items():
        list_member(name, contact)
        set_rule(name, needs_approval=name == "executives")

    sign_in(page, freya.user)
    incident = declare(page, live_server)
    assert (incident.restricted, incident.severity.level) == (True, 1)
    assert Message.objects.filter(kind="incident_security", contact__user=lead).exists()
    page.get_by_text("Do not shut", exact=False).first.wait_for()
    act(page, "Classify", functional_impact="high", information_impact="privacy", attack_vector="email")
    act(page, re.compile("^Settle"))
    page.get_by_text(re.compile("^Done .* by Freya")).wait_for()
    assert_no_axe_violations(page)

    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    tell(page, "stakeholders", "Change your password today.", button="Send to stakeholders")
    tell(page, "customers", "Your mail is safe.", button="Send to customers")
    tell(page, "executives", "Tokens were published, and are void now.", button="Ask for approval")
    request = ApprovalRequest.objects.get()
    page.get_by_role("link", name="Open to somebody by name").click()
    page.get_by_label("Account").select_option(label="Hannah")
    page.get_by_label("Reason").fill("She approves what executives are told")
    page.get_by_role("button", name="Open to somebody").click()
    page.wait_for_url(ROOM)
    shot(page, "played")

    sign_in(page, hannah)
    page.goto(f"{live_server.url}{request.get_absolute_url()}")
    page.get_by_text("Tokens were published, and are void now.").first.wait_for()
    assert_no_axe_violations(page)
    approve(page)
    assert_no_axe_violations(page)
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    sweep_incidents(at=clock.now())
    found = clocks.of(incident)
    assert {found[name].state for name in AUDIENCES} == {DeadlineState.MET}
    notify.send_lane("email", now=clock.now)
    sent = {one.to[0]: f"{one.subject} {one.body}" for one in mail.outbox}
    for contact, words in zip(
        outside.values(), ("Change your password", "Your mail is safe", "Tokens were published"), strict=True
    ):
        told = sent[contact.methods.get().address]
        assert words in told
        assert "Xylophone" not in told

    sign_in(page, make_user("rae", roles=["responder"]))
    for address in ("/", "/incidents/?view=all", "/status/", "/incidents/communications/"):
        page.goto(f"{live_server.url}{address}")
        assert "Xylophone" not in page.content()
        assert incident.reference not in page.content()
