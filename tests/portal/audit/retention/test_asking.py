"""What may be asked for: sealed rows that stand, that nothing holds and nothing needs."""

import pytest

from portal.audit import retention
from portal.audit.models import LegalHold, Seal, TrailRow
from portal.audit.retention import Refused, asking
from portal.audit.sealing import seal
from portal.records.services import timeline
from tests.factories.directory import NOON, make_contact
from tests.factories.incidents import make_incident
from tests.factories.retention import ASKED_AT, ask, make_tombstone

pytestmark = pytest.mark.django_db


def positions(record, **options):
    return retention.positions_of(record._meta.label_lower, str(record.pk), **options)


def test_the_rows_about_an_object_are_found_by_their_seals(person):
    ids = TrailRow.objects.filter(model="directory.contact", object_id=str(person.pk)).values_list("pk", flat=True)
    sealed = Seal.objects.filter(source="audit.trailrow", row_id__in=list(ids)).values_list("position", flat=True)
    assert positions(person) == sorted(sealed)


def test_what_belongs_to_an_object_is_found_on_demand(first):
    contact = make_contact()
    seal(at=NOON)
    assert len(positions(contact)) == 1
    assert len(positions(contact, parts=True)) == 2


def test_only_rows_up_to_a_moment(person):
    moments = TrailRow.objects.filter(model="directory.contact", object_id=str(person.pk)).values_list("at", flat=True)
    assert len(positions(person, until=max(moments))) == 1


def test_a_row_without_a_seal_waits(person):
    person.name = "Once more"
    person.save()
    with pytest.raises(Refused, match="1 of these rows have no seal yet"):
        positions(person)


def test_an_object_that_the_record_does_not_know_is_refused(first):
    with pytest.raises(Refused, match="holds no such rows"):
        retention.positions_of("directory.contact", "999999")
    with pytest.raises(Refused, match=r"keeps no record of a kind “directory\.nothing”"):
        retention.positions_of("directory.nothing", "1")


def test_what_was_removed_is_not_asked_for_again(person, first, second):
    places = positions(person)
    make_tombstone(person, first, second)
    with pytest.raises(Refused, match="replaced by a tombstone already"):
        ask(None, first, positions=places)
    assert not set(positions(person)) & set(places)


def test_a_request_takes_a_limited_number_of_rows(person, first, monkeypatch):
    monkeypatch.setattr(asking, "MOST_ROWS", 1)
    with pytest.raises(Refused, match="2 rows; one request takes"):
        positions(person)
    with pytest.raises(Refused, match="2 rows"):
        ask(None, first, positions=[1, 2])


def test_a_place_that_the_chain_does_not_have_is_refused(person, first):
    with pytest.raises(Refused, match="no position 999,999"):
        ask(None, first, positions=[999_999])


def test_a_request_names_its_person_and_its_reason(person, first):
    for by, reason, sentence in (("system: sweep", "Because", "named person"), (first, "  ", "Say why")):
        with pytest.raises(Refused, match=sentence):
            retention.ask(positions=positions(person), by=by, at=ASKED_AT, reason=reason)
    request = ask(person, first)
    assert (request.asked_by, request.asked_by_id, request.asked_at) == (str(first), first.pk, ASKED_AT)
    row = TrailRow.objects.latest("pk")
    assert (row.event, row.privileged) == (f"Asked for a tombstone over 2 sealed rows: request {request.pk}", True)


def held(record, **options):
    """Whether a hold on a model, an object or everything stops a request about the record."""
    try:
        ask(record, options.pop("by"))
    except Refused as refused:
        return "legal hold" in str(refused)
    return False


def test_a_hold_covers_an_object_a_kind_or_everything(person, first):
    other = make_contact()
    seal(at=NOON)
    for model, key, others in (
        ("directory.contact", person.pk, False),
        ("directory.contact", "", True),
        ("", "", True),
    ):
        hold = retention.place(title="Case", model=model, object_id=key, by=first, at=NOON, reason="Dispute")
        assert held(person, by=first)
        assert held(other, by=first) is others
        retention.lift(hold, by=first, at=NOON, reason="Over")
    assert not held(person, by=first)


def test_a_hold_on_a_record_covers_its_parts_and_its_notes(first):
    contact = make_contact()
    incident = make_incident()
    seal(at=NOON)
    note = timeline(incident).first()
    for record in (contact, incident):
        kind = record._meta.label_lower
        retention.place(title="Case", model=kind, object_id=record.pk, by=first, at=NOON, reason="Dispute")
    assert held(contact.methods.get(), by=first)
    assert held(note, by=first)


def test_a_hold_on_what_nobody_knows_is_refused(first):
    options = {"title": "Case", "by": first, "at": NOON, "reason": "Dispute"}
    with pytest.raises(Refused, match="holds no such rows"):
        retention.place(model="directory.contact", object_id="999999", **options)
    with pytest.raises(Refused, match="keeps no record of a kind"):
        retention.place(model="directory.contract", **options)
    with pytest.raises(Refused, match="Name the kind"):
        retention.place(object_id="12", **options)
    assert not LegalHold.objects.exists()


def test_a_hold_is_lifted_once_and_both_are_told_with_their_reason(first, second):
    hold = retention.place(title="Case", by=first, at=NOON, reason="Dispute")
    hold = retention.lift(hold, by=second, at=ASKED_AT, reason="Settled")
    assert (hold.placed_by, hold.lifted_by, hold.lifted_at) == (str(first), str(second), ASKED_AT)
    with pytest.raises(Refused, match="lifted already"):
        retention.lift(hold, by=second, at=ASKED_AT, reason="Again")
    rows = TrailRow.objects.filter(model="audit.legalhold").order_by("pk")
    assert [(row.actor_name, row.reason, row.privileged) for row in rows] == [
        (str(first), "Dispute", True),
        (str(second), "Settled", True),
    ]
