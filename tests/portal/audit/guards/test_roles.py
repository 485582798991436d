"""The grants of the running portal's role, and what is said of a role that could do more."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection

from portal.audit import guards
from portal.audit.guards import roles
from portal.dashboard.demo import making
from portal.lib import clock

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL knows roles"),
]
ALL = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
OTHERS = {model._meta.db_table for model in apps.get_models() if model._meta.managed} - {*guards.guarded_tables()}


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def value(query, *values):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0]


def rights(table):
    return {right for right in ALL if value("SELECT has_table_privilege('clerk', %s, %s)", table, right)}


@pytest.fixture
def clerk():
    """A role that owns nothing, with the grants of the running portal."""
    execute("CREATE ROLE clerk LOGIN")
    roles.grant("default", "clerk")


def test_it_reads_and_appends_to_the_record_and_uses_the_rest(clerk):
    assert {table: rights(table) for table in guards.guarded_tables()} == {
        table: {"SELECT", "INSERT"} for table in guards.guarded_tables()
    }
    assert rights("django_migrations") == {"SELECT"}
    assert OTHERS
    assert {table: rights(table) for table in OTHERS} == {
        table: {"SELECT", "INSERT", "UPDATE", "DELETE"} for table in OTHERS
    }


def test_rights_beyond_that_are_taken_back(clerk):
    execute("GRANT ALL ON audit_trail TO clerk", "GRANT UPDATE (reason) ON records_note TO clerk")
    execute("GRANT DELETE ON audit_trail TO PUBLIC", "GRANT CREATE ON SCHEMA public TO clerk")
    execute("GRANT TRIGGER ON approvals_stage TO clerk", "GRANT TRUNCATE ON accounts_user TO PUBLIC")
    execute("GRANT UPDATE ON SEQUENCE audit_trail_id_seq TO PUBLIC")
    assert roles.powers("default", "clerk")
    roles.grant("default", "clerk")
    assert rights("audit_trail") == {"SELECT", "INSERT"}
    assert roles.powers("default", "clerk") == []


def test_a_table_that_a_migration_made_is_granted_after_it(clerk, settings):
    settings.HAS_OWNER_APART, settings.RUNTIME_ROLE = True, "clerk"
    execute("REVOKE ALL ON audit_trail, incidents_incident FROM clerk")
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert rights("audit_trail") == {"SELECT", "INSERT"}
    assert "DELETE" in rights("incidents_incident")


THIS = "DO $$ BEGIN EXECUTE format('{}', current_database()); END $$"
MORE = {
    "may make and join roles": "ALTER ROLE clerk CREATEROLE",
    "may replicate": "ALTER ROLE clerk REPLICATION",
    "is a superuser": "ALTER ROLE clerk SUPERUSER",
    "owns the schema": "CREATE ROLE head; GRANT head TO clerk; ALTER SCHEMA public OWNER TO head",
    "may create schemas": THIS.format("GRANT CREATE ON DATABASE %I TO clerk"),
    "may create tables": "GRANT CREATE ON SCHEMA public TO clerk",
    "owns a guard's function": "ALTER FUNCTION watchbook_refuse() OWNER TO clerk",
    "may run programs or write files on the server": "GRANT pg_execute_server_program TO clerk",
    "owns audit_trail": "ALTER TABLE audit_trail OWNER TO clerk",
    "has more than SELECT and INSERT on audit_trail": "GRANT TRIGGER ON audit_trail TO clerk",
    "has more than SELECT and INSERT on records_note": "GRANT UPDATE (text) ON records_note TO clerk",
    "owns approvals_stage": "ALTER TABLE approvals_stage OWNER TO clerk",
    "may put triggers on, or empty, accounts_user": "GRANT TRIGGER ON accounts_user TO clerk",
    "may put triggers on, or empty, approvals_stage": "GRANT TRUNCATE ON approvals_stage TO PUBLIC",
    "may put triggers on, or empty, directory_team": (
        "CREATE ROLE head; GRANT TRIGGER ON directory_team TO head; GRANT head TO clerk; ALTER ROLE clerk NOINHERIT"
    ),
    "may set back the numbers of audit_trail_id_seq": "GRANT UPDATE ON SEQUENCE audit_trail_id_seq TO clerk",
    "may call lend(text) with the rights of its owner": (
        "CREATE FUNCTION lend(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE q; END $$"
    ),
}


@pytest.mark.parametrize("words", MORE)
def test_what_a_role_could_do_is_said(clerk, words):
    assert roles.powers("default", "clerk") == []
    execute(*MORE[words].split("; ") if "$$" not in MORE[words] else [MORE[words]])
    assert words in roles.powers("default", "clerk")


def test_the_owner_of_the_database_could_lift_everything(clerk):
    execute(THIS.format("ALTER DATABASE %I OWNER TO clerk"))
    assert "owns the database" in roles.powers("default", "clerk")


def test_a_member_of_the_owner_is_as_good_as_the_owner(clerk):
    execute("CREATE ROLE head", "ALTER TABLE audit_trail OWNER TO head", "GRANT head TO clerk")
    assert roles.powers("default", "clerk") == ["owns audit_trail"]


def test_whoever_can_become_a_superuser_is_as_good_as_one(clerk):
    execute("CREATE ROLE boss SUPERUSER", "GRANT boss TO clerk", "ALTER ROLE clerk NOINHERIT")
    assert roles.powers("default", "clerk") == ["is a superuser"]


def test_a_function_that_lends_the_rights_of_whoever_has_none_is_no_power(clerk):
    execute("CREATE ROLE other", "CREATE FUNCTION lend() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
    execute("ALTER FUNCTION lend() OWNER TO other")
    assert roles.powers("default", "clerk") == []


def test_replica_mode_is_named_where_it_can_be_granted(clerk):
    if connection.pg_version < 150000:
        pytest.skip("PostgreSQL 15 and newer can grant it")
    execute("GRANT SET ON PARAMETER session_replication_role TO clerk")
    assert roles.powers("default", "clerk") == ["may set session_replication_role"]


def test_the_command_says_what_it_did(clerk):
    out = StringIO()
    call_command("audit", "grant", "clerk", stdout=out)
    assert out.getvalue() == "clerk may read and append to the record, and use every other table.\n"


def test_the_command_warns_of_what_grants_do_not_take(clerk):
    execute("ALTER ROLE clerk CREATEROLE")
    out = StringIO()
    call_command("audit", "grant", "clerk", stdout=out)
    assert "Warning: clerk may make and join roles." in out.getvalue()


def test_whom_grants_do_not_bind_is_refused():
    execute("CREATE ROLE clerk", "CREATE ROLE boss SUPERUSER", "ALTER TABLE approvals_stage OWNER TO clerk")
    for role, words in (
        ("boss", "is a superuser"),
        ("clerk", "owns the tables"),
        ("nobody_at_all", "There is no role"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("audit", "grant", role, stdout=StringIO())


@pytest.mark.slow
def test_the_whole_demo_company_is_made_by_a_role_that_owns_nothing(clerk):
    execute("SET LOCAL ROLE clerk")
    try:
        demo = making.make(by="demo company", now=clock.now())
    finally:
        execute("RESET ROLE")
    assert demo.new
