"""The verbs of an incident on its pages."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from incidents import services
from incidents.enums import Status
from incidents.models import Responder
from portal.audit.actor import gesture_of
from portal.records import services as records
from tests.factories.directory import make_contact, make_severity, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def act(client, incident, verb, **data):
    return client.post(reverse("incidents:act", args=[incident.reference, verb]), {"once": uuid.uuid4(), **data})


def test_one_button_acknowledges(signed_in, incident, amara):
    response = act(signed_in, incident, "acknowledge")
    assert response["Location"] == incident.get_absolute_url()
    incident.refresh_from_db()
    assert (incident.status, incident.acknowledged_by) == (Status.ACKNOWLEDGED, "Amara Okafor")
    assert Responder.objects.filter(incident=incident, contact=amara).exists()


def test_an_incident_is_worked_from_the_pages_until_it_is_closed(signed_in, incident, amara):
    steps = [
        ("acknowledge", {}), ("activate", {"commander": amara.pk}), ("note", {"text": "Queue is full"}),
        ("responder", {"contact": make_contact("Mei Tanaka").pk}), ("page", {"contact": amara.pk}), ("escalate", {}),
        *(("update", {"audience": one, "text": "Known"}) for one in ("stakeholders", "customers", "executives")),
        ("reclassify", {"severity": make_severity(2).pk, "reason": "Half of it works"}), ("mitigate", {}),
        ("resolve", {}), ("close", {}), ("reopen", {"reason": "It is back"}),
    ]  # fmt: skip
    for verb, data in steps:
        response = act(signed_in, incident, verb, **data)
        assert response.status_code == 302, (
            f"{verb}: {getattr(response, 'context', None) and response.context['form'].errors}"
        )
    incident.refresh_from_db()
    assert incident.status == Status.ACKNOWLEDGED
    written = {note.actor_name for note in records.timeline(incident) if not note.actor_name.startswith("system")}
    assert written == {"Amara Okafor"}


def test_every_form_opens(signed_in, incident):
    for verb in ("acknowledge", "activate", "mitigate", "resolve", "close", "reopen", "cancel", "escalate", "page",
                 "update", "reclassify", "pause", "resume", "note", "responder",
                 "systems", "type"):  # fmt: skip
        response = signed_in.get(reverse("incidents:act", args=[incident.reference, verb]))
        assert response.status_code == 200, verb
    assert signed_in.get(reverse("incidents:act", args=[incident.reference, "explode"])).status_code == 404


def test_what_does_not_fit_is_refused_with_its_sentence(signed_in, incident):
    response = act(signed_in, incident, "close")
    assert response.status_code == 422
    assert "It is still open. Acknowledge and resolve it first." in text_of(response)


def test_closing_names_what_is_still_open(signed_in, incident, amara, at):
    services.acknowledge(incident, by=amara, at=at)
    services.resolve(incident, by=amara, at=at)
    response = act(signed_in, incident, "close")
    assert "It cannot be closed yet." in text_of(response)
    assert "Customers were never told." in text_of(response)


def test_reopening_needs_a_reason(signed_in, incident, at):
    services.cancel(incident, by="test", at=at, reason="Twice")
    response = act(signed_in, incident, "reopen", reason=" ")
    assert "Say in a sentence why." in text_of(response)


def test_a_second_submit_of_one_form_changes_nothing(signed_in, incident):
    once = uuid.uuid4()
    for _ in range(2):
        assert act(signed_in, incident, "note", once=once, text="Queue is full").status_code == 302
        assert act(signed_in, incident, "acknowledge", once=f"{uuid.UUID(int=7)}").status_code == 302
    assert records.timeline(incident).filter(kind="note").count() == 1
    assert records.timeline(incident).filter(kind="acknowledged").count() == 1


def test_the_rows_of_one_form_are_one_gesture(signed_in, amara, incident):
    once = uuid.uuid4()
    act(signed_in, incident, "acknowledge", once=once)
    incident.refresh_from_db()
    assert incident.history.first().gesture == gesture_of(once, amara.user)
    assert incident.history.first().origin == "web"


def test_an_update_is_offered_to_the_audience_that_waits(signed_in, incident):
    response = signed_in.get(reverse("incidents:act", args=[incident.reference, "update"]) + "?audience=customers")
    assert response.context["form"]["audience"].value() == "customers"


def test_a_note_of_another_incident_cannot_be_corrected_here(signed_in, incident, amara, at):
    other = services.add_note(make_incident(at=at), text="Elsewhere", by=amara, at=at)
    response = act(signed_in, incident, "note", text="Wrong", corrects=other.pk)
    assert response.status_code == 422


def test_the_resolve_clock_is_paused_and_resumed_with_a_reason(signed_in, mail, at):
    system = make_system("ledger", rto=120)
    incident = make_incident(systems=[system], at=at)
    assert act(signed_in, incident, "pause", reason="Waits for the vendor").status_code == 302
    assert "Paused: Waits for the vendor" in text_of(signed_in.get(incident.get_absolute_url()))
    assert act(signed_in, incident, "resume", reason="The vendor answered").status_code == 302


def test_the_affected_systems_can_be_changed(signed_in, incident):
    other = make_system("other", name="Other")
    assert act(signed_in, incident, "systems", systems=[other.pk]).status_code == 302
    assert list(incident.systems.all()) == [other]
    assert "named already" in text_of(act(signed_in, incident, "systems", systems=[other.pk], once=uuid.uuid4()))


def test_a_system_beyond_every_number_of_the_database_is_refused_with_a_sentence(signed_in, incident, mail):
    answer = act(signed_in, incident, "systems", systems=["9" * 23], reason="Looked again")
    assert "Choose from the list." in text_of(answer)
    assert list(incident.systems.all()) == [mail]


def test_an_incident_can_turn_out_to_concern_security(signed_in, incident):
    assert act(signed_in, incident, "type", type="security").status_code == 302
    incident.refresh_from_db()
    assert incident.type == "security"
