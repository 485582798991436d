"""No row of the record is changed, deleted or replaced by SQL, in any guarded table, on either database."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, NotSupportedError, connection, transaction

from portal.audit import guards
from portal.audit.guards import guarded_models
from portal.audit.history import HistoryFields
from portal.audit.models import AuditedModel, TrailRow
from portal.records.models import Note
from tests.factories.directory import make_system
from tests.factories.guarded import insert, standing, table

pytestmark = pytest.mark.django_db

MODELS = sorted(guarded_models(), key=lambda model: model._meta.db_table)
ON_BOTH = {
    "update": "UPDATE {t} SET {c} = {c}",
    "update of one row": "UPDATE {t} SET {c} = {c} WHERE {k} = {key}",
    "change of the key": "UPDATE {t} SET {k} = {key} + 1000 WHERE {k} = {key}",
    "delete": "DELETE FROM {t}",
    "delete of one row": "DELETE FROM {t} WHERE {k} = {key}",
    "delete with an answer": "DELETE FROM {t} RETURNING *",
    "upsert": "INSERT INTO {t} ({all}) SELECT {all} FROM {t} WHERE {k} = {key} "
    "ON CONFLICT ({k}) DO UPDATE SET {c} = excluded.{c}",
}
PARENT = "CREATE TABLE parent (LIKE {t}); ALTER TABLE {t} INHERIT parent; "
ON_POSTGRESQL = {
    "truncate": "TRUNCATE {t}",
    "truncate with what points here": "TRUNCATE {t} RESTART IDENTITY CASCADE",
    "delete within a query": "WITH gone AS (DELETE FROM {t} RETURNING *) SELECT count(*) FROM gone",
    "merge that updates": "MERGE INTO {t} USING {t} AS s ON {t}.{k} = s.{k} WHEN MATCHED THEN UPDATE SET {c} = s.{c}",
    "merge that deletes": "MERGE INTO {t} USING {t} AS s ON {t}.{k} = s.{k} WHEN MATCHED THEN DELETE",
    "update in replica mode": "SET LOCAL session_replication_role = replica; UPDATE {t} SET {c} = {c}",
    "truncate in replica mode": "SET LOCAL session_replication_role = replica; TRUNCATE {t}",
    "update through a parent": PARENT + "UPDATE parent SET {c} = {c}",
    "delete through a parent": PARENT + "DELETE FROM parent",
}
ON_SQLITE = {
    "replace": "REPLACE INTO {t} ({all}) SELECT {all} FROM {t} WHERE {k} = {key}",
    "insert or replace": "INSERT OR REPLACE INTO {t} ({all}) SELECT {all} FROM {t}",
    "insert or replace by rowid": "INSERT OR REPLACE INTO {t} (rowid, {most}) SELECT {key}, {most} FROM {t}",
    "update or replace": "UPDATE OR REPLACE {t} SET {c} = {c}",
    "replace without recursive triggers": "PRAGMA recursive_triggers = OFF; REPLACE INTO {t} SELECT * FROM {t}",
}


def attacks():
    return {**ON_BOTH, **(ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE)}


def worded(statement, model, key):
    quote = connection.ops.quote_name
    columns = [quote(field.column) for field in model._meta.concrete_fields]
    most = [column for column in columns if column != quote(model._meta.pk.column)]
    words = {"t": table(model), "k": quote(model._meta.pk.column), "c": most[0], "key": key}
    return statement.format(**words, all=", ".join(columns), most=", ".join(most))


def passed(statements):
    """Whether every statement of this text is carried out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements.split("; "):
                cursor.execute(statement)
    except (IntegrityError, NotSupportedError):  # the latter where another table points here
        return False
    return True


@pytest.mark.parametrize("model", MODELS, ids=[model._meta.db_table for model in MODELS])
def test_rows_are_written_and_then_no_statement_changes_them(model):
    key = insert(model)
    connection.check_constraints()  # so that nothing is pending that would keep a table from being altered
    before = standing(model)
    through = [name for name, statement in attacks().items() if passed(worded(statement, model, key))]
    assert through == []
    assert standing(model) == before


@pytest.mark.parametrize(("verb", "statement"), [("UPDATE", "UPDATE {t} SET {c} = {c}"), ("DELETE", "DELETE FROM {t}")])
def test_the_refusal_says_what_to_do(verb, statement):
    key = insert(TrailRow)
    sentence = f"Rows of audit_trail are kept for good: {verb} is refused. Write a new row that corrects the old one."
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(worded(statement, TrailRow, key))


@pytest.mark.skipif("sqlite" not in connection.vendor, reason="only SQLite replaces a row that is in the way")
def test_a_row_with_the_same_unique_key_is_not_replaced(unique_table):
    for statement in ("REPLACE INTO kept (id, a, b) VALUES (9, 1, 'x')", "REPLACE INTO kept (a, b) VALUES (1, 'X')"):
        assert not passed(statement)
    assert passed("INSERT INTO kept (a, b) VALUES (1, 'y'), (2, 'x'), (3, NULL), (3, NULL)")


@pytest.mark.skipif("sqlite" not in connection.vendor, reason="only SQLite replaces a row that is in the way")
def test_a_partial_key_counts_where_it_holds(unique_table):
    assert passed("INSERT INTO kept (a, b, c, open) VALUES (5, 'a', 7, 0), (6, 'b', 7, 0), (7, 'c', 7, 1)")
    assert passed("INSERT INTO kept (a, b, c, open) VALUES (8, 'd', 7, 0)")
    assert not passed("INSERT OR REPLACE INTO kept (a, b, c, open) VALUES (9, 'e', 7, 1)")


@pytest.fixture
def unique_table(monkeypatch):
    """A table with unique keys over columns, over a column without case, and over some of the rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE kept (id integer PRIMARY KEY, a int, b text COLLATE NOCASE, c int, open int, UNIQUE (a, b))"
        )
        cursor.execute('CREATE UNIQUE INDEX kept_open ON kept ("c") WHERE "open" = 1')
        cursor.execute("INSERT INTO kept (id, a, b) VALUES (1, 1, 'x')")
    monkeypatch.setattr(guards, "guarded_tables", lambda: ["kept"])
    guards.install()


def test_flushing_by_hand_is_refused():
    make_system()
    before = standing(TrailRow)
    with pytest.raises(CommandError, match="couldn't be flushed"):
        call_command("flush", interactive=False)
    assert standing(TrailRow) == before


def test_what_is_guarded_is_found_in_the_models():
    assert {TrailRow, Note} <= set(MODELS)
    audited = [model for model in AuditedModel.__subclasses__() if not model._meta.abstract]
    assert audited
    assert {model.history.model for model in audited} <= set(MODELS)
    assert [model for model in MODELS if issubclass(model, HistoryFields)]
    assert [model for model in MODELS if hasattr(model, "m2m_history_id")]
