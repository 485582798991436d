import os
import secrets
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from portal.audit import guards
from portal.audit.guards import roles
from portal.audit.models import TrailRow
from tests.factories.guarded import insert

ROLE = f"watchbook_runtime_{os.getpid()}"


@pytest.fixture(scope="module")
def runtime(django_db_setup, django_db_blocker):
    """A connection of the running portal's role, which owns nothing, to a database with a row in the trail."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL knows roles")
    password = secrets.token_hex(16)
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'")
        roles.grant("default", ROLE)
        key = insert(TrailRow)
        address = settings.DATABASES["default"] | connection.settings_dict
        place = {"host": address["HOST"] or "127.0.0.1", "port": address["PORT"] or 5432, "dbname": address["NAME"]}
        options = "-c lock_timeout=5s"
        with psycopg.connect(**place, user=ROLE, password=password, options=options, autocommit=True) as attacker:
            yield attacker
        with guards.lifted(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit_trail WHERE id = %s", [key])
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {ROLE}")
            cursor.execute(f"DROP ROLE {ROLE}")
        connection.close()


@pytest.fixture
def own_database(db):
    """The address of an empty PostgreSQL database, gone afterwards; "" on SQLite, where a data folder is enough."""
    if connection.vendor != "postgresql":
        yield ""
        return
    root, name = urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres"), f"watchbook_walk_{os.getpid()}"
    with psycopg.connect(urlunsplit(root), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(root._replace(path=f"/{name}"))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
