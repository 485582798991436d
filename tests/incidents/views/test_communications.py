"""Messages to audiences on their pages: prefilled, sent once, asked for, withdrawn; and what a reader follows."""

from __future__ import annotations

import re
import uuid

import pytest
from django.urls import reverse

from incidents.communications import drafting
from incidents.communications.settling import settle_all
from incidents.models import Communication, CommunicationTemplate, Incident, Subscription
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest
from portal.lib import clock
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.accounts import make_superuser, make_user
from tests.factories.communications import list_member, make_draft, set_rule
from tests.factories.directory import make_contact

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
WORDS = {"subject": "Mail is late", "text": "Mail is late. Nothing is lost."}


def address(incident, audience="customers"):
    return reverse("incidents:tell", args=[incident.reference, audience])


def told(incident):
    return records.timeline(incident).filter(kind="update")


@pytest.fixture
def olga():
    contact = make_contact("Olga Customer")
    list_member("customers", contact)
    return contact


def test_the_form_begins_with_the_template_that_fits_and_says_whom_it_reaches(signed_in, incident, olga):
    page = signed_in.get(address(incident)).content.decode()
    for words in (
        "Mail Intake: we are working on a problem", "write again within 30 min.", "Olga Customer", "Send to customers",
        "Customers, first message",
    ):  # fmt: skip
        assert words in page, words


def test_a_template_with_a_field_that_does_not_exist_is_harmless_when_it_is_used(signed_in, incident, olga):
    broken = CommunicationTemplate.objects.create(
        name="Broken", audience="customers", subject="{nonsense}", body="{{ settings.SECRET_KEY }} {title}"
    )
    response = signed_in.get(f"{address(incident)}?template={broken.pk}")
    page = response.content.decode()
    assert response.status_code == 200
    assert "The template names a field that does not exist" in page
    assert "{{ settings.SECRET_KEY }} Inbound mail is not turned into tickets" in page


def test_a_template_with_an_unknown_field_is_refused_with_a_sentence_when_it_is_saved(client):
    client.force_login(make_superuser("root"), backend=BACKEND)
    response = client.post(
        reverse("admin:incidents_communicationtemplate_add"),
        {
            "name": "Broken", "audience": "customers", "subject": "{nonsense}", "body": "{title", "active": "on",
            "change_reason": "A new one",
        },
    )  # fmt: skip
    page = response.content.decode()
    assert "There is no field {nonsense}. The fields are {reference}" in page
    assert "A brace stands alone" in page
    assert not CommunicationTemplate.objects.filter(name="Broken").exists()


def test_a_form_sent_twice_sends_once(signed_in, incident, olga):
    data = {**WORDS, "once": uuid.uuid4(), "do": "send"}
    for _ in range(2):
        assert signed_in.post(address(incident), data).status_code == 302
    assert Communication.objects.get().state == "sent"
    assert told(incident).get().audience == "customers"
    assert Message.objects.filter(kind="communication", lane="email").count() == 1
    room = signed_in.get(incident.get_absolute_url()).content.decode()
    assert "Sent to Olga Customer." in room
    page = signed_in.get(Communication.objects.get().get_absolute_url()).content.decode()
    assert "How it went out" in page


def test_a_draft_waits_in_the_room_and_is_sent_from_its_page(signed_in, incident, olga):
    signed_in.post(address(incident), {**WORDS, "once": uuid.uuid4(), "do": "save"})
    draft = Communication.objects.get()
    room = signed_in.get(incident.get_absolute_url()).content.decode()
    assert draft.get_absolute_url() in room
    assert not told(incident)
    data = {"subject": "Mail is very late", "text": "Still.", "once": uuid.uuid4(), "do": "send"}
    for _ in range(2):
        assert signed_in.post(draft.get_absolute_url(), data).status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.subject) == ("sent", "Mail is very late")
    answer = signed_in.post(draft.get_absolute_url(), {**data, "once": uuid.uuid4(), "text": "Again"})
    assert (answer.status_code, told(incident).count()) == (422, 1)
    assert "its words stay as they were sent" in answer.content.decode()


def test_what_reaches_nobody_is_kept_as_a_draft_and_refused_to_be_sent(signed_in, incident):
    page = signed_in.get(address(incident)).content.decode()
    assert "Nobody on the list of customers can be reached." in page
    answer = signed_in.post(address(incident), {**WORDS, "once": uuid.uuid4(), "do": "send"})
    assert answer.status_code == 422
    assert "Tell them by other means, and record it." in answer.content.decode()
    assert not Communication.objects.exists()


def test_where_the_data_says_so_the_button_asks_for_approval(signed_in, incident, olga):
    make_user("hannah", roles=["manager"])
    set_rule("customers", needs_approval=True)
    assert "Ask for approval" in signed_in.get(address(incident)).content.decode()
    data = {**WORDS, "once": uuid.uuid4(), "do": "send", "by_itself": "on"}
    assert signed_in.post(address(incident), data).status_code == 302
    message = Communication.objects.get()
    assert (message.state, told(incident).count()) == ("waiting", 0)
    assert "Waits for approval" in signed_in.get(incident.get_absolute_url()).content.decode()


