"""Records of domains that do not know one another meet by reference, by what went on near by, and by links."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.records import linking
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.changes import make_change, make_scheduled
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def reader():
    return make_person("Amara Okafor", "responder")


def kinds(record):
    return [note.text for note in records.timeline(record).filter(kind="link").order_by("pk")]


def test_a_reference_leads_to_its_record_for_whoever_may_see_it(reader):
    incident, change = make_incident(), make_change()
    assert linking.by_reference(f" {incident.reference.lower()} ", user=reader) == incident
    assert linking.by_reference(change.reference, user=reader) == change
    assert linking.by_reference(incident.reference, user=make_user("nobody")) is None
    for words in ("", "INC-", "INC-999999", "XYZ-000001", "INC-\x00"):
        assert linking.by_reference(words, user=reader) is None


def test_a_link_is_told_in_both_timelines_once(reader):
    incident, change = make_incident(), make_change()
    linking.link(change, incident, kind="fixes", words="fixes", by=reader, at=NOON)
    assert kinds(change) == [f"said that it fixes {incident.reference}"]
    assert kinds(incident) == [f"said that {change.reference} fixes it"]
    with pytest.raises(ValueError, match="said already"):
        linking.link(change, incident, kind="fixes", words="fixes", by=reader, at=NOON)
    with pytest.raises(ValueError, match="nothing to say of itself"):
        linking.link(change, change, kind="fixes", words="fixes", by=reader, at=NOON)
    assert [one.words for one in records.links_of(change, user=reader)] == ["Fixes"]
    assert [one.words for one in records.links_of(incident, user=reader)] == ["Fixed by"]


def test_a_link_that_is_taken_back_leaves_its_words(reader):
    incident, change = make_incident(), make_change()
    linking.link(change, incident, kind="caused", words="caused", by=reader, at=NOON)
    linking.unlink(change, incident, kind="caused", by=reader, at=NOON, reason="It did not")
    assert records.links_of(change, user=reader) == []
    assert kinds(change)[-1] == f"took back its link with {incident.reference}"
    with pytest.raises(ValueError, match="not linked"):
        linking.unlink(change, incident, kind="caused", by=reader, at=NOON, reason="It did not")


def test_what_went_on_near_by_is_found_once_with_all_of_its_systems(reader):
    systems = [make_system(), make_system()]
    change = make_scheduled(systems=systems)
    (found,) = linking.near(
        systems, kind="change", since=change.planned_start - HOUR, until=change.planned_end, user=reader
    )
    assert (found.record, set(found.systems)) == (change, {system.name for system in systems})
    assert (found.starts, found.ends, found.linked) == (change.planned_start, change.planned_end, False)
    span = {"since": change.planned_start - HOUR, "until": change.planned_end}
    assert linking.near(systems, kind="change", user=make_user("nobody"), **span) == []
    assert linking.near(systems, kind="incident", user=reader, **span) == []
    assert linking.near([make_system()], kind="change", user=reader, **span) == []
    assert linking.near(systems, kind="change", user=reader, linked=[change], **span)[0].linked
