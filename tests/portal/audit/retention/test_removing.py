"""A tombstone: the words go, the chain verifies, and whatever else was done to the record is still named."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from portal.audit import guards, retention
from portal.audit.chaining import Readers
from portal.audit.enums import Action
from portal.audit.models import LegalHold, Seal, Tombstone, TombstonedRow, TombstoneRequest, TrailRow
from portal.audit.reconciling.running import audited_models
from portal.audit.retention import REMOVED, NotTheOwner, Refused, removing
from portal.audit.sealing import seal
from portal.audit.shapes import definition_of, sources
from portal.audit.verifying import Kind, verify
from portal.directory.models import Contact, Team
from portal.records.models import Note
from tests.factories.accounts import make_superuser
from tests.factories.anything import make
from tests.factories.directory import NOON, make_contact, make_team
from tests.factories.guarded import insert
from tests.factories.incidents import make_incident
from tests.factories.retention import ASKED_AT, CONFIRMED_AT, ask, make_tombstone
from tests.factories.tampering import tampered

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LATER = CONFIRMED_AT + timedelta(hours=1)
ABOUT_PROOF = {"audit.signingkey", "audit.tombstone", "audit.tombstonedrow", "audit.tombstonerequest"}


def words():
    """Everything that the trail and the history of people and teams say."""
    rows = [*TrailRow.objects.values_list(), *Contact.history.values_list(), *Team.history.values_list()]
    return " ".join(str(value) for row in rows for value in row)


def sentences():
    return [finding.sentence for finding in verify(at=LATER).findings]


def trail_of(record):
    return TrailRow.objects.filter(model=record._meta.label_lower, object_id=str(record.pk)).order_by("pk")


# What goes, and what stays.


def test_the_words_are_gone_and_the_chain_verifies(person, first, second):
    assert "Giovanna" in words()
    made = make_tombstone(person, first, second)
    assert "Giovanna" not in words()
    report = verify(at=LATER)
    assert sentences() == []
    assert report.tombstones == made.rows.count() == 2
    assert guards.missing() == []


def test_when_and_what_a_row_is_about_stays_and_who_and_why_goes(person, first, second):
    before = trail_of(person).first()
    make_tombstone(person, first, second)
    row = trail_of(person).first()
    for name in ("at", "origin", "gesture", "model", "object_id", "root_model", "root_id", "action", "history_id"):
        assert getattr(row, name) == getattr(before, name), name
    assert (row.actor_name, row.actor_id, row.address) == (REMOVED, None, "")
    assert (row.reason, row.name, row.fields, row.differences) == ("", "", "", [])


def test_the_salt_is_destroyed_and_nothing_else_of_the_seal(person, first, second):
    ids = trail_of(person).values_list("pk", flat=True)
    own = Seal.objects.filter(source="audit.trailrow", row_id__in=list(ids))
    before = list(own.values_list("position", "payload_digest", "history_digest", "link", "digest"))
    make_tombstone(person, first, second)
    own = own.filter(position__in=[position for position, *_ in before])
    assert list(own.values_list("position", "payload_digest", "history_digest", "link", "digest")) == before
    assert set(own.values_list("salt", flat=True)) == {None}


def test_it_is_told_in_the_trail_with_an_action_of_its_own(person, first, second):
    made = make_tombstone(person, first, second)
    row = TrailRow.objects.get(action=Action.TOMBSTONED)
    assert (row.actor_name, row.actor_id, row.at) == (str(second), second.pk, CONFIRMED_AT)
    assert row.event == f"Removed the words of 2 sealed rows, as {first} had asked: tombstone {made.pk}"
    assert row.reason == made.request.reason
    assert ("about", None, f"directory.contact {person.pk}") in [tuple(change) for change in row.differences]


def test_a_record_that_still_stands_keeps_a_newest_version_that_agrees_with_it(person, first, second, reconcile):
    made = make_tombstone(person, first, second)
    newest = Contact.history.filter(id=person.pk).order_by("-history_id").first()
    assert newest.name == "Former colleague"
    assert newest.history_change_reason.startswith(f"Kept as it stands, after tombstone {made.pk}")
    assert reconcile() == []


def test_a_version_that_is_not_the_newest_needs_no_fresh_one(person, first, second, reconcile):
    last = trail_of(person).last()
    count = Contact.history.filter(id=person.pk).count()
    place = Seal.objects.get(source="audit.trailrow", row_id=trail_of(person).first().pk).position
    make_tombstone(person, first, second, positions=[place])
    assert Contact.history.filter(id=person.pk).count() == count
    last.refresh_from_db()
    assert last.actor_name != REMOVED
    assert reconcile() == []


def test_the_relations_of_a_history_row_lose_what_they_point_at(first, second, reconcile):
    friend = make_contact()
    team = make_team(members=[friend, make_contact()])
    seal(at=NOON)
    kept = apps.get_model("directory", "HistoricalTeam_members")
    before = set(kept.objects.values_list("pk", flat=True))
    assert before
    make_tombstone(team, first, second)
    assert set(kept.objects.filter(pk__in=before).values_list("contact_id", flat=True)) == {None}
    assert sentences() == []
    assert reconcile() == []


def test_a_deleted_record_loses_its_words_too(first, second, reconcile):
    record = make_contact("Giovanna Verdi").methods.get()
    record.delete()
    seal(at=NOON)
    record.pk = int(TrailRow.objects.filter(action=Action.DELETED).latest("pk").object_id)
    make_tombstone(record, first, second)
    assert sentences() == []
    assert reconcile() == []
    assert trail_of(record).last().action == Action.DELETED


def test_a_note_loses_its_words_and_stays_in_its_place(first, second):
    make_incident()
    seal(at=NOON)
    note = Note.objects.first()
    make_tombstone(note, first, second)
    now = Note.objects.get(pk=note.pk)
    assert (now.text, now.actor_name, now.actor_user_id, now.data) == (REMOVED, REMOVED, None, {})
    assert (now.kind, now.event_at, now.subject_id) == (note.kind, note.event_at, note.subject_id)
    assert sentences() == []


@pytest.mark.parametrize("model", audited_models(), ids=lambda model: model._meta.label)
def test_the_words_of_any_audited_record_can_go(model, first, second, reconcile):
    record = make(model)
    if model is LegalHold:
        record = retention.lift(record, by=first, at=NOON, reason="Over")
    seal(at=NOON)
    make_tombstone(record, first, second)
    assert sentences() == []
    assert [found.sentence for found in reconcile()] == []


@pytest.mark.parametrize("model", sources()[1:], ids=lambda model: model._meta.label)
def test_the_words_of_any_fact_can_go_unless_it_proves_the_record(model, first, second, monkeypatch):
    monkeypatch.setattr(model, "needed_by", "")
    key = insert(model)
    seal(at=NOON)
    place = Seal.objects.get(source=model._meta.label_lower, row_id=key).position
    if model._meta.label_lower in ABOUT_PROOF:
        with pytest.raises(Refused, match="proves the record itself"):
            ask(None, first, positions=[place])
        return
    retention.confirm(ask(None, first, positions=[place]), by=second, at=CONFIRMED_AT)
    seal(at=CONFIRMED_AT)
    assert sentences() == []


# Who, and when.


def test_whoever_asked_does_not_confirm(person, first):
    request = ask(person, first)
    with pytest.raises(Refused, match="You asked for this tombstone yourself"):
        retention.confirm(request, by=first, at=CONFIRMED_AT)


def test_a_superuser_confirms_their_own_request_as_little(person):
    root = make_superuser()
    request = ask(person, root)
    with pytest.raises(Refused, match="yourself"):
        retention.confirm(request, by=root, at=CONFIRMED_AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Tombstone.objects.create(
            request=request, asked_by_id=root.pk, confirmed_at=LATER, confirmed_by="Root", confirmed_by_id=root.pk
        )


def test_a_part_of_the_system_confirms_nothing(person, first):
    with pytest.raises(Refused, match="named person"):
        retention.confirm(ask(person, first), by="system: sweep", at=CONFIRMED_AT)


def test_a_request_is_confirmed_once(person, first, second):
    request = ask(person, first)
    retention.confirm(request, by=second, at=CONFIRMED_AT)
    with pytest.raises(Refused, match="confirmed already"):
        retention.confirm(request, by=second, at=CONFIRMED_AT)


def test_a_request_lasts_thirty_days(person, first, second):
    request = ask(person, first)
    with pytest.raises(Refused, match="older than 30 days"):
        retention.confirm(request, by=second, at=ASKED_AT + timedelta(days=30, seconds=1))
    assert retention.confirm(request, by=second, at=ASKED_AT + timedelta(days=30))


def test_a_hold_that_was_placed_meanwhile_stops_it(person, first, second):
    request = ask(person, first)
    retention.place(title="Case 7", model="directory.contact", object_id=person.pk, by=first, at=ASKED_AT, reason="x")
    with pytest.raises(Refused, match="The legal hold “Case 7” covers this"):
        retention.confirm(request, by=second, at=CONFIRMED_AT)
    retention.lift(LegalHold.objects.get(), by=first, at=CONFIRMED_AT, reason="Over")
    assert retention.confirm(request, by=second, at=CONFIRMED_AT)


# The guards.


def test_only_the_owner_of_the_tables_removes_words(person, first, second, monkeypatch):
    request = ask(person, first)
    monkeypatch.setattr(guards, "may_open", lambda using: False)
    with pytest.raises(NotTheOwner, match=f"audit tombstone confirm {request.pk} --by"):
        retention.confirm(request, by=second, at=CONFIRMED_AT)


def test_one_that_fails_midway_leaves_words_and_guards_standing(person, first, second, monkeypatch):
    request, before = ask(person, first), words()

    def fail(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(removing.Removal, "_rows", fail)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        retention.confirm(request, by=second, at=CONFIRMED_AT)
    assert words() == before
    assert guards.missing() == []
    assert not Tombstone.objects.exists()


def execute(statement, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_only_the_named_rows_are_open_and_only_to_update(person):
    one, other = trail_of(person)
    refused = [
        ("UPDATE audit_trail SET reason = 'x' WHERE id = %s", other.pk),
        ("UPDATE audit_trail SET id = -1 WHERE id = %s", one.pk),
        ("DELETE FROM audit_trail WHERE id = %s", one.pk),
        ("UPDATE audit_seal SET salt = NULL WHERE row_id = %s", one.pk),
    ]
    with guards.open_rows({"audit_trail": ("id", [one.pk])}):
        execute("UPDATE audit_trail SET reason = 'x' WHERE id = %s", one.pk)
        for statement, value in refused:
            with pytest.raises(IntegrityError):
                execute(statement, value)
    with pytest.raises(IntegrityError):
        execute("UPDATE audit_trail SET reason = 'y' WHERE id = %s", one.pk)
    assert guards.missing() == []


# What was done to the record is named as ever.


def test_a_row_that_is_not_as_it_was_sealed_is_left_as_evidence(person, first, second):
    with tampered() as sql:
        sql("UPDATE audit_trail SET reason = 'A better reason' WHERE id = %s", trail_of(person).first().pk)
        guards.install()
        request = ask(person, first)
        with pytest.raises(Refused, match=r"is not as it was sealed\. Nothing was removed"):
            retention.confirm(request, by=second, at=CONFIRMED_AT)


def test_a_history_row_that_is_not_as_it_was_sealed_is_left_as_evidence(person, first, second):
    table = Contact.history.model._meta.db_table
    with tampered() as sql:
        sql(f"UPDATE {table} SET name = 'Somebody' WHERE history_id = %s", trail_of(person).first().history_id)
        guards.install()
        with pytest.raises(Refused, match="not as it was sealed"):
            retention.confirm(ask(person, first), by=second, at=CONFIRMED_AT)


def test_a_salt_that_was_destroyed_by_hand_is_named(person):
    row = trail_of(person).first()
    place = Seal.objects.get(source="audit.trailrow", row_id=row.pk).position
    with tampered() as sql:
        sql("UPDATE audit_seal SET salt = NULL WHERE position = %s", place)
        sql("UPDATE audit_trail SET reason = '', changes = '[]' WHERE id = %s", row.pk)
        [finding] = verify(at=NOON).findings
    assert (finding.kind, finding.position, finding.row_id) == (Kind.TOMBSTONE, place, row.pk)
    assert "without a lawful tombstone" in finding.sentence


def test_a_row_that_was_edited_after_its_tombstone_is_named(person, first, second):
    make_tombstone(person, first, second)
    row = trail_of(person).first()
    with tampered() as sql:
        sql("UPDATE audit_trail SET actor_name = 'Nobody' WHERE id = %s", row.pk)
        [finding] = verify(at=LATER).findings
    assert (finding.kind, finding.row_id) == (Kind.TOMBSTONE, row.pk)


def test_a_tombstone_over_more_than_was_asked_for_is_named(person, first, second):
    """The row that makes it lawful was inserted by hand, too."""
    made = make_tombstone(person, first, second)
    other = Seal.objects.filter(source="audit.trailrow", salt__isnull=False).latest("position")
    with tampered() as sql:
        sql("UPDATE audit_seal SET salt = NULL WHERE position = %s", other.position)
        TombstonedRow.objects.create(tombstone=made, seal=other, payload_digest=b"x")
        findings = verify(at=LATER).findings
    assert (Kind.TOMBSTONE, other.position) in [(finding.kind, finding.position) for finding in findings]


@pytest.mark.parametrize("people", ["nobody", "known"])
def test_a_tombstone_that_was_typed_by_hand_is_named(person, first, second, people):
    """Everything that makes it lawful was inserted, but for two people that are known and the row of the trail."""
    place = Seal.objects.get(source="audit.trailrow", row_id=trail_of(person).first().pk)
    asked, confirmed = (first.pk, second.pk) if people == "known" else (-1, -2)
    with tampered() as sql:
        sql("UPDATE audit_seal SET salt = NULL WHERE position = %s", place.position)
        request = TombstoneRequest.objects.create(
            reason="?", positions=[place.position], asked_at=NOON, asked_by="One", asked_by_id=asked
        )
        made = Tombstone.objects.create(
            request=request, asked_by_id=asked, confirmed_at=NOON, confirmed_by="Two", confirmed_by_id=confirmed
        )
        payload = Readers().of(definition_of(TrailRow)).rows([place.row_id])[place.row_id].payload
        TombstonedRow.objects.create(tombstone=made, seal=place, payload_digest=sha256(payload).digest())
        findings = verify(at=LATER).findings
    assert (Kind.TOMBSTONE, place.position) in [(finding.kind, finding.position) for finding in findings]
