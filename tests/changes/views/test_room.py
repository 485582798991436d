"""The page of a change: what moved, what is in the way, what is approved, how it is undone, who decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes import services
from changes.models import Module
from changes.services import Plan
from tests.factories.accounts import make_user
from tests.factories.changes import HOUR, make_assessed, make_change, make_scheduled
from tests.factories.directory import make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def text_of(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def change(jonas, amara, database, slot, at):
    return make_assessed(
        by=jonas, implementer=amara, systems=[database], modules=Module.objects.all()[:2], at=at, impact=4,
        likelihood=4, title="Upgrade the ticket database", **slot,
    )  # fmt: skip


def test_a_stranger_signs_in_and_somebody_without_a_role_sees_nothing(client, as_user, change):
    assert client.get(change.get_absolute_url()).status_code == 302
    assert as_user(make_user("nobody")).get(change.get_absolute_url()).status_code == 404


def test_the_page_shows_everything_of_a_change(as_user, change, ruth):
    shown = text_of(as_user(ruth).get(change.get_absolute_url()))
    for words in (
        "Upgrade the ticket database", "High risk, ", "Requested by Jonas Lindqvist", "Carried out by Amara Okafor",
        "Rollback plan", "Point of no return", "Gates", "0 of 4", "therefore 2 stages", "Release checklist",
        "No maintenance window covers it", "against an RTO of 1 h", "stage 1 of 2",
    ):  # fmt: skip
        assert words in shown, words


def test_what_moved_since_it_was_submitted_is_told_with_who_and_when(as_user, change, jonas, ruth, at):
    services.revise(change, Plan({"test_plan": "Look twice."}), by=jonas, at=at + HOUR, reason="")
    page = as_user(ruth).get(change.get_absolute_url())
    (one,) = page.context["page"].moved.differences
    assert (one.label, one.old, one.new, one.note.actor_name) == (
        "Test plan", "Look at it.", "Look twice.", "Jonas Lindqvist",
    )  # fmt: skip
    assert "1 field, version 1 to 2" in text_of(page)


def test_the_assessment_is_no_edit(as_user, change, ruth):
    assert as_user(ruth).get(change.get_absolute_url()).context["page"].moved.differences == []


def test_a_rollback_that_takes_longer_than_the_promise_is_warned_of(as_user, change, jonas, at):
    services.revise(change, Plan({"rollback_minutes": 90}), by=jonas, at=at)
    shown = text_of(as_user(jonas).get(change.get_absolute_url()))
    assert "longer than Ticket database may be down (1 h)" in shown


def test_too_little_time_left_in_the_window_is_shouted(as_user, amara, jonas, at):
    begun = at - timedelta(minutes=55)
    change = make_scheduled(
        by=jonas, implementer=amara, at=begun - timedelta(hours=1), planned_start=begun, planned_end=begun + HOUR
    )
    services.start(change, by=amara, at=begun)
    shown = text_of(as_user(amara).get(change.get_absolute_url()))
    assert "Time runs out." in shown
    assert "and the rollback takes 10 min" in shown


def test_the_parts_of_the_risk_are_shown_with_their_points(as_user, change, jonas):
    assert "4 x 4 = 16" in text_of(as_user(jonas).get(change.get_absolute_url()))


def test_an_incident_that_began_after_its_start_can_be_marked_as_of_it(as_user, amara, jonas, database, at):
    begun = at - timedelta(minutes=30)
    change = make_scheduled(
        by=jonas, implementer=amara, systems=[database], at=begun - HOUR, planned_start=begun, planned_end=begun + HOUR
    )
    change = services.start(change, by=amara, at=begun)
    incident = make_incident(systems=[database], at=begun + timedelta(minutes=5))
    page = as_user(amara).get(change.get_absolute_url())
    assert "Mark suspect" in text_of(page)
    sent = {"once": str(page.context["once"]), "other": incident.reference, "kind": "suspect"}
    for _ in range(2):
        assert as_user(amara).post(f"{change.get_absolute_url()}link/", sent).status_code == 302
    shown = text_of(as_user(amara).get(change.get_absolute_url()))
    assert f'May have caused <span class="nowrap">{incident.reference}</span>' in shown
    assert "Mark suspect" not in shown


def test_the_page_costs_the_same_however_much_there_is(
    as_user, jonas, amara, database, slot, at, django_assert_max_num_queries, django_assert_num_queries
):
    few_of_it = {
        "by": jonas,
        "implementer": amara,
        "systems": [database],
        "modules": Module.objects.all()[:1],
        "at": at,
    }
    small, _in_its_way = make_assessed(**few_of_it, **slot), make_assessed(**few_of_it, **slot)
    reader = as_user(jonas)
    reader.get(small.get_absolute_url())
    with django_assert_max_num_queries(70) as few:
        assert reader.get(small.get_absolute_url()).status_code == 200
    steps = {"implementation": [(f"Do {n}", 1) for n in range(20)], "rollback": [(f"Undo {n}", 1) for n in range(20)]}
    large = make_assessed(
        by=jonas, implementer=amara, systems=[database, *(make_system() for _ in range(6))], at=at,
        modules=Module.objects.all(), steps=steps, **slot,
    )  # fmt: skip
    for number in range(5):
        services.add_note(large, text=f"Note {number}", by=jonas, at=at)
    with django_assert_num_queries(len(few)):
        assert reader.get(large.get_absolute_url()).status_code == 200


def test_a_draft_says_what_it_lacks(as_user, jonas, at):
    change = make_change(
        by=jonas, steps={}, test_plan="", justification="", planned_start=None, planned_end=None, at=at
    )
    shown = text_of(as_user(jonas).get(change.get_absolute_url()))
    for words in ("No window yet", "Not said yet", "No step written yet", "Submit"):
        assert words in shown


def test_whoever_requests_it_is_not_offered_to_assess_it(as_user, jonas, amara, ruth, database, slot, at):
    change = services.submit(
        make_change(by=jonas, implementer=amara, systems=[database], at=at, **slot), by=jonas, at=at
    )
    address = f"{change.get_absolute_url()}assess/"
    own = text_of(as_user(jonas).get(change.get_absolute_url()))
    assert address not in own
    assert "Somebody other than Jonas Lindqvist and Amara Okafor assesses its risk." in own
    assert address in text_of(as_user(ruth).get(change.get_absolute_url()))
