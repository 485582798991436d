"""A guard that was dropped, altered or disabled is missing, and is put back; what is not ours is reported."""

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.db import IntegrityError, connection, transaction

from portal.audit import guards
from portal.audit.models import TrailRow
from tests.factories.guarded import insert, standing

pytestmark = pytest.mark.django_db

STATEMENTS = "BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_trail FOR EACH STATEMENT"
ROWS = "BEFORE DELETE OR UPDATE ON audit_trail FOR EACH ROW"
PASSING = (
    "RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN RETURN NEW; END $$"
)
CALL = "EXECUTE FUNCTION watchbook_refuse()"
NOTHING = "CREATE TRIGGER watchbook_guard_update_audit_trail BEFORE UPDATE ON audit_trail WHEN 0"
ELSEWHERE = "CREATE TRIGGER watchbook_guard_delete_audit_trail BEFORE DELETE ON directory_team"
ON_POSTGRESQL = {
    "dropped": ["DROP TRIGGER watchbook_guard ON audit_trail"],
    "row guard dropped": ["DROP TRIGGER watchbook_guard_rows ON audit_trail"],
    "disabled": ["ALTER TABLE audit_trail DISABLE TRIGGER watchbook_guard"],
    "all disabled": ["ALTER TABLE audit_trail DISABLE TRIGGER ALL"],
    "not in replica mode": ["ALTER TABLE audit_trail ENABLE TRIGGER watchbook_guard"],
    "only in replica mode": ["ALTER TABLE audit_trail ENABLE REPLICA TRIGGER watchbook_guard"],
    "never": [
        f"CREATE OR REPLACE TRIGGER watchbook_guard_rows {ROWS} WHEN (false) {CALL}",
        "ALTER TABLE audit_trail ENABLE ALWAYS TRIGGER watchbook_guard_rows",
    ],
    "one event less": [
        f"CREATE OR REPLACE TRIGGER watchbook_guard {STATEMENTS.replace(' OR TRUNCATE', '')} {CALL}",
        "ALTER TABLE audit_trail ENABLE ALWAYS TRIGGER watchbook_guard",
    ],
    "one column only": [
        f"CREATE OR REPLACE TRIGGER watchbook_guard_rows {ROWS.replace('UPDATE', 'UPDATE OF id')} {CALL}",
        "ALTER TABLE audit_trail ENABLE ALWAYS TRIGGER watchbook_guard_rows",
    ],
    "another function": [
        f"CREATE FUNCTION watchbook_pass() {PASSING}",
        f"CREATE OR REPLACE TRIGGER watchbook_guard_rows {ROWS} EXECUTE FUNCTION watchbook_pass()",
        "ALTER TABLE audit_trail ENABLE ALWAYS TRIGGER watchbook_guard_rows",
    ],
    "function lets pass": [f"CREATE OR REPLACE FUNCTION watchbook_refuse() {PASSING}"],
    "function with the caller's path": ["ALTER FUNCTION watchbook_refuse() RESET search_path"],
    "function with another path": ["ALTER FUNCTION watchbook_refuse() SET search_path = public"],
    "function with its owner's rights": ["ALTER FUNCTION watchbook_refuse() SECURITY DEFINER"],
    "function gone": ["DROP FUNCTION watchbook_refuse() CASCADE"],
    "table made anew": ["ALTER TABLE audit_trail RENAME TO old", "CREATE TABLE audit_trail (LIKE old INCLUDING ALL)"],
}
ON_SQLITE = {
    "dropped": ["DROP TRIGGER watchbook_guard_update_audit_trail"],
    "guard of inserts dropped": ["DROP TRIGGER watchbook_guard_replace_audit_trail"],
    "never": [
        "DROP TRIGGER watchbook_guard_update_audit_trail",
        f"{NOTHING} BEGIN SELECT RAISE(ABORT, 'Rows of audit_trail are kept for good'); END",
    ],
    "on another table": [
        "DROP TRIGGER watchbook_guard_delete_audit_trail",
        f"{ELSEWHERE} BEGIN SELECT RAISE(ABORT, 'no'); END",
    ],
    "table made anew": ["ALTER TABLE audit_trail RENAME TO old", "CREATE TABLE audit_trail (id integer PRIMARY KEY)"],
}
OBSOLETE = {
    "postgresql": [
        f"CREATE FUNCTION watchbook_old() {PASSING}",
        "CREATE TRIGGER watchbook_old BEFORE INSERT ON directory_team FOR EACH ROW EXECUTE FUNCTION watchbook_old()",
    ],
    "sqlite": ["CREATE TRIGGER watchbook_old BEFORE INSERT ON directory_team BEGIN SELECT RAISE(ABORT, 'old'); END"],
}
STRANGE_ON_POSTGRESQL = {
    "audit_trail: trigger silent": [
        f"CREATE FUNCTION silent() {PASSING.replace('NEW', 'NULL')}",
        "CREATE TRIGGER silent BEFORE INSERT ON audit_trail FOR EACH ROW EXECUTE FUNCTION silent()",
    ],
    "audit_trail: trigger watchbook_helper": [
        f"CREATE FUNCTION watchbook_helper() {PASSING.replace('NEW', 'NULL')}",
        "CREATE TRIGGER watchbook_helper BEFORE INSERT ON audit_trail EXECUTE FUNCTION watchbook_helper()",
    ],
    "approvals_stage: trigger silent": [
        f"CREATE FUNCTION silent() {PASSING.replace('NEW', 'NULL')}",
        "CREATE TRIGGER silent BEFORE UPDATE ON approvals_stage FOR EACH ROW EXECUTE FUNCTION silent()",
    ],
    "audit_trail: rule silent": ["CREATE RULE silent AS ON INSERT TO audit_trail DO INSTEAD NOTHING"],
    "audit_trail: row level security": ["ALTER TABLE audit_trail ENABLE ROW LEVEL SECURITY"],
    "audit_trail: inheritance": ["CREATE TABLE part () INHERITS (audit_trail)"],
}
STRANGE_ON_SQLITE = {
    "audit_trail: trigger silent": [
        "CREATE TRIGGER silent BEFORE INSERT ON audit_trail BEGIN SELECT RAISE(IGNORE); END",
    ],
    "audit_trail: trigger watchbook_helper": [
        "CREATE TRIGGER watchbook_helper BEFORE INSERT ON AUDIT_Trail BEGIN SELECT RAISE(IGNORE); END",
    ],
    "approvals_stage: trigger silent": [
        "CREATE TRIGGER silent BEFORE UPDATE ON approvals_stage BEGIN SELECT RAISE(IGNORE); END",
    ],
}


