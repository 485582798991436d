"""The forms of the incident pages: limits, sentences, and what is given to the services."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from incidents.forms import DeclareForm, NoteForm, PersonForm, ReasonForm, ReclassifyForm, UpdateForm
from incidents.selectors.filters import Filters
from incidents.selectors.people import unreachable
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_emergency_contact, make_severity, make_system, make_team
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def reader():
    """Somebody who may see the whole directory."""
    return make_user(roles=["responder"])


def filled(form, incident=None, **data):
    options = {"incident": incident or make_incident()} if form is not DeclareForm else {}
    return form({"once": str(uuid.uuid4()), **data}, at=NOON, user=reader(), **options)


def test_a_form_without_its_key_asks_to_be_opened_again():
    form = ReasonForm({"reason": "Because"}, incident=make_incident(), at=NOON, user=reader())
    assert form.errors["once"] == ["Open the form again."]


def test_every_form_that_is_opened_has_a_key_of_its_own():
    incident = make_incident()
    keys = {str(ReasonForm(incident=incident, at=NOON, user=reader())["once"].value()) for _ in range(2)}
    assert len(keys) == 2


def test_words_leave_the_key_out():
    form = filled(ReasonForm, reason="Because")
    assert form.is_valid()
    assert form.words() == {"reason": "Because"}


@pytest.mark.parametrize("form", [NoteForm, UpdateForm])
def test_a_moment_that_has_not_come_is_refused(form):
    later = (NOON + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    found = filled(form, text="It happened", audience="customers", event_at=later)
    assert found.errors["event_at"] == ["That moment has not come yet. Leave it empty for now."]


def test_a_moment_of_another_year_is_refused():
    assert "more than a year ago" in filled(NoteForm, text="Old", event_at="2019-01-01T10:00").errors["event_at"][0]


def test_a_moment_is_read_in_the_readers_zone():
    form = filled(NoteForm, text="It happened", event_at="2026-11-17T11:30")
    assert form.is_valid()
    assert form.cleaned_data["event_at"] == NOON - timedelta(minutes=30)


def test_a_note_has_a_limit_and_a_sentence():
    assert "Keep it under 4,000 characters." in filled(NoteForm, text="x" * 4001).errors["text"][0]
    assert filled(NoteForm, text=" ").errors["text"] == ["Write what you saw or did."]


def test_a_person_who_has_left_cannot_be_chosen():
    form = filled(PersonForm, contact=make_contact(active=False).pk)
    assert form.errors["contact"] == ["This person is not in the directory any more. Choose another."]


def test_people_near_the_incident_are_offered_first_and_the_unreachable_are_marked():
    system, near, far = make_system(), make_contact("Near"), make_contact("Far", reachable=False)
    make_emergency_contact(system, near)
    choices = PersonForm(incident=make_incident(systems=[system]), at=NOON, user=reader()).fields["contact"].choices
    assert choices[1] == ("For the affected systems", [(near.pk, "Near")])
    assert (far.pk, "Far (no verified method)") in choices[2][1]


def test_a_major_incident_is_what_the_severity_says_unless_said_otherwise():
    severity = make_severity(3).pk
    for word, meant in (("", None), ("yes", True), ("no", False)):
        form = filled(ReclassifyForm, severity=severity, is_major=word, reason="Because")
        assert form.is_valid()
        assert form.words()["is_major"] is meant


def test_a_declaration_needs_a_system_so_that_people_can_be_paged():
    form = filled(DeclareForm, title="Mail stands still", severity=make_severity(1).pk)
    assert form.errors["systems"] == ["Choose the system that suffers, so that its people can be paged."]


def test_a_system_is_unreachable_when_nobody_there_has_a_verified_method():
    silent, owned, named = make_system(), make_system(owner=make_team(on_call=make_contact())), make_system()
    make_emergency_contact(named, make_contact(reachable=False), backup=make_contact())
    make_emergency_contact(silent, make_contact(reachable=False))
    assert unreachable([silent, owned, named], at=NOON) == {silent.pk}


@pytest.mark.parametrize(
    ("words", "reference"),
    [("INC-000042", "INC-000042"), ("inc-42", "INC-000042"), ("42", "INC-000042"), ("mail 42", ""), ("INC-", "")],
)
def test_a_search_knows_a_reference(words, reference):
    assert Filters(q=words).reference == reference


def test_an_address_says_only_what_differs_from_the_plain_list():
    assert Filters().address() == "/incidents/"
    assert Filters(view="all", severity=1, page=4).address(q="mail") == "/incidents/?view=all&severity=1&q=mail"


def test_a_form_offers_only_what_its_reader_may_see():
    make_system()
    stranger = DeclareForm(at=NOON, user=make_user())
    assert not stranger.fields["systems"].queryset.exists()
    assert DeclareForm(at=NOON, user=reader()).fields["systems"].queryset.exists()
