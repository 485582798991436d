"""Readiness names audiences that must be told and whose list is empty, and templates that are broken."""

import pytest

from incidents.communications.readiness import holes
from incidents.models import CommunicationTemplate
from tests.factories.communications import list_member
from tests.factories.directory import make_contact

pytestmark = pytest.mark.django_db


def test_an_empty_list_and_a_broken_template_are_holes():
    assert [hole.sentence for hole in holes()] == [
        "Nobody stands on the list of customers.", "Nobody stands on the list of executives.",
    ]  # fmt: skip
    list_member("customers", make_contact())
    list_member("executives", make_contact(), active=False)
    CommunicationTemplate.objects.create(name="Bad", audience="customers", subject="{nonsense}", body="x")
    assert [hole.sentence for hole in holes()] == [
        "Nobody stands on the list of executives.", "The template “Bad” is broken.",
    ]  # fmt: skip
    assert "There is no field {nonsense}." in holes()[1].consequence
