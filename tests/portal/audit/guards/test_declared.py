"""A model may declare triggers of its own: they are installed, compared and put back like the guards."""

import pytest
from django.db import IntegrityError, connection, transaction

from portal.audit import guards, receivers
from portal.audit.triggers import Trigger

pytestmark = pytest.mark.django_db

POSTGRESQL = connection.vendor == "postgresql"
STANDS = "CREATE TRIGGER watchbook_own BEFORE INSERT ON own FOR EACH ROW"
OWN = Trigger(
    "watchbook_own",
    "own",
    postgresql=f"""
        CREATE OR REPLACE FUNCTION watchbook_own() RETURNS trigger LANGUAGE plpgsql AS $guard$
        BEGIN
            IF NEW.b > (SELECT max(b) FROM other) THEN
                RAISE EXCEPTION 'b is too large' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END
        $guard$;
        {STANDS} WHEN (new.a IS NOT NULL) EXECUTE FUNCTION watchbook_own();
    """,
    sqlite=f"""
        {STANDS} WHEN NEW.a IS NOT NULL BEGIN
            SELECT RAISE(ABORT, 'b is too large') WHERE NEW.b > (SELECT max(b) FROM other);
        END;
    """,
)


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def refused(statement):
    try:
        with transaction.atomic():
            execute(statement)
    except IntegrityError as refusal:
        return "b is too large" in str(refusal)
    return False


@pytest.fixture
def own(monkeypatch):
    """Two tables, one with a rule about the other."""
    execute("CREATE TABLE own (id integer, a integer, b integer)", "CREATE TABLE other (b integer)")
    execute("INSERT INTO other VALUES (5)")
    monkeypatch.setattr(guards, "declared", lambda: [OWN])
    assert "own: watchbook_own" in guards.missing()
    guards.install()
    assert guards.missing() == []


def test_it_holds(own):
    assert refused("INSERT INTO own VALUES (1, 1, 6)")
    assert not refused("INSERT INTO own VALUES (1, 1, 5), (2, NULL, 9)")


def test_it_is_put_back(own):
    execute(f"DROP TRIGGER watchbook_own{' ON own' if POSTGRESQL else ''}")
    assert guards.missing() == ["own: watchbook_own"]
    guards.install()
    assert refused("INSERT INTO own VALUES (1, 1, 6)")


@pytest.mark.skipif(not POSTGRESQL, reason="only PostgreSQL keeps the rule in a function")
def test_another_body_is_noticed(own):
    body = (
        "RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN RETURN NEW; END $$"
    )
    execute(f"CREATE OR REPLACE FUNCTION watchbook_own() {body}")
    assert guards.missing() == ["own: watchbook_own"]
    guards.install()
    assert refused("INSERT INTO own VALUES (1, 1, 6)")


@pytest.mark.skipif(not POSTGRESQL, reason="only PostgreSQL looks names up along a path")
def test_a_temporary_table_does_not_stand_in_for_what_it_reads(own):
    execute("CREATE TEMPORARY TABLE other (b integer)", "INSERT INTO pg_temp.other VALUES (1000)")
    assert refused("INSERT INTO own VALUES (1, 1, 6)")


@pytest.mark.skipif(POSTGRESQL, reason="only SQLite refuses to rebuild a table that a trigger reads")
def test_it_makes_room_for_a_migration_and_comes_back(own):
    receivers.make_room(using="default", plan=["something"])
    execute("CREATE TABLE new (b integer)", "DROP TABLE other", "ALTER TABLE new RENAME TO other")
    guards.install()
    execute("INSERT INTO other VALUES (5)")
    assert refused("INSERT INTO own VALUES (1, 1, 6)")


def test_it_stays_while_there_is_nothing_to_migrate(own):
    receivers.make_room(using="default", plan=[])
    assert guards.missing() == []


@pytest.mark.parametrize("name", ["own", "watchbook_" + "x" * 60])
def test_a_name_that_would_not_be_found_again_is_refused(name):
    with pytest.raises(ValueError, match="begins with watchbook_"):
        Trigger(name, "own", "", "")


@pytest.mark.skipif(not POSTGRESQL, reason="it is a text for PostgreSQL")
@pytest.mark.parametrize("text", [f"{STANDS} EXECUTE FUNCTION somebodys();", "SELECT 1"])
def test_a_text_without_its_function_is_refused(monkeypatch, text):
    monkeypatch.setattr(guards, "declared", lambda: [Trigger("watchbook_own", "own", text, "")])
    with pytest.raises(ValueError, match="watchbook_own: its text must create a function"):
        guards.missing()
