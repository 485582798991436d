"""The role of the running portal owns nothing: whatever SQL it sends, the record stands and so do its guards."""

import psycopg
import pytest
from django.db import connection

from portal.audit import guards
from portal.audit.guards import roles
from portal.audit.models import TrailRow
from tests.portal.audit.guards.conftest import ROLE

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL knows roles"),
]

OWNER = "(SELECT tableowner FROM pg_tables WHERE tablename = 'audit_trail')"
PASS = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
STATEMENTS = "BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_trail FOR EACH STATEMENT"
SAME = "INSERT INTO audit_trail SELECT * FROM audit_trail LIMIT 1"
# What is tried, in this order, in one session. The last statement must be refused, or must not have reached the record.
ATTACKS = {
    "update": ["UPDATE audit_trail SET reason = 'x'"],
    "update of one column": ["UPDATE audit_trail SET at = at"],
    "delete": ["DELETE FROM audit_trail"],
    "delete within a query": ["WITH gone AS (DELETE FROM audit_trail RETURNING *) SELECT count(*) FROM gone"],
    "truncate": ["TRUNCATE audit_trail"],
    "truncate everything": ["TRUNCATE audit_trail, records_note, incidents_incident CASCADE"],
    "upsert": [f"{SAME} ON CONFLICT (id) DO UPDATE SET reason = 'x'"],
    "merge": ["MERGE INTO audit_trail t USING audit_trail s ON t.id = s.id WHEN MATCHED THEN DELETE"],
    "insert over a row": [SAME],
    "copy over a row": ["COPY"],
    "lock for changing": ["SELECT * FROM audit_trail FOR UPDATE"],
    "disable a trigger": ["ALTER TABLE audit_trail DISABLE TRIGGER watchbook_guard"],
    "disable all triggers": ["ALTER TABLE audit_trail DISABLE TRIGGER ALL"],
    "enable for replicas only": ["ALTER TABLE audit_trail ENABLE REPLICA TRIGGER watchbook_guard"],
    "drop a trigger": ["DROP TRIGGER watchbook_guard ON audit_trail"],
    "replace a trigger": [
        f"CREATE FUNCTION pg_temp.pass() {PASS}",
        f"CREATE OR REPLACE TRIGGER watchbook_guard {STATEMENTS} EXECUTE FUNCTION pg_temp.pass()",
    ],
    "a trigger that swallows": [
        f"CREATE FUNCTION pg_temp.swallow() {PASS.replace('NEW', 'NULL')}",
        "CREATE TRIGGER swallow BEFORE INSERT ON audit_trail FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow()",
    ],
    "a trigger that swallows under our name": [
        f"CREATE FUNCTION pg_temp.watchbook_helper() {PASS.replace('NEW', 'NULL')}",
        "CREATE TRIGGER watchbook_helper BEFORE INSERT ON audit_trail EXECUTE FUNCTION pg_temp.watchbook_helper()",
    ],
    "a trigger on what other triggers guard": [
        f"CREATE FUNCTION pg_temp.swallow() {PASS.replace('NEW', 'NULL')}",
        "CREATE TRIGGER swallow BEFORE UPDATE ON approvals_stage FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow()",
    ],
    "take a table of stages": [f"ALTER TABLE approvals_stage OWNER TO {ROLE}"],
    "drop a trigger of stages": ["DROP TRIGGER watchbook_stage_kept ON approvals_stage"],
    "disable the triggers of stages": ["ALTER TABLE approvals_stage DISABLE TRIGGER ALL"],
    "truncate the accounts": ["TRUNCATE accounts_user CASCADE"],
    "a function with its owner's rights": [
        "CREATE FUNCTION pg_temp.lend(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE q; END'",
        "SELECT pg_temp.lend('UPDATE public.audit_trail SET reason = reason')",
    ],
    "a rule that swallows": ["CREATE RULE swallow AS ON INSERT TO audit_trail DO INSTEAD NOTHING"],
    "a policy": ["CREATE POLICY nobody ON audit_trail USING (false)"],
    "row level security": ["ALTER TABLE audit_trail ENABLE ROW LEVEL SECURITY"],
    "replica mode": ["SET session_replication_role = replica"],
    "replica mode for later sessions": [f"ALTER ROLE {ROLE} SET session_replication_role = replica"],
    "replica mode for the database": ["ALTER DATABASE postgres SET session_replication_role = replica"],
    "replace the function": [f"CREATE OR REPLACE FUNCTION watchbook_refuse() {PASS}"],
    "alter the function": ["ALTER FUNCTION watchbook_refuse() RENAME TO refuse"],
    "drop the function": ["DROP FUNCTION watchbook_refuse() CASCADE"],
    "drop the table": ["DROP TABLE audit_trail CASCADE"],
    "take the table": [f"ALTER TABLE audit_trail OWNER TO {ROLE}"],
    "rename the table": ["ALTER TABLE audit_trail RENAME TO old"],
    "move the table": ["ALTER TABLE audit_trail SET SCHEMA pg_temp"],
    "rewrite a column": ["ALTER TABLE audit_trail ALTER COLUMN reason TYPE text USING 'x'"],
    "drop a column": ["ALTER TABLE audit_trail DROP COLUMN reason"],
    "reach it through a parent": [
        "CREATE TEMPORARY TABLE parent (LIKE audit_trail)",
        "ALTER TABLE audit_trail INHERIT parent",
    ],
    "become the owner": [f"DO $$ BEGIN EXECUTE 'SET ROLE ' || {OWNER}; END $$"],
    "sign in as the owner": [f"DO $$ BEGIN EXECUTE 'SET SESSION AUTHORIZATION ' || {OWNER}; END $$"],
    "become a superuser": [f"ALTER ROLE {ROLE} SUPERUSER"],
    "join the owner": [f"DO $$ BEGIN EXECUTE 'GRANT ' || {OWNER} || ' TO {ROLE}'; END $$"],
    "write the catalogue": ["UPDATE pg_catalog.pg_trigger SET tgenabled = 'D'"],
    "write where tables lie": ["UPDATE pg_catalog.pg_class SET relfilenode = 0 WHERE relname = 'audit_trail'"],
    "a table of the same name": [
        "CREATE TEMPORARY TABLE audit_trail (LIKE public.audit_trail)",
        "SET search_path = pg_temp, public",
        "UPDATE public.audit_trail SET reason = 'x'",
    ],
    "operators of one's own": [
        "CREATE FUNCTION pg_temp.format(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "SET search_path = pg_temp, public",
        "DELETE FROM public.audit_trail",
    ],
    "a schema of one's own": [f"CREATE SCHEMA {ROLE}"],
    "a table in the schema": ["CREATE TABLE public.audit_copy (id integer)"],
    "a view that is written through": [
        "CREATE TEMPORARY VIEW door AS SELECT * FROM audit_trail",
        "UPDATE door SET reason = 'x'",
    ],
    "keys that meet old ones": ["SELECT setval(pg_get_serial_sequence('audit_trail', 'id'), 1)"],
    "a program on the server": ["COPY (SELECT 1) TO PROGRAM 'true'"],
    "a file on the server": ["COPY (SELECT 1) TO '/tmp/watchbook'"],
    "an event trigger": [
        "CREATE FUNCTION pg_temp.e() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$",
        "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION pg_temp.e()",
    ],
    "a statement in the owner's name": ["CREATE EXTENSION dblink"],
}
REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UniqueViolation,
    psycopg.errors.InvalidTableDefinition,
    psycopg.errors.UndefinedObject,
)


