"""The security procedures: a hole while they are missing, and first on the page of a security incident."""

import pytest
from django.test import Client

from portal.runbooks import readiness
from tests.factories.approvals import make_person
from tests.factories.directory import make_system
from tests.factories.incidents import make_incident
from tests.factories.runbooks import make_published, make_runbook

pytestmark = pytest.mark.django_db
EMPTY = "# Desk\n\n## Troubleshooting Guide\n\n### Security Incident Response\n\n1. \n"


def room(incident):
    client = Client()
    client.force_login(make_person("Lea Lead", "security-lead"), backend="django.contrib.auth.backends.ModelBackend")
    return client.get(incident.get_absolute_url()).content.decode()


def test_without_published_security_procedures_there_is_a_hole():
    assert [hole.sentence for hole in readiness.holes()] == [readiness.MISSING]
    make_runbook()
    make_published("Empty", text=EMPTY)
    assert readiness.holes()
    make_published("Security")
    assert readiness.holes() == []


def test_a_security_incident_leads_to_the_security_procedures():
    incident = make_incident(type="security")
    assert "No security procedures are published" in room(incident)
    runbook = make_published("Security")
    said = room(incident)
    assert f"{runbook.versions.get().get_absolute_url()}#s" in said
    assert "Security Incident Response" in said


def test_an_incident_leads_to_the_runbooks_of_its_systems():
    system = make_system("desk")
    runbook = make_published("How the desk runs", system=system)
    make_published("Somewhere else", system=make_system("other"))
    said = room(make_incident(systems=[system]))
    assert runbook.get_absolute_url() in said
    assert "Somewhere else" not in said
    assert "security procedures" not in said
