"""From a real alert to a closed incident, through real processes; the second to be paged is the one who answers."""

import json
import re
import time

import pytest

from tests.factories.payloads import payload, real_payloads
from tests.journeys.running import Mailbox, Portal, until

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(600)]

ADA, GRACE = "ada@example.org", "grace@example.org"
PASSWORD = "correct horse battery staple"
SECOND_STEP_SECONDS = 4
IN_TIME_SECONDS = 5  # the sweep runs every 2 s, the message follows at once; the rest is a slow machine
STATUS = "SELECT status FROM incidents_incident"
NOTES = """
SELECT kind, actor_name, text FROM records_note
JOIN django_content_type ON django_content_type.id = subject_type_id AND model = 'incident'
ORDER BY event_at, records_note.id
"""

# Ada is on call, Grace comes next; Grace has an account, so that she can close what she answered.
COMPANY = f"""
from datetime import timedelta
from django.utils import timezone
from incidents.models import EscalationPolicy
from portal.accounts import services as accounts
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.directory import services as directory
from portal.directory.models import Contact, System, Team
by, now, why = "system: journey", timezone.now(), "A company for the journey"
act = acting(by=by, reason=why)
act.__enter__()
user = User.objects.create_user("grace", password={PASSWORD!r}, first_name="Grace", last_name="Hopper")
accounts.grant(user, "responder", by=by, at=now, reason=why)
for name, address, team, account in (
    ("Ada Lovelace", {ADA!r}, "oncall", None), ("Grace Hopper", {GRACE!r}, "ops", user)
):
    contact = Contact.objects.create(name=name, user=account)
    method = directory.add_method(contact, kind="email", address=address, by=by, at=now, reason=why)
    directory.mark_verified(method, by=by, at=now, reason=why)
    directory.put_on_call(
        Team.objects.get(slug=team), contact, starts=now, until=now + timedelta(days=1), by=by, at=now, reason=why
    )
System.objects.create(slug="ticket-desk", name="Ticket Desk", owner=Team.objects.get(slug="oncall"))
step = EscalationPolicy.objects.get(is_default=True).steps.get(position=2)
step.delay_seconds = {SECOND_STEP_SECONDS}
step.save()
"""


def the_alert():
    """The payload that Alertmanager really sends, where it is at hand, else the suite's own."""
    real = [path for path in real_payloads() if path.name == "alerta_prometheus_v4_alert.json"]
    return json.loads(real[0].read_text()) if real else payload("v4_firing")


def resolved(alert):
    ended = [one | {"status": "resolved", "endsAt": "2026-11-17T13:00:00Z"} for one in alert["alerts"]]
    return alert | {"status": "resolved", "alerts": ended}


@pytest.fixture
def mailbox():
    mailbox = Mailbox()
    mailbox.controller.start()
    yield mailbox
    mailbox.controller.stop()


@pytest.fixture
def portal(tmp_path, mailbox):
    portal = Portal(tmp_path / "data", mail=mailbox.url)
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture
def page(browser):
    """A page of its own: the plugin's fixture of that name warns on pytest 9."""
    page = browser.new_page()
    page.set_default_timeout(15_000)
    yield page
    page.close()


def test_an_alert_pages_in_steps_is_acknowledged_from_the_mail_resolved_and_closed(portal, mailbox, page):
    portal.manage("shell", "--no-imports", "-c", COMPANY)
    intake = portal.manage("intake", "add", "journey", "--kind", "alertmanager").split()[-1]
    alert = the_alert()

    began = time.monotonic()
    assert portal.post(intake, alert) == 200
    first, _ = mailbox.wait_for(ADA, IN_TIME_SECONDS)
    second, mail = mailbox.wait_for(GRACE, SECOND_STEP_SECONDS + IN_TIME_SECONDS)
    assert first - began <= IN_TIME_SECONDS
    assert SECOND_STEP_SECONDS - 1 <= second - began <= SECOND_STEP_SECONDS + IN_TIME_SECONDS

    acknowledge_from(mail, portal, page)
    assert portal.post(intake, resolved(alert)) == 200
    assert until(lambda: portal.rows(STATUS)[0]["status"] == "resolved", 5)
    close_as_grace(portal, page)

    everything_is_in_the_record(portal)
    assert portal.stop() == 0


def acknowledge_from(mail, portal, page):
    text = mail.get_body(("plain",)).get_content()
    link = re.search(rf"{re.escape(portal.url)}/a/\S+", text)[0]

    page.goto(link)  # a scanner that only looks changes nothing
    assert portal.rows(STATUS)[0]["status"] == "declared"
    page.goto(link)
    page.get_by_role("button", name=re.compile("^Acknowledge")).click()
    page.get_by_text("Acknowledged by Grace Hopper").wait_for()

    assert portal.rows(STATUS)[0]["status"] == "acknowledged"
    unsent = "SELECT count(*) AS number FROM notify_message WHERE state IN ('pending', 'failed') AND urgent"
    assert portal.rows(unsent)[0]["number"] == 0


def close_as_grace(portal, page):
    """Sign in, tell everybody who is still owed a message, and close."""
    reference = portal.rows("SELECT reference FROM incidents_incident")[0]["reference"]
    room = f"{portal.url}/incidents/{reference}/"
    page.goto(room)
    page.get_by_label("User name").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(room)
    for audience in owed(portal):
        page.goto(f"{room}update/?audience={audience}")
        page.locator("textarea[name=text]").fill(f"It is over. Said to the {audience}.")
        page.locator("main form button[type=submit]").last.click()
        page.wait_for_url(room)
    page.goto(f"{room}close/")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(room)


def owed(portal):
    audiences = ("stakeholders", "customers", "executives")
    pending = "SELECT key FROM deadlines_deadline WHERE kind = 'incident.clock' AND state = 'pending'"
    return [row["key"] for row in portal.rows(pending) if row["key"] in audiences]


def everything_is_in_the_record(portal):
    lines = portal.rows(NOTES)
    found = [(line["kind"], line["actor_name"]) for line in lines]
    steps = [name for kind, name in found if kind == "paged"]
    assert found[0][0] == "declared"
    assert "journey" in found[0][1]
    assert steps == ["system: escalation", "system: escalation"]
    pages = [line["text"] for line in lines if line["kind"] == "paged"]
    assert "Ada Lovelace" in pages[0]
    assert "Grace Hopper" in pages[1]
    assert ("acknowledged", "Grace Hopper") in found
    assert "journey" in dict(found)["resolved"]
    assert dict(found)["closed"] == "Grace Hopper"
    order = [kind for kind, _ in found if kind in {"declared", "paged", "acknowledged", "resolved", "closed"}]
    assert order == ["declared", "paged", "paged", "acknowledged", "resolved", "closed"]

    history = portal.rows(
        "SELECT status, actor_name, gesture FROM incidents_historicalincident ORDER BY history_date, history_id"
    )
    actors = {row["status"]: row["actor_name"] for row in history}
    assert "journey" in actors["declared"]
    assert actors["acknowledged"] == "Grace Hopper"
    assert "journey" in actors["resolved"]
    assert actors["closed"] == "Grace Hopper"
    assert all(row["gesture"] for row in history)
