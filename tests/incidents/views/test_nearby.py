"""The changes near an incident: shown on its page, and marked as suspect on both pages."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from changes import services as changes
from portal.lib import clock
from tests.factories.changes import make_scheduled, verify
from tests.factories.directory import make_system

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def text_of(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def make_done():
    """`make_done(system, ago=)`: a change of this system that was carried out so long ago, for an hour."""

    def make_done(system, *, ago):
        begun = clock.now() - ago
        slot = {"planned_start": begun, "planned_end": begun + HOUR}
        change = make_scheduled(title="Move the queue", systems=[system], at=begun - HOUR, **slot)
        change = changes.start(change, by=change.implementer, at=begun)
        return verify(change, by=change.implementer, at=begun + HOUR)

    return make_done


def test_the_changes_of_three_days_are_shown_those_of_parts_and_wholes_too(signed_in, mail, incident, make_done):
    part = make_system("queue", parent=mail)
    near, older = make_done(part, ago=timedelta(hours=70)), make_done(mail, ago=timedelta(hours=80))
    elsewhere = make_done(make_system("desk"), ago=timedelta(hours=5))
    shown = text_of(signed_in.get(incident.get_absolute_url()))
    assert near.reference in shown
    assert older.reference not in shown
    assert elsewhere.reference not in shown


def test_a_change_is_marked_as_suspect_on_both_pages_and_cleared(signed_in, mail, incident, make_done):
    change = make_done(mail, ago=timedelta(hours=5))
    address = incident.get_absolute_url()
    sent = {"once": str(uuid.uuid4()), "other": change.reference}
    for _ in range(2):
        assert signed_in.post(f"{address}suspect/", sent).status_code == 302
    assert f'Suspect <span class="nowrap">{change.reference}' in text_of(signed_in.get(address))
    there = text_of(signed_in.get(change.get_absolute_url()))
    assert f'May have caused <span class="nowrap">{incident.reference}' in there
    again = signed_in.post(f"{address}suspect/", {**sent, "once": str(uuid.uuid4())})
    assert "That is said already" in text_of(again)
    cleared = {"once": str(uuid.uuid4()), "other": change.reference, "reason": ""}
    assert signed_in.post(f"{address}unsuspect/", cleared).status_code == 422
    assert signed_in.post(f"{address}unsuspect/", {**cleared, "reason": "It was the vendor"}).status_code == 302
    assert "Mark suspect" in text_of(signed_in.get(address))


def test_a_reference_that_leads_nowhere_is_refused(signed_in, incident):
    sent = {"once": str(uuid.uuid4()), "other": "CHG-999999"}
    assert "No such record can be seen" in text_of(signed_in.post(f"{incident.get_absolute_url()}suspect/", sent))


def test_an_incident_becomes_a_change_by_a_link(signed_in, incident):
    shown = text_of(signed_in.get(incident.get_absolute_url()))
    assert f"/changes/draft/?incident={incident.reference}&amp;system=mail-intake" in shown


def test_the_lookup_costs_the_same_however_many_changes_there_are(
    signed_in, mail, incident, make_done, django_assert_num_queries, django_assert_max_num_queries
):
    make_done(mail, ago=timedelta(hours=5))
    address = incident.get_absolute_url()
    signed_in.get(address)
    with django_assert_max_num_queries(70) as few:
        signed_in.get(address)
    for hours in (6, 7, 8):
        make_done(mail, ago=timedelta(hours=hours))
    with django_assert_num_queries(len(few)):
        signed_in.get(address)