def attack(connection, statements):
    """Send these statements in a transaction of their own, and raise what the last of them is answered with."""
    try:
        with connection.transaction(), connection.cursor() as cursor:
            for statement in statements:
                if statement == "COPY":
                    copy_over(cursor)
                else:
                    cursor.execute(statement)
    finally:
        connection.execute("RESET ALL")


def copy_over(cursor):
    with cursor.copy("COPY (SELECT * FROM audit_trail LIMIT 1) TO STDOUT") as out:
        row = b"".join(bytes(part) for part in out)
    with cursor.copy("COPY audit_trail FROM STDIN") as into:
        into.write(row)


def trail(connection):
    """Every row of the trail. Asked on this connection, so that no other one keeps the table from being altered."""
    return connection.execute("SELECT * FROM public.audit_trail ORDER BY id").fetchall()


@pytest.mark.parametrize("how", ATTACKS)
def test_an_attack_by_sql_is_refused(runtime, how):
    before = trail(runtime)
    with pytest.raises(REFUSED):
        attack(runtime, ATTACKS[how])
    assert trail(runtime) == before
    assert guards.missing() == []
    assert guards.strange() == []


def test_every_guarded_table_is_only_read_and_appended_to(runtime):
    for table in guards.guarded_tables():
        column = runtime.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 2", [table]
        ).fetchone()[0]
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
            f"SELECT 1 FROM {table} FOR UPDATE",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                runtime.execute(statement)


def test_the_role_has_no_power_over_the_guards(runtime):
    assert roles.powers("default", ROLE) == []


def test_it_reads_and_appends(runtime):
    with runtime.transaction(force_rollback=True):
        before = runtime.execute("SELECT count(*) FROM audit_trail").fetchone()[0]
        columns = ", ".join(field.column for field in TrailRow._meta.concrete_fields if not field.primary_key)
        runtime.execute(f"INSERT INTO audit_trail ({columns}) SELECT {columns} FROM audit_trail LIMIT 1")
        assert runtime.execute("SELECT count(*) FROM audit_trail").fetchone()[0] == before + 1
