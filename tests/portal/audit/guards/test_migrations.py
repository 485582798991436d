"""Guards and migrations live together: a rebuilt table is guarded again, and every migration runs, both ways."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.db import IntegrityError, connection, models, transaction

from portal.audit import guards
from portal.directory.models import Team
from tests.factories.directory import make_team

HISTORY = Team.history.model


@pytest.fixture
def rebuilt(transactional_db):
    """The history of teams after one of its columns was altered, which SQLite does by making the table anew."""
    make_team()
    name = HISTORY._meta.get_field("name")
    longer = models.CharField(max_length=name.max_length + 1)
    longer.set_attributes_from_name("name")
    longer.model = HISTORY
    with connection.schema_editor() as editor:
        editor.alter_field(HISTORY, name, longer)
    yield
    with connection.schema_editor() as editor:
        editor.alter_field(HISTORY, longer, name)
    guards.install()


def test_a_table_that_a_migration_rebuilt_is_guarded_after_it(rebuilt):
    if connection.vendor == "sqlite":
        assert {name.partition(":")[0] for name in guards.missing()} == {HISTORY._meta.db_table}
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert guards.missing() == []
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {HISTORY._meta.db_table} SET name = 'x'")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_migration_runs_back_and_forward_with_the_guards_in_place(own_database, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": "",
        "PORTAL_DATA": str(tmp_path),
        "DATABASE_URL": own_database,
    }
    walk = [sys.executable, "-m", "tests.portal.audit.guards.walking"]
    done = subprocess.run(walk, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"{len(guards.guarded_tables())} tables are guarded"
