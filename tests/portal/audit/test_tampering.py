"""Whoever owns the tables may lift the guards and write what they like: it is found, and named by row and position.

Seven kinds of tampering, each at twenty places chosen at random with a fixed seed. One thing done is one finding.
"""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test import TestCase

from incidents.models import Incident
from portal.audit import anchors, canonical, sealer
from portal.audit.actor import acting
from portal.audit.models import Anchor, Seal, SealBatch, Shape, TrailRow
from portal.audit.reading import Reader
from portal.audit.shapes import definition_of
from portal.audit.verifying import Kind, verify
from portal.directory.models import Contact
from portal.records.models import Note
from tests.factories.directory import NOON
from tests.factories.tampering import MINUTE, SEALED_AT, a_record, tampered, unused

PLACES = 20
LATER = SEALED_AT + 30 * MINUTE
HISTORY = Incident.history.model
PEOPLE = Contact.history.model
TRAIL, NOTES, SEALS = TrailRow._meta.db_table, Note._meta.db_table, Seal._meta.db_table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def chosen(chance, rows, count=PLACES):
    found = list(rows)
    return [chance.choice(found) for _ in range(count)]


def positions(among):
    """Return the positions of the rows that have a reason to falsify."""
    told = Seal.objects.filter(source__in=["audit.trailrow", "records.note"], position__in=among)
    return list(told.order_by("position").values_list("position", flat=True))


def position_of(source, row_id):
    return Seal.objects.get(source=source, row_id=row_id).position


def telling(model, history_id):
    return TrailRow.objects.get(model=model._meta.label_lower, history_id=history_id).pk


def found(**options):
    report = verify(at=LATER, **options)
    assert not report.is_clean
    return report.findings


def the_one(**options):
    findings = found(**options)
    assert len(findings) == 1, [finding.sentence for finding in findings]
    return findings[0]


def places(finding):
    return finding.table, finding.row_id, finding.position


EDITS = [
    ("actor_name", "'Somebody else'"),
    ("reason", "'Because'"),
    ("reason", "reason || ' '"),
    ("changes", "'[]'"),
    ("address", "'192.0.2.99'"),
    ("actor_id", "4711"),
    ("event", "'Nothing happened'"),
    ("object_id", "object_id || '0'"),
    ("action", "'read'"),
    ("privileged", "NOT privileged"),
    ("gesture", "NULL"),
    ("origin", "'web'"),
]


