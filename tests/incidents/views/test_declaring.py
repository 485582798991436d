"""Declaring an incident by form."""

from __future__ import annotations

import uuid

import pytest

from incidents.models import Incident
from tests.factories.accounts import make_user
from tests.factories.directory import make_severity, make_system

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def declaration(mail, **data):
    fields = {"once": uuid.uuid4(), "title": "Mail stands still", "severity": make_severity(1).pk, "systems": [mail.pk]}
    return {**fields, **data}


def test_three_answers_declare_an_incident(signed_in, mail):
    response = signed_in.post("/incidents/declare/", declaration(mail))
    incident = Incident.objects.get()
    assert response["Location"] == incident.get_absolute_url()
    assert (incident.title, incident.declared_by, incident.severity.level) == ("Mail stands still", "Amara Okafor", 1)
    assert list(incident.systems.all()) == [mail]


def test_a_form_declares_once_however_often_it_is_sent(signed_in, mail):
    data = declaration(mail)
    first, second = signed_in.post("/incidents/declare/", data), signed_in.post("/incidents/declare/", data)
    assert Incident.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_declaring_says_what_is_missing(signed_in):
    page = text_of(signed_in.post("/incidents/declare/", {"once": uuid.uuid4()}))
    for sentence in ("Say in one sentence what is wrong.", "Choose how bad it is.", "Choose the system that suffers"):
        assert sentence in page


def test_a_system_beyond_every_number_of_the_database_is_refused_with_a_sentence(signed_in, mail):
    answer = signed_in.post("/incidents/declare/", declaration(mail, systems=[mail.pk, "9" * 23]))
    assert answer.context["form"].errors == {"systems": ["Choose from the list."]}
    assert not Incident.objects.exists()


def test_the_address_fills_the_form_in(signed_in, mail):
    form = signed_in.get("/incidents/declare/?system=mail-intake&severity=2&title=Mail").context["form"]
    assert form["systems"].value() == [mail.pk]
    assert form["severity"].value() == make_severity(2).pk
    assert form["title"].value() == "Mail"


def test_a_system_with_nobody_to_page_is_declared_with_a_warning(signed_in):
    lonely = make_system("lonely", name="Lonely")
    assert "nobody to page" in text_of(signed_in.get("/incidents/declare/"))
    response = signed_in.post("/incidents/declare/", declaration(lonely), follow=True)
    assert "Nobody can be paged for Lonely" in text_of(response)


def test_a_security_incident_is_declared_by_a_tick(signed_in, mail):
    signed_in.post("/incidents/declare/", declaration(mail, security="on"))
    assert Incident.objects.get().type == "security"


def test_without_a_system_the_form_leads_to_where_one_is_added(client):
    client.force_login(make_user("root", roles=["administrator"]), backend="django.contrib.auth.backends.ModelBackend")
    assert "/admin/directory/system/add/" in text_of(client.get("/incidents/declare/"))


def test_without_a_system_who_cannot_add_one_is_told_whom_to_ask(client):
    client.force_login(make_user("ann", roles=["responder"]), backend="django.contrib.auth.backends.ModelBackend")
    assert "Ask a manager to add one." in text_of(client.get("/incidents/declare/"))