POSTGRESQL = connection.vendor == "postgresql"
TAMPERED = ON_POSTGRESQL if POSTGRESQL else ON_SQLITE
STRANGE = STRANGE_ON_POSTGRESQL if POSTGRESQL else STRANGE_ON_SQLITE


def execute(statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def told():
    """The newest row of the trail, as what it says."""
    row = TrailRow.objects.order_by("-id").first()
    return row.actor_name, row.event, row.reason


def change_of_the_trail_passes():
    try:
        with transaction.atomic():
            execute(["UPDATE audit_trail SET reason = 'x'"])
    except IntegrityError:
        return False
    return True


def test_nothing_is_missing_after_migrating():
    assert guards.missing() == []
    assert guards.strange() == []
    assert guards.install() == []


@pytest.mark.parametrize("how", TAMPERED)
def test_a_guard_that_was_tampered_with_is_missing_and_put_back(how):
    execute(TAMPERED[how])
    assert [name for name in guards.missing() if name.startswith("audit_trail: watchbook_guard")]
    assert guards.install()
    assert guards.missing() == []
    assert guards.install() == []


def test_what_was_ours_and_is_meant_no_longer_is_dropped():
    execute(OBSOLETE[connection.vendor])
    assert guards.missing() == []
    guards.install()
    with connection.cursor() as cursor:
        if POSTGRESQL:
            query = "SELECT tgname FROM pg_trigger UNION ALL SELECT proname FROM pg_proc"
        else:
            query = "SELECT name FROM sqlite_master"
        cursor.execute(query)
        assert "watchbook_old" not in {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize("what", STRANGE)
def test_what_is_not_meant_on_a_guarded_table_is_reported_and_goes_only_where_it_bears_our_name(what):
    execute(STRANGE[what])
    assert guards.strange() == [what]
    guards.install()
    assert guards.strange() == ([] if "watchbook_" in what else [what])
    assert guards.missing() == []


def test_migrating_puts_them_back_and_the_trail_says_so():
    insert(TrailRow)
    execute(TAMPERED["dropped"])
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert guards.missing() == []
    assert told() == (
        "system: guards",
        "Put up 1 database guards on 1 tables",
        "They did not stand: audit_trail",
    )


def test_migrating_says_nothing_while_they_stand():
    before = standing(TrailRow)
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert standing(TrailRow) == before


def test_they_are_lifted_for_the_time_of_a_flush_and_guard_again():
    insert(TrailRow)
    with guards.lifted():
        assert change_of_the_trail_passes()
    assert not change_of_the_trail_passes()
    assert guards.missing() == []


def test_a_flush_that_fails_leaves_them_standing():
    with pytest.raises(ZeroDivisionError), guards.lifted():
        raise ZeroDivisionError
    assert guards.missing() == []


def test_a_table_that_is_not_there_yet_is_passed_over():
    execute(["DROP TABLE audit_trail"])
    assert guards.missing() == []
    assert guards.install() == []


def test_a_new_table_is_guarded_by_the_next_migration(monkeypatch):
    execute(["CREATE TABLE kept (id integer PRIMARY KEY, a integer)", "INSERT INTO kept VALUES (1, 1)"])
    monkeypatch.setattr(guards, "guarded_tables", lambda: ["kept"])
    assert all(name.startswith("kept: ") for name in guards.missing())
    guards.install()
    for statement in ("UPDATE kept SET a = 2", "DELETE FROM kept"):
        with pytest.raises(IntegrityError), transaction.atomic():
            execute([statement])
