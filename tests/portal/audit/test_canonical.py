"""The text of a row: the same from Python and from both databases, and never the same for two different rows."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.audit import canonical
from portal.audit.canonical import Column, json_text, row_text, told, values_of
from portal.audit.guards.registry import guarded_models
from portal.audit.reading import Reader, columns_of
from portal.audit.shapes import PAYLOAD, Definition, definition_of, kind_of
from portal.audit.tables import TrailRow
from portal.records.models import Note
from tests.factories.incidents import make_incident

LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
MOMENTS = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC))  # noqa: DTZ001
PLAIN = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e12, 1e12) | LETTERS
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner, max_size=3))
# Every kind of column: the field that it is made from, and values of it.
KINDS = {
    "whole": (models.BigIntegerField(null=True), st.integers(-(2**63), 2**63 - 1)),
    "yes": (models.BooleanField(null=True), st.booleans()),
    "at": (models.DateTimeField(null=True), MOMENTS),
    "day": (models.DateField(null=True), st.dates()),
    "hour": (models.TimeField(null=True), st.times()),
    "span": (models.DurationField(null=True), st.timedeltas(dt.timedelta(days=-9999), dt.timedelta(days=9999))),
    "price": (
        models.DecimalField(null=True, max_digits=12, decimal_places=3),
        st.decimals(-99999999, 99999999, places=3, allow_nan=False),
    ),
    "key": (models.UUIDField(null=True), st.uuids()),
    "raw": (models.BinaryField(null=True), st.binary(max_size=20)),
    "words": (models.TextField(null=True), LETTERS),
    "name": (models.CharField(null=True, max_length=60), LETTERS),
    "address": (models.GenericIPAddressField(null=True), st.ip_addresses().map(str)),
    "data": (models.JSONField(null=True), JSON),
}
for _name, (_field, _values) in KINDS.items():
    _field.set_attributes_from_name(_name)
COLUMNS = tuple(Column(name, kind_of(field), PAYLOAD) for name, (field, _) in KINDS.items())
ROW = Definition("test.row", "test_row", "id", COLUMNS)
ROWS = st.fixed_dictionaries({name: st.none() | values for name, (_, values) in KINDS.items()})


@pytest.fixture
def store(db):
    """Keep one row of every kind of column and return its text as the database writes it."""
    kinds = ", ".join(f"{name} {field.db_type(connection)}" for name, (field, _) in KINDS.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE test_row (id bigint, {kinds})")
    reader = Reader(ROW)

    def keep(row):
        values = [field.get_db_prep_save(row[name], connection) for name, (field, _) in KINDS.items()]
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM test_row")
            cursor.execute(f"INSERT INTO test_row VALUES (1{', %s' * len(values)})", values)
        [(_, envelope, payload)] = reader.select("id = 1")
        assert envelope == b""
        return payload

    yield keep
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_row")


def texts(row):
    return [told(column.kind, row[column.name]) for column in COLUMNS]


NOTHING = dict.fromkeys(KINDS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=ROWS)
@example(row=NOTHING)
@example(row=NOTHING | {"words": "", "name": ",-1,", "raw": b"", "data": ""})
@example(row=NOTHING | {"words": 'a"\\\b\f\n\r\t\x1f\x7f/é😀', "data": {"b": [1.5, 1e300, 1e-7, -0.0], "a": "\x01"}})
@example(row=NOTHING | {"at": dt.datetime(2026, 11, 21, 23, 33, 0, 500000, dt.UTC), "price": Decimal("1200.000")})
@example(row=NOTHING | {"at": dt.datetime(1, 1, 2, tzinfo=dt.UTC), "hour": dt.time(9), "address": "::1"})
def test_python_and_the_database_write_the_same_text(store, row):
    assert store(row) == row_text(COLUMNS, texts(row))


@given(row=ROWS)
def test_a_text_is_read_back_as_what_it_was_made_of(row):
    assert values_of(COLUMNS, row_text(COLUMNS, texts(row))) == texts(row)


@given(one=ROWS, other=ROWS)
def test_two_different_rows_never_have_the_same_text(one, other):
    alike = texts(one) == texts(other)
    assert (row_text(COLUMNS, texts(one)) == row_text(COLUMNS, texts(other))) == alike


@given(text=st.binary(max_size=40))
def test_what_is_no_text_of_a_row_is_refused(text):
    columns = [Column("a", "text", PAYLOAD), Column("b", "integer", PAYLOAD)]
    try:
        values = values_of(columns, text)
    except ValueError:
        return
    assert len(values) == 2


@pytest.mark.parametrize("lawful", ["-", "1,2", "", "x,y"])
def test_a_value_that_sqlite_keeps_in_a_foreign_column_is_no_lawful_text(store, lawful):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL refuses such a value")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO test_row (id, whole, yes, at, key, span) VALUES (1, %s, %s, %s, %s, %s)", [lawful] * 5
        )
    [(_, _, payload)] = Reader(ROW).select("id = 1")
    word = f"?text{lawful.encode().hex().upper()}"
    assert payload.split(b",")[:2] == [word.encode()] * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [('{"b":1,"a":[1.50]}', '{"a": [1.5], "b": 1.0}'), ("1e3", "1000"), ("-0.0", "0"), ("15e1000", "1.5E1001")],
)
def test_json_has_one_text(one, other):
    assert json_text(one) == json_text(other)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[" * 100_000, '{"a":1}}'])
def test_what_is_no_json_stays_as_it_is(text):
    assert json_text(text) == text


@pytest.mark.parametrize("model", guarded_models(), ids=lambda model: model._meta.label)
def test_every_guarded_table_can_be_sealed(model):
    definition = definition_of(model)
    assert Definition.from_text(definition.text) == definition
    named = {column.name for column in definition.columns} | {definition.key}
    assert named == {field.column for field in model._meta.concrete_fields}


def test_a_number_that_no_database_writes_alike_cannot_be_sealed():
    with pytest.raises(ImproperlyConfigured, match="FloatField"):
        kind_of(models.FloatField())


def test_who_and_why_are_payload_and_what_and_when_are_not():
    definition = definition_of(TrailRow)
    assert {column.name for column in definition.of("payload")} == {
        "actor_name", "actor_id", "contact_id", "address", "reference", "name", "event", "reason", "fields", "changes"
    }  # fmt: skip
    assert "text" not in {column.name for column in definition_of(Note).of("envelope")}


def test_relations_belong_to_the_text_of_a_history_row(db):
    history = make_incident().history.model
    rows = Reader(definition_of(history)).rows(history.objects.values_list("pk", flat=True))
    assert all(b"\nsystems," in row.payload for row in rows.values())


def test_the_documented_digests(db):
    """The figures of docs/seal-format.md, taken by hand."""
    payload = canonical.payload_digest(bytes(16), b"5,Hello")
    text = canonical.link_text(7, "audit.trailrow", 12, ("aa", "-"), (payload, None), b"1,x")
    assert text == f"watchbook-seal-1,7,audit.trailrow,12,aa,-,{payload.hex()},-,1,x".encode()
    assert len(canonical.chained(canonical.BEGINNING, canonical.link(text))) == 32


def test_a_column_that_is_gone_is_named(db):
    gone = Definition(
        "audit.trailrow", "audit_trail", "id", (Column("at", "moment", PAYLOAD), Column("x", "text", PAYLOAD))
    )
    there = columns_of(connection)
    assert Reader(gone).lost(there) == ["audit_trail.x"]
    assert Reader(Definition("a.b", "nowhere", "id", ())).lost(there) == ["nowhere"]
    assert all(Reader(definition_of(model)).lost(there) == [] for model in guarded_models())


def test_a_key_keeps_its_dashes(store):
    key = uuid.UUID(int=5)
    assert str(key).encode() in store(NOTHING | {"key": key})
