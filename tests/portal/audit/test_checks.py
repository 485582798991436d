"""The checks of the database: an error while guards are missing, a warning while the portal's role could lift them."""

from io import StringIO

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from portal.audit import guards
from portal.audit.guards import roles

pytestmark = pytest.mark.django_db

POSTGRESQL = connection.vendor == "postgresql"
LIFT = f"DROP TRIGGER {'watchbook_guard ON' if POSTGRESQL else 'watchbook_guard_update_'}{' ' * POSTGRESQL}audit_trail"
on_postgresql = pytest.mark.skipif(not POSTGRESQL, reason="only PostgreSQL knows roles")


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def found(databases=("default",)):
    return {message.id: message for message in run_checks(tags=[Tags.database], databases=databases)}


def test_guards_that_stand_are_no_error():
    assert "audit.E001" not in found()
    assert "audit.W003" not in found()


def test_a_missing_guard_is_an_error_with_what_to_do():
    execute(LIFT)
    message = found()["audit.E001"]
    assert message.is_serious()
    assert message.msg.startswith(
        "1 guards of the record are missing, altered or disabled: audit_trail: watchbook_guard"
    )
    assert message.hint.endswith("python3 manage.py audit install-guards")
    with pytest.raises(SystemCheckError, match=r"audit\.E001"):
        call_command("check", databases=["default"], stdout=StringIO())


def test_many_missing_guards_are_not_listed_to_the_end():
    with guards.lifted():
        assert found()["audit.E001"].msg.endswith("and more.")


def test_without_a_database_nothing_is_asked():
    execute(LIFT)
    assert found(databases=()) == {}
    call_command("check", stdout=StringIO())


def test_the_commands_that_put_it_right_are_not_kept_from_it(settings):
    execute(LIFT)
    settings.DOES_OWNERS_WORK = True
    assert found() == {}


def test_a_trigger_of_somebody_else_is_a_warning():
    if POSTGRESQL:
        execute("CREATE RULE silent AS ON INSERT TO audit_trail DO INSTEAD NOTHING")
    else:
        execute("CREATE TRIGGER silent BEFORE INSERT ON audit_trail BEGIN SELECT RAISE(IGNORE); END")
    message = found()["audit.W003"]
    assert not message.is_serious()
    assert f"audit_trail: {'rule' if POSTGRESQL else 'trigger'} silent" in message.msg


@pytest.mark.skipif(POSTGRESQL, reason="it is about SQLite")
def test_on_sqlite_whoever_writes_the_file_can_lift_them():
    assert set(found()) == {"audit.W002"}


@on_postgresql
def test_a_role_that_could_lift_them_is_a_warning():
    execute("CREATE ROLE clerk")
    roles.grant("default", "clerk")
    execute("GRANT TRIGGER ON audit_trail TO clerk", "SET LOCAL ROLE clerk")
    message = found()["audit.W001"]
    assert message.msg == (
        "The portal runs as the database role clerk, which could lift the guards of the record: "
        "it has more than SELECT and INSERT on audit_trail."
    )
    assert "docs/operator.md" in message.hint


@on_postgresql
def test_a_role_that_only_reads_and_appends_is_silent():
    execute("CREATE ROLE clerk")
    roles.grant("default", "clerk")
    execute("SET LOCAL ROLE clerk")
    assert found() == {}
