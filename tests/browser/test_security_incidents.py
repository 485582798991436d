"""The pages of security incidents, of merging and of breaking the glass in Chromium, in every look."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from incidents import services
from portal.lib import clock
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import make_contact, make_system
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
    shot(page, "glass")
    assert_no_axe_violations(page)
    assert "Access tokens" not in page.content()
    page.get_by_label("Reason").fill("The lead cannot be reached")
    page.get_by_role("button", name="Break the glass").click()
    page.wait_for_url("**/incidents/INC-000001/")
    assert "Access tokens were published" in page.content()
