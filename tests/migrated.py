"""A database as the migrations leave it, kept and copied for each run of the tests.

Making one takes some seconds of the processor. It is made again as soon as a migration, or a version that is pinned,
has changed; what follows the migrations (permissions, reference data, guards) is written anew in every copy.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from unittest import mock

from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "watchbook_migrated"
AFTERWARDS = "django.core.management.commands.migrate.emit_post_migrate_signal"
KEPT_IN = ROOT / ".pytest_cache" / "migrated"
LOCK = 0x57424D  # of the server; a number of our own


def copied() -> None:
    """Put a copy of the migrated database where the test database is expected."""
    if connection.vendor == "sqlite":
        _copy_of_file(Path(connection.creation._get_test_db_name()))
    else:
        _copy_of_database(connection.creation._get_test_db_name())


def digest() -> str:
    """Return what tells one state of the migrations from another."""
    found = sha256()
    migrations = (path for path in ROOT.glob("**/migrations/*.py") if ".venv" not in path.parts)
    for path in (*sorted(migrations), ROOT / "requirements.txt", ROOT / "portal" / "lib" / "migrating.py"):
        found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _migrate(name: str) -> None:
    """Run the migrations, and nothing after them, on the database of this name."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        with mock.patch(AFTERWARDS):
            call_command("migrate", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def _copy_of_file(wanted: Path) -> None:
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    kept = KEPT_IN / f"{digest()}.sqlite3"
    with (KEPT_IN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed; other workers wait for the first
        if not kept.exists():
            for old in KEPT_IN.glob("*.sqlite3*"):
                old.unlink()
            making = kept.with_suffix(".sqlite3-making")
            _migrate(str(making))
            making.rename(kept)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{wanted}{suffix}").unlink(missing_ok=True)
    with sqlite3.connect(kept) as source, sqlite3.connect(wanted) as target:
        source.backup(target)
    source.close()
    target.close()


def _copy_of_database(wanted: str) -> None:
    ours = f"{PREFIX}_{sha256(bytes(ROOT)).hexdigest()[:8]}"  # another checkout on this server has its own
    kept = f"{ours}_{digest()}"
    with connection._nodb_cursor() as cursor, _alone(cursor):
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [ours])
        names = {name for (name,) in cursor.fetchall()}
        if kept not in names:
            for old in names:
                cursor.execute(f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE)')
            making = f"{ours}_making"
            cursor.execute(f'CREATE DATABASE "{making}"')
            _migrate(making)
            cursor.execute(f'ALTER DATABASE "{making}" RENAME TO "{kept}"')
        cursor.execute(f'DROP DATABASE IF EXISTS "{wanted}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{wanted}" TEMPLATE "{kept}"')


@contextmanager
def _alone(cursor: CursorWrapper) -> Iterator[None]:
    cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
