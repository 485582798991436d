"""Where a benchmark runs: a PostgreSQL database and a data folder of its own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg

SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


def server() -> str:
    """Return the address of the PostgreSQL server: DATABASE_URL when it is one, else the usual place."""
    named = os.environ.get("DATABASE_URL", "")
    return named if named.startswith("postgres") else SERVER


@contextmanager
def own_place() -> Iterator[str]:
    """Make a database and a data folder, point the settings at them, and yield the database's address."""
    name = f"watchbook_bench_{os.getpid()}"
    root = urlsplit(server())
    folder = tempfile.mkdtemp(prefix="watchbook-bench-")
    try:
        with psycopg.connect(urlunsplit(root), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        address = urlunsplit(root._replace(path=f"/{name}"))
        os.environ |= {
            "DATABASE_URL": address,
            "PORTAL_DATA": folder,
            "PORTAL_ENV_FILE": "",
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        }
        yield address
    finally:
        with psycopg.connect(urlunsplit(root), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(folder, ignore_errors=True)