def exchange(sql, table, key, one, other, columns):
    """Exchange some columns of two rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {key} IN (%s, %s) ORDER BY {key}", [one, other])
        low, high = cursor.fetchall()
    one, other = sorted((one, other))
    changes = ", ".join(f"{column} = %s" for column in columns)
    if "row_id" in columns or "id" in columns:
        name = "row_id" if "row_id" in columns else "id"
        sql(f"UPDATE {table} SET {name} = -1 WHERE {key} = %s", one)
    sql(f"UPDATE {table} SET {changes} WHERE {key} = %s", *low, other)
    sql(f"UPDATE {table} SET {changes} WHERE {key} = %s", *high, one)


def cut(sql, after, *tables):
    """Remove everything beyond a position: rows, seals, notes of the sealer, anchors."""
    beyond = list(Seal.objects.filter(position__gt=after))
    if "rows" in tables:
        for entry in beyond:
            table = TrailRow._meta.apps.get_model(entry.source)._meta.db_table
            sql(f"DELETE FROM {table} WHERE id = %s", entry.row_id)
            if entry.history_id:
                name = Shape.objects.get(pk=entry.history_shape_id).source
                definition = definition_of(TrailRow._meta.apps.get_model(name))
                for table in (definition.table, *(relation.table for relation in definition.relations)):
                    sql(f"DELETE FROM {table} WHERE history_id = %s", entry.history_id)
    if "seals" in tables:
        sql(f"DELETE FROM {SEALS} WHERE position > %s", after)
    if "notes" in tables:
        sql(f"DELETE FROM {SealBatch._meta.db_table} WHERE last > %s", after)
    if "anchors" in tables:
        sql("DELETE FROM audit_anchordelivery")
        sql(f"DELETE FROM {Anchor._meta.db_table} WHERE position > %s", after)


CUTS = [
    ("rows",),
    ("rows", "seals"),
    ("seals",),
    ("rows", "seals", "notes"),
    ("rows", "seals", "notes", "anchors"),
]


def made_anew(entry, previous):
    """Return what a seal must hold so that it fits the row as it stands, as somebody who knows the format would."""
    model = TrailRow._meta.apps.get_model(entry.source)
    row = Reader(definition_of(model)).rows([entry.row_id])[entry.row_id]
    payload = canonical.payload_digest(bytes(entry.salt)[canonical.FOR_PAYLOAD], row.payload)
    history = bytes(entry.history_digest) if entry.history_digest is not None else None
    shapes = (entry.shape.digest, entry.history_shape.digest if entry.history_shape_id else "-")
    text = canonical.link_text(entry.position, entry.source, entry.row_id, shapes, (payload, history), row.envelope)
    link = canonical.link(text)
    return payload, link, canonical.chained(previous, link)


def reseal(sql, first, last):
    """Make the seals of these positions anew, over rows that were edited."""
    before = Seal.objects.filter(position=first - 1).first()
    previous = bytes(before.digest) if before else canonical.BEGINNING
    for entry in Seal.objects.filter(position__range=(first, last)).select_related("shape", "history_shape"):
        payload, link, previous = made_anew(entry, previous)
        columns = "payload_digest = %s, link = %s, digest = %s"
        sql(f"UPDATE {SEALS} SET {columns} WHERE position = %s", payload, link, previous, entry.position)


class TamperingTests(TestCase):
    """Each test undoes what it did; the record is written once for all of them."""

    @classmethod
    def setUpTestData(cls):
        """Write a record and seal it."""
        with pytest.MonkeyPatch.context() as patch, acting(by="test", reason="A test", origin="command"):
            # It stands in one transaction, which is still writing to all of these tables.
            patch.setattr(sealer, "_WRITERS", "SELECT '', '' WHERE %s::text[] IS NULL")
            a_record()

    @pytest.fixture(autouse=True)
    def _elsewhere(self, settings, tmp_path):
        settings.ANCHOR_FILE = tmp_path / "anchors.jsonl"

    def setUp(self):
        """Give chance to a test, the same each time."""
        self.chance = random.Random(20261117)
        assert sealer.head().marks["audit.trailrow"].complete == TrailRow.objects.order_by("-pk").first().pk
        assert verify(at=LATER).is_clean

    def test_an_edited_row_of_the_trail_is_named(self):
        rows = TrailRow.objects.values_list("pk", flat=True)
        for number, row_id in enumerate(chosen(self.chance, rows)):
            column, value = EDITS[number % len(EDITS)]
            position = position_of("audit.trailrow", row_id)
            with tampered() as sql:
                sql(f"UPDATE {TRAIL} SET {column} = {value} WHERE id = %s", row_id)
                finding = the_one()
                assert (finding.kind, *places(finding)) == (Kind.EDITED, TRAIL, row_id, position)
                assert f"Row {row_id} of {TRAIL} was edited" in finding.sentence

    def test_an_edited_note_is_named(self):
        for row_id in chosen(self.chance, Note.objects.values_list("pk", flat=True)):
            column = self.chance.choice(["text", "detail", "data"])
            with tampered() as sql:
                sql(f"""UPDATE {NOTES} SET {column} = '{{"it": "was nothing"}}' WHERE id = %s""", row_id)
                finding = the_one()
                assert (finding.kind, *places(finding)) == (
                    Kind.EDITED, NOTES, row_id, position_of("records.note", row_id),
                )  # fmt: skip

    def test_an_edited_history_row_is_named(self):
        for row_id in chosen(self.chance, HISTORY.objects.values_list("pk", flat=True)):
            column = self.chance.choice(["title", "declared_by", "actor_name", "status", "history_change_reason"])
            trail_row = telling(Incident, row_id)
            with tampered() as sql:
                sql(f"UPDATE {HISTORY._meta.db_table} SET {column} = 'x' WHERE history_id = %s", row_id)
                finding = the_one()
                assert finding.kind == Kind.EDITED
                assert places(finding) == (TRAIL, trail_row, position_of("audit.trailrow", trail_row))
                assert f"row {row_id} of {HISTORY._meta.db_table}, which was edited" in finding.sentence

    def test_an_edited_relation_of_a_history_row_is_named(self):
        kept = HISTORY._meta.apps.get_model("incidents", "HistoricalIncident_systems")
        for row_id, owner in chosen(self.chance, kept.objects.values_list("pk", "history_id")):
            verb = self.chance.choice(["UPDATE {} SET system_id = system_id + 1", "DELETE FROM {}"])
            with tampered() as sql:
                sql(f"{verb.format(kept._meta.db_table)} WHERE m2m_history_id = %s", row_id)
                finding = the_one()
                assert (finding.kind, finding.row_id) == (Kind.EDITED, telling(Incident, owner))

    def test_an_edited_seal_is_named(self):
        columns = ["payload_digest", "history_digest", "link", "digest", "salt", "row_id", "history_id", "shape_id"]
        last = Seal.objects.order_by("-position").first().position
        for number, position in enumerate(chosen(self.chance, range(1, last + 1))):
            entry, column = Seal.objects.get(pk=position), columns[number % len(columns)]
            if getattr(entry, column) is None:
                column = "link"
            value = getattr(entry, column)
            other = value + 100_000 if isinstance(value, int) else bytes(value)[::-1]
            with tampered() as sql:
                sql(f"UPDATE {SEALS} SET {column} = %s WHERE position = %s", other, position)
                findings = found()
                assert findings[0].position == position, (column, [finding.sentence for finding in findings])
                if column not in {"row_id", "history_id"}:  # then another row stands without a seal
                    assert len(findings) == 1, (column, [finding.sentence for finding in findings])

    def test_a_removed_row_of_the_trail_is_named(self):
        last = Seal.objects.order_by("-position").first()
        for row_id in chosen(self.chance, TrailRow.objects.exclude(pk=last.row_id).values_list("pk", flat=True)):
            position = position_of("audit.trailrow", row_id)
            with tampered() as sql:
                sql(f"DELETE FROM {TRAIL} WHERE id = %s", row_id)
                finding = the_one()
                assert (finding.kind, *places(finding)) == (Kind.REMOVED, TRAIL, row_id, position)
                assert finding.sentence == f"Row {row_id} of {TRAIL} is gone. It was sealed at position {position:,}."

    def test_a_removed_note_or_history_row_is_named(self):
        for row_id in chosen(self.chance, Note.objects.values_list("pk", flat=True), 10):
            with tampered() as sql:
                sql(f"DELETE FROM {NOTES} WHERE id = %s", row_id)
                assert places(the_one())[:2] == (NOTES, row_id)
        for row_id in chosen(self.chance, PEOPLE.objects.values_list("pk", flat=True), 10):
            with tampered() as sql:
                sql(f"DELETE FROM {PEOPLE._meta.db_table} WHERE history_id = %s", row_id)
                finding = the_one()
                assert (finding.kind, finding.row_id) == (Kind.REMOVED, telling(Contact, row_id))
                assert f"row {row_id} of {PEOPLE._meta.db_table}, which is gone" in finding.sentence

    def test_a_change_that_was_removed_whole_is_named(self):
        """The row of the trail, its history row and its seal, as if the change had never been."""
        for row_id in chosen(self.chance, PEOPLE.objects.values_list("pk", flat=True)):
            trail_row = telling(Contact, row_id)
            position = position_of("audit.trailrow", trail_row)
            with tampered() as sql:
                sql(f"DELETE FROM {PEOPLE._meta.db_table} WHERE history_id = %s", row_id)
                sql(f"DELETE FROM {TRAIL} WHERE id = %s", trail_row)
                sql(f"DELETE FROM {SEALS} WHERE position = %s", position)
                finding = the_one()
                assert (finding.kind, finding.position) == (Kind.SEAL_REMOVED, position)

    def test_a_removed_seal_is_named_with_the_row_that_it_sealed(self):
        last = Seal.objects.order_by("-position").first().position
        for position in chosen(self.chance, range(1, last)):
            entry = Seal.objects.get(pk=position)
            with tampered() as sql:
                sql(f"DELETE FROM {SEALS} WHERE position = %s", position)
                finding = the_one()
                assert (finding.kind, finding.position, finding.row_id) == (Kind.SEAL_REMOVED, position, entry.row_id)

    def test_an_inserted_row_is_named(self):
        columns = ", ".join(f.column for f in TrailRow._meta.concrete_fields if f.column != "id")
        for row_id in chosen(self.chance, unused(TrailRow)):
            other = self.chance.choice(TrailRow.objects.filter(history_id=None).values_list("pk", flat=True))
            with tampered() as sql:
                sql(
                    f"INSERT INTO {TRAIL} (id, {columns}) SELECT %s, {columns} FROM {TRAIL} WHERE id = %s",
                    row_id,
                    other,
                )
                finding = the_one()
                assert (finding.kind, finding.table, finding.row_id) == (Kind.INSERTED, TRAIL, row_id)

    def test_an_inserted_history_row_or_note_is_named(self):
        for model, source in ((PEOPLE, None), (Note, "records.note")):
            key, table = model._meta.pk.column, model._meta.db_table
            columns = ", ".join(f.column for f in model._meta.concrete_fields if f.column != key)
            for row_id in chosen(self.chance, unused(model), 10):
                other = self.chance.choice(list(model._base_manager.values_list("pk", flat=True)))
                copied = f"INSERT INTO {table} ({key}, {columns}) SELECT %s, {columns} FROM {table} WHERE {key} = %s"
                with tampered() as sql:
                    sql(copied, row_id, other)
                    finding = the_one()
                    kind = Kind.INSERTED if source else Kind.ORPHANED
                    assert (finding.kind, finding.table, finding.row_id) == (kind, table, row_id)

    def test_re_ordered_seals_are_named(self):
        last = Seal.objects.order_by("-position").first().position
        columns = [f.column for f in Seal._meta.concrete_fields if f.column != "position"]
        for _ in range(PLACES):
            one, other = self.chance.sample(range(1, last + 1), 2)
            with tampered() as sql:
                exchange(sql, SEALS, "position", one, other, columns)
                findings = found()
                places = sorted((finding.kind, finding.position) for finding in findings)
                assert places == sorted([(Kind.MOVED, one), (Kind.MOVED, other)])
                assert "of the chain and was sealed at position" in findings[0].sentence

    def test_re_ordered_rows_of_the_trail_are_named(self):
        ids = list(TrailRow.objects.values_list("pk", flat=True))
        for _ in range(PLACES):
            one, other = self.chance.sample(ids, 2)
            with tampered() as sql:
                sql(f"UPDATE {TRAIL} SET id = -1 WHERE id = %s", one)
                sql(f"UPDATE {TRAIL} SET id = %s WHERE id = %s", one, other)
                sql(f"UPDATE {TRAIL} SET id = %s WHERE id = -1", other)
                findings = found()
                assert {(f.kind, f.row_id) for f in findings} == {(Kind.EXCHANGED, one), (Kind.EXCHANGED, other)}
                assert len(findings) == 2

    def test_exchanged_words_are_named(self):
        ids = list(TrailRow.objects.filter(model="").values_list("pk", flat=True))
        columns = ["event", "reason", "actor_name"]
        for _ in range(PLACES):
            one, other = self.chance.sample(ids, 2)
            with tampered() as sql:
                exchange(sql, TRAIL, "id", one, other, columns)
                findings = found()
                assert {(f.kind, f.row_id) for f in findings} == {(Kind.EXCHANGED, one), (Kind.EXCHANGED, other)}
                assert "holds what was sealed as row" in findings[0].sentence

    def test_a_changed_time_is_named(self):
        moments = [(TRAIL, "id", "at", TrailRow), (NOTES, "id", "event_at", Note), (NOTES, "id", "recorded_at", Note)]
        moments += [(PEOPLE._meta.db_table, "history_id", "history_date", PEOPLE)]
        for number in range(PLACES):
            table, key, column, model = moments[number % len(moments)]
            row_id, moment = self.chance.choice(list(model._base_manager.values_list("pk", column)))
            changed = moment + self.chance.choice([timedelta(microseconds=1), timedelta(days=-3)])
            stored = model._meta.get_field(column).get_db_prep_value(changed, connection)
            with tampered() as sql:
                sql(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", stored, row_id)
                finding = the_one()
                assert finding.kind == Kind.EDITED
                assert finding.row_id == (telling(Contact, row_id) if model is PEOPLE else row_id)

    def test_a_cut_tail_is_named(self):
        kept = anchors.read(anchors.anchor(at=SEALED_AT).line())
        last = Seal.objects.order_by("-position").first().position
        for number, after in enumerate(sorted(self.chance.sample(range(last // 2, last - 2), PLACES))):
            tables = CUTS[number % len(CUTS)]
            with tampered() as sql:
                cut(sql, after, *tables)
                finding = the_one(against=[kept])
                assert (finding.kind, finding.position) == (Kind.CUT, after + 1), tables
                assert f"{last:,}" in finding.sentence

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL also leaves out numbers by rolling back")
    def test_what_was_cut_off_behind_the_last_anchor_is_missed_by_its_numbers(self):
        last = Seal.objects.order_by("-position").first().position
        with tampered() as sql:
            cut(sql, last - 5, "rows", "seals", "anchors")
            head = "SELECT digest FROM audit_seal WHERE position = %s"
            sql(f"UPDATE audit_sealbatch SET first = 1, last = %s, head = ({head}) WHERE last > %s", *[last - 5] * 3)
            findings = found()
            assert {finding.kind for finding in findings} == {Kind.CUT}
            assert "its end was cut off" in findings[0].sentence

    def test_a_note_of_the_sealer_that_was_removed_is_missed(self):
        with tampered() as sql:
            sql("DELETE FROM audit_sealbatch")
            finding = the_one()
            assert (finding.kind, "notes were removed" in finding.sentence) == (Kind.SEAL_EDITED, True)

    def test_a_row_that_was_edited_and_sealed_anew_breaks_the_chain_behind_it(self):
        last = Seal.objects.order_by("-position").first().position
        for position in chosen(self.chance, positions(range(1, last - 1))):
            entry = Seal.objects.get(pk=position)
            table = TrailRow._meta.apps.get_model(entry.source)._meta.db_table
            with tampered() as sql:
                sql(f"UPDATE {table} SET reason = 'A better reason' WHERE id = %s", entry.row_id)
                reseal(sql, position, position)
                finding = the_one()
                assert (finding.kind, finding.position) == (Kind.BROKEN, position + 1)
                assert f"between positions {position:,} and {position + 1:,}" in finding.sentence

    def test_a_chain_that_was_made_anew_to_its_end_disagrees_with_an_anchor(self):
        """Only what somebody else has kept shows this: every digest here fits."""
        last = Seal.objects.order_by("-position").first().position
        kept = anchors.read(anchors.anchor(at=SEALED_AT).line())
        for position in chosen(self.chance, positions(range(last - 200, last))[-30:]):
            entry = Seal.objects.get(pk=position)
            table = TrailRow._meta.apps.get_model(entry.source)._meta.db_table
            with tampered() as sql:
                sql(f"UPDATE {table} SET reason = 'A better reason' WHERE id = %s", entry.row_id)
                reseal(sql, position, last)
                sql("DELETE FROM audit_anchordelivery")
                sql(f"DELETE FROM {Anchor._meta.db_table}")
                sql(f"DELETE FROM {SealBatch._meta.db_table} WHERE last >= %s AND last < %s", position, last)
                head = f"SELECT digest FROM {SEALS} WHERE position = last"
                sql(f"UPDATE {SealBatch._meta.db_table} SET head = ({head}) WHERE last >= %s", position)
                assert verify(at=LATER).is_clean, "the portal alone cannot see it"
                finding = the_one(against=[kept])
                assert (finding.kind, finding.position) == (Kind.ANCHOR, last)
                assert "was made anew" in finding.sentence

    def test_twenty_faults_at_once_give_twenty_names(self):
        ids = self.chance.sample(list(TrailRow.objects.values_list("pk", flat=True)), PLACES)
        with tampered() as sql:
            for row_id in ids:
                sql(f"UPDATE {TRAIL} SET reason = 'A better reason' WHERE id = %s", row_id)
            findings = found()
        assert sorted(finding.row_id for finding in findings) == sorted(ids)
        assert {finding.kind for finding in findings} == {Kind.EDITED}
        assert NOON < LATER
