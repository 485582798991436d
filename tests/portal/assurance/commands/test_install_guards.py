"""`manage.py audit install-guards` puts back what is missing and says what it was."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.audit import guards
from portal.audit.models import TrailRow

pytestmark = pytest.mark.django_db

POSTGRESQL = connection.vendor == "postgresql"
NAME = "watchbook_guard" if POSTGRESQL else "watchbook_guard_update_audit_trail"


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def said():
    out = StringIO()
    call_command("audit", "install-guards", stdout=out)
    return out.getvalue().splitlines()


def tables():
    return len({*guards.guarded_tables(), *(trigger.table for trigger in guards.declared())})


def test_it_puts_back_what_is_missing_and_tells_the_trail():
    execute(f"DROP TRIGGER {NAME}{' ON audit_trail' if POSTGRESQL else ''}")
    assert said() == [f"Put back audit_trail: {NAME}", f"{tables()} tables are guarded; 1 guards were missing."]
    assert guards.missing() == []
    assert TrailRow.objects.order_by("-id").first().event == "Put up 1 database guards on 1 tables"


def test_it_says_when_nothing_was_missing():
    before = TrailRow.objects.count()
    assert said() == [f"{tables()} tables are guarded; no guards were missing."]
    assert TrailRow.objects.count() == before


@pytest.mark.skipif(not POSTGRESQL, reason="only PostgreSQL knows owners")
def test_whoever_is_not_the_owner_is_told_who_may():
    execute("DROP TRIGGER watchbook_guard ON audit_trail", "CREATE ROLE clerk", "SET LOCAL ROLE clerk")
    with pytest.raises(CommandError, match=r"The guards were not installed .* set MIGRATION_DATABASE_URL"):
        said()
