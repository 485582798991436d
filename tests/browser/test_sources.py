"""Sources in Chromium: every page in every look, and a payload tried from the list to what it would do."""

import json

import pytest
from django.urls import reverse

from incidents.enums import TopicState
from incidents.intake import receiving, signing
from incidents.models import Heartbeat, Incident
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_system
from tests.factories.incidents import make_token
from tests.factories.payloads import body
from tests.factories.sources import REASON, asking, make_topic

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sources():
    """One source of each kind that has a page of its own look."""
    now = clock.now()
    make_system("ticket-store", name="Ticket store")
    made = {kind: make_token(name, kind=kind, at=now) for kind, name in NAMES.items()}
    receiving.receive(made["alertmanager"][1], body("v4_firing"), content_type="", address="192.0.2.1", at=now)
    receiving.receive(made["json"][1], b"{", content_type="", address="192.0.2.1", at=now)
    Heartbeat.objects.create(token=made["heartbeat"][0], last_at=now, silent_since=now)
    signing.add_secret(made["json"][0], by="system: tests", at=now, reason=REASON)
    topic = make_topic(made["sns"][0], state=TopicState.WAITING, envelope=asking())
    return {name: token for name, (token, _) in made.items()} | {"topic": topic}


NAMES = {
    "alertmanager": "Prometheus",
    "json": "Backup script",
    "heartbeat": "Nightly backup",
    "sns": "CloudWatch",
    "generic": "Pingdom",
}


def test_every_page_is_accessible_in_every_look(page, live_server, sign_in, sources, assert_no_axe_violations):
    sign_in(page, make_user(roles=["administrator"]))
    acts = [(sources["heartbeat"], "pause", ""), (sources["sns"], "revoke", "")]
    paths = [
        reverse("incidents:sources"),
        f"{reverse('incidents:sources')}?state=revoked",
        *(reverse("incidents:source", args=[sources[kind].pk]) for kind in NAMES),
        *(reverse("incidents:act-on-source", args=[token.pk, verb]) + of for token, verb, of in acts),
        reverse("admin:incidents_intaketoken_change", args=[sources["generic"].pk]),
        reverse("admin:incidents_topicsubscription_change", args=[sources["topic"].pk]),
    ]
    for path in paths:
        page.goto(f"{live_server.url}{path}")
        assert_no_axe_violations(page)


def test_a_payload_is_tried_from_the_page_of_its_source(page, live_server, sign_in, sources, assert_no_axe_violations):
    sign_in(page, make_user(roles=["manager"]))
    page.goto(f"{live_server.url}/sources/")
    page.get_by_role("link", name="Pingdom").click()
    page.get_by_role("link", name="Try a payload").click()
    payload = {"check_id": 7, "check_name": "Shop", "current_state": "DOWN", "importance_level": "HIGH"}
    page.get_by_role("textbox", name="Payload").fill(json.dumps(payload))
    page.get_by_role("button", name="Try this payload").click()
    page.get_by_text("It would declare a new incident at SEV-2.").wait_for()
    for summary in page.locator("details.why > summary").all():
        summary.click()
    assert_no_axe_violations(page)
    assert Incident.objects.count() == 1
