"""A recovery objective is asked for, read, confirmed, approved by two people, shown as approved, and edited again."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from portal.approvals.models import ApprovalRequest, Decision
from portal.approvals.sweeps import LOOK_EVERY
from portal.audit.models import TrailRow
from portal.dashboard import sweeping
from portal.lib import clock
from tests.factories.accounts import PASSWORD
from tests.factories.approvals import make_objective, make_person

pytestmark = pytest.mark.django_db


def browser_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(response):
    return response.content.decode()


def hidden(page):
    """Return the hidden fields of a page's form, as a browser would send them."""
    return dict(re.findall(r'<input type="hidden" name="(once|stage|digest)" value="([^"]*)"', page))


def look(*, later=timedelta(0)):
    """Let the engine sweep and send, as it does every two seconds."""
    sweeping.sweep_deadlines(now=lambda: clock.database_now() + later)
    sweeping.send_messages(now=lambda: clock.database_now() + later)


def asking():
    """Return the mails that ask for a decision; the week's digest of who is on call may lie between them."""
    return [message for message in mail.outbox if message.subject.startswith("Decide by")]


def link_in(message):
    """Return the path that a mail leads to."""
    return re.search(r"https?://[^/\s]+(/approvals/\S+)", message.body)[1]


def decide(client, path, **words):
    """Open the page that the mail leads to, decide, confirm with the password, send what was kept."""
    page = text(client.get(path))
    answer = client.post(f"{path}decide/", {**hidden(page), "reason": "", **words})
    if answer.url.startswith("/confirm/"):
        kept = text(client.post(answer.url, {"password": PASSWORD, "next": path}))
        action = re.search(r'action="(/approvals/[^"]+)"', kept)[1]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', kept))
        fields.pop("csrfmiddlewaretoken", None)
        answer = client.post(action, fields)
    assert answer.url == path


def test_an_objective_from_the_question_to_the_edit_that_voids_it():
    kwame = make_person("Kwame Mensah", "administrator")
    hannah = make_person("Hannah Whitcombe", "manager")
    arjun = make_person("Arjun Mehta", "change-approver")
    objective = make_objective(rto=60, rpo=15)
    record = reverse("admin:directory_recoveryobjective_change", args=[objective.pk])

    # Kwame finds the button on the record, reads what will be shown, and asks.
    keeper = browser_of(kwame)
    assert "Not approved" in text(keeper.get(record))
    ask = re.search(r'href="(/approvals/ask/[^"]+)"', text(keeper.get(record)))[1]
    page = text(keeper.get(ask))
    assert "60 min (1 h)" in page
    made = keeper.post(ask, {**hidden(page), "reason": "The yearly review", "implementer": ""})
    request = ApprovalRequest.objects.get()
    assert made.url == request.get_absolute_url()

    # Hannah gets a mail, follows it, confirms that it is her, and approves; then Arjun is asked, and approves.
    look()
    assert [message.to for message in asking()] == [[hannah.contact.methods.get().address]]
    decide(browser_of(hannah), link_in(asking()[0]), verdict="approve", reason="Rehearsed in May")
    look()
    assert asking()[-1].to == [arjun.contact.methods.get().address]
    decide(browser_of(arjun), link_in(asking()[-1]), verdict="approve")
    assert ApprovalRequest.objects.get().state == "approved"

    # The record says so, with the names; so does the trail.
    assert "by Hannah Whitcombe, Arjun Mehta" in text(keeper.get(record))
    decided = TrailRow.objects.filter(action="decided").order_by("pk")
    assert [row.actor_name for row in decided] == ["Hannah Whitcombe", "Arjun Mehta"]
    assert {row.address for row in decided} == {"127.0.0.1"}

    # An edit of the record voids it, and tells those who decided what changed.
    edit = {
        "system": objective.system_id,
        "rto_minutes": 240,
        "rpo_minutes": 15,
        "proof_days": 365,
        "change_reason": "The new contract",
    }
    assert keeper.post(record, edit).status_code == 302
    assert "Changed since approval" in text(keeper.get(record))
    look(later=LOOK_EVERY)
    told = {message.to[0]: message.body for message in mail.outbox if message.subject.startswith("Void")}
    assert told.keys() == {person.contact.methods.get().address for person in (kwame, hannah, arjun)}
    assert all("- RTO: 60 min (1 h) > 240 min (4 h)" in body for body in told.values())
    assert ApprovalRequest.objects.get().state == "voided"
    assert Decision.objects.count() == 2