def test_a_message_is_withdrawn_with_a_reason(signed_in, incident, olga):
    draft = make_draft(incident)
    page = reverse("incidents:withdraw-communication", args=[incident.reference, draft.pk])
    assert signed_in.post(page, {"once": uuid.uuid4()}).status_code == 422
    assert signed_in.post(page, {"once": uuid.uuid4(), "reason": "It is over"}).status_code == 302
    draft.refresh_from_db()
    assert draft.state == "withdrawn"
    assert signed_in.get(draft.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("audience", ["nobody", "customersx"])
def test_an_audience_that_is_not_there_is_not_found(signed_in, incident, audience):
    assert signed_in.get(address(incident, audience)).status_code == 404


@pytest.mark.parametrize("data", [{}, {"once": "x"}, {"once": uuid.uuid4(), "subject": "x" * 300, "text": "x" * 5000}])
def test_bad_input_comes_back_with_sentences(signed_in, incident, olga, data):
    assert signed_in.post(address(incident), data).status_code == 422
    assert signed_in.get(f"{address(incident)}?template=9{'9' * 30}").status_code == 200


def test_an_auditor_reads_messages_and_writes_none(auditor, incident, olga):
    draft = make_draft(incident)
    assert auditor.get(draft.get_absolute_url()).status_code == 200
    assert auditor.get(address(incident)).status_code == 403
    for page in (address(incident), draft.get_absolute_url(), reverse("incidents:following")):
        assert auditor.post(page, {**WORDS, "once": uuid.uuid4(), "do": "send"}).status_code == 403
    assert Communication.objects.get().state == "drafted"


def test_an_incident_is_followed_from_its_room_and_let_go_there(signed_in, incident):
    following = reverse("incidents:following")
    assert signed_in.post(following, {"incident": incident.reference}).status_code == 302
    row = Subscription.objects.get()
    room = signed_in.get(incident.get_absolute_url()).content.decode()
    assert "You follow this incident" in room
    assert incident.reference in signed_in.get(following).content.decode()
    signed_in.post(reverse("incidents:stop-following", args=[row.pk]), {"from": "room"})
    assert not Subscription.objects.active().exists()


@pytest.mark.parametrize("data", [{"incident": "INC-999999"}, {"system": "nowhere"}, {}, {"system": "x" * 500}])
def test_what_is_not_there_cannot_be_followed(signed_in, incident, data):
    answer = signed_in.post(reverse("incidents:following"), data)
    assert answer.status_code == 422
    assert "that you may see" in answer.content.decode()


def test_a_hidden_incident_cannot_be_followed_and_its_messages_are_not_found(signed_in, incident, monkeypatch):
    draft = make_draft(incident)
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda _cls, _user: [str(incident.pk)]), raising=False)
    answer = signed_in.post(reverse("incidents:following"), {"incident": incident.reference})
    assert (answer.status_code, Subscription.objects.count()) == (422, 0)
    assert signed_in.get(draft.get_absolute_url()).status_code == 404
    assert not Communication.objects.visible_to(make_user("rita", roles=["responder"])).exists()


def test_a_message_that_is_due_is_skipped_on_a_page_with_its_reason(signed_in, incident):
    page = reverse("incidents:act", args=[incident.reference, "skip"])
    assert "Customers, due" in signed_in.get(page).content.decode()
    assert signed_in.post(page, {"once": uuid.uuid4(), "clock": "customers"}).status_code == 422
    data = {"once": uuid.uuid4(), "clock": "customers", "reason": "No customer is affected."}
    assert signed_in.post(page, data).status_code == 302
    assert (
        "Skipped by Amara Okafor: No customer is affected."
        in signed_in.get(incident.get_absolute_url()).content.decode()
    )


def test_a_draft_whose_approval_was_denied_says_who_denied_it_and_why(signed_in, incident, olga):
    manager = make_user("hannah", roles=["manager"])
    set_rule("customers", needs_approval=True)
    signed_in.post(address(incident), {**WORDS, "once": str(uuid.uuid4()), "do": "send", "by_itself": "on"})
    message, request = Communication.objects.get(), ApprovalRequest.objects.get()
    at = clock.now()
    approvals.decide(
        request, stage=request.stages.get(), verdict="deny", digest=request.digest, confirmed=True, by=manager, at=at,
        reason="Say when they hear again.",
    )  # fmt: skip
    settle_all(at=at)
    page = signed_in.get(message.get_absolute_url()).content.decode()
    assert f"Denied by {manager}" in page
    assert "Say when they hear again." in page
    shown = signed_in.get(request.get_absolute_url()).content.decode()
    assert "Ask again" not in shown  # it is asked for from its own page, so that it goes out
    assert "Name implementer" not in shown


def test_of_two_who_change_a_draft_the_second_is_told_and_replaces_only_knowingly(signed_in, incident, olga):
    message = make_draft(incident, audience="customers")
    opened = signed_in.get(message.get_absolute_url()).content.decode()
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', opened)[1]
    drafting.edit(message, subject="Mail is late", text="Mail is late until 15:00.", by="freya", at=clock.now())
    data = {"subject": "Mail is late", "text": "Mail is very late.", "do": "save", "seen": seen, "once": uuid.uuid4()}
    answer = signed_in.post(message.get_absolute_url(), data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "It was changed while you wrote" in page
    assert "Mail is late until 15:00." in page
    assert "Mail is very late." in page  # what was typed still stands in the form
    message.refresh_from_db()
    assert message.text == "Mail is late until 15:00."
    data["seen"] = re.search(r'name="seen" value="([0-9a-f]{64})"', page)[1]
    assert signed_in.post(message.get_absolute_url(), data).status_code == 302
    message.refresh_from_db()
    assert message.text == "Mail is very late."
