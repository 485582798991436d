"""What the role of the running portal may do on PostgreSQL: use the tables, own none, and never lift a guard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management import CommandError
from django.db import connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from portal.audit.guards.registry import guarded_tables
from portal.audit.triggers import PREFIX
from portal.search.indexes.postgresql import name_of
from portal.search.registry import indexed

GUARDED = "SELECT, INSERT"
OTHERS = "SELECT, INSERT, UPDATE, DELETE"
BEYOND = "UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"  # what a guarded table grants to nobody
_SEQUENCES = """
SELECT DISTINCT s.relname FROM pg_class s
  JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  JOIN pg_class t ON t.oid = d.refobjid
 WHERE s.relkind = 'S' AND s.relnamespace = current_schema()::regnamespace AND t.relname = ANY(%s)
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
_FUNCTIONS_OWNED = """
SELECT bool_or(pg_has_role(%(role)s, proowner, 'MEMBER')) FROM pg_proc
 WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, %(prefix)s)
"""
_ON_THE_SERVER = """
SELECT bool_or(pg_has_role(%(role)s, oid, 'MEMBER')) FROM pg_roles
 WHERE rolname IN ('pg_execute_server_program', 'pg_write_server_files')
"""
_DATABASE_OWNED = "SELECT pg_has_role(%(role)s, datdba, 'MEMBER') FROM pg_database WHERE datname = current_database()"
_SCHEMA_OWNED = "SELECT pg_has_role(%(role)s, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = current_schema()"
# Who is a member of a role can become it, also where nothing is inherited.
_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolsuper AND pg_has_role(%(role)s, oid, 'MEMBER') LIMIT 1"
# Each answers whether a role (%(role)s) has a power that lifts or evades the guards.
_OF_THE_ROLE = (
    ("may make and join roles", "SELECT rolcreaterole FROM pg_roles WHERE rolname = %(role)s"),
    ("may replicate", "SELECT rolreplication FROM pg_roles WHERE rolname = %(role)s"),
    ("owns the database", _DATABASE_OWNED),
    ("owns the schema", _SCHEMA_OWNED),
    ("may create schemas", "SELECT has_database_privilege(%(role)s, current_database(), 'CREATE')"),
    ("may create tables", "SELECT has_schema_privilege(%(role)s, current_schema(), 'CREATE')"),
    ("owns a guard's function", _FUNCTIONS_OWNED),
    ("may run programs or write files on the server", _ON_THE_SERVER),
)
_PARAMETER = "SELECT has_parameter_privilege(%(role)s, 'session_replication_role', 'SET')"  # PostgreSQL 15 and newer
# What a role owns it alters as it likes: of all tables and views of the portal's schema.
_OWNED = """
SELECT relname FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
   AND pg_has_role(%(role)s, relowner, 'MEMBER') ORDER BY relname
"""
_BEYOND = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s) AND EXISTS (
    SELECT 1 FROM pg_roles r WHERE pg_has_role(%(role)s, r.oid, 'MEMBER') AND (
        has_table_privilege(r.oid, c.oid, %(beyond)s)
        OR has_any_column_privilege(r.oid, c.oid, 'UPDATE, REFERENCES')))
 ORDER BY c.relname
"""
_BEYOND_OF_OTHERS = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> ALL(%(tables)s)
   AND EXISTS (SELECT 1 FROM pg_roles r WHERE pg_has_role(%(role)s, r.oid, 'MEMBER')
               AND has_table_privilege(r.oid, c.oid, 'TRIGGER, TRUNCATE'))
 ORDER BY c.relname
"""
_COUNTERS = f"""
SELECT x.relname FROM ({_SEQUENCES.replace("DISTINCT s.relname", "DISTINCT s.relname, s.oid")}) x WHERE EXISTS (
    SELECT 1 FROM pg_roles r WHERE pg_has_role(%s, r.oid, 'MEMBER') AND has_sequence_privilege(r.oid, x.oid, 'UPDATE'))
 ORDER BY x.relname
"""  # noqa: S608 - a statement of our own
# A function that acts with the rights of whoever could lift the guards lends them. None of ours does.
_LENDING = """
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
 WHERE p.prosecdef AND NOT pg_has_role(%(role)s, o.oid, 'MEMBER') AND EXISTS (
        SELECT 1 FROM pg_roles r WHERE pg_has_role(%(role)s, r.oid, 'MEMBER')
           AND has_function_privilege(r.oid, p.oid, 'EXECUTE') AND has_schema_privilege(r.oid, p.pronamespace, 'USAGE'))
   AND (o.rolsuper OR EXISTS (
        SELECT 1 FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
           AND pg_has_role(o.oid, c.relowner, 'MEMBER')))
 ORDER BY 1
"""


class CannotGrant(CommandError):
    """The grants were not made; the message says what to do."""


def current_role(using: str) -> str:
    """Return the role that this connection acts as."""
    [(role,)] = _rows(using, "SELECT current_user")
    return str(role)


def grant(using: str, role: str) -> None:
    """Give `role` what the running portal needs, and take everything else: no guarded row is changed or deleted.

    Guarded tables: SELECT and INSERT. Which migrations have run: SELECT. Other tables of the portal: also UPDATE and
    DELETE. CannotGrant is raised for a role that does not exist or that grants cannot bind. Run it after each migration
    that makes a table.
    """
    _check_bound(using, role)
    quote = connections[using].ops.quote_name
    there = {name for (name,) in _rows(using, _TABLES)}
    guarded = [name for name in guarded_tables() if name in there]
    read = sorted({MigrationRecorder.Migration._meta.db_table} & there)
    others = sorted(({*_tables_of_models(using)} & there) - {*guarded, *read})
    sequences = [name for (name,) in _rows(using, _SEQUENCES, [guarded + others])]
    [(schema,)] = _rows(using, "SELECT quote_ident(current_schema())")
    to, anybody = quote(role), f"{quote(role)}, PUBLIC"
    statements = [
        f"GRANT USAGE ON SCHEMA {schema} TO {to}",
        f"REVOKE CREATE ON SCHEMA {schema} FROM {anybody}",
        *_each(f"REVOKE ALL ON TABLE {{}} FROM {anybody}", guarded, quote),
        *_each(f"REVOKE ALL ON TABLE {{}} FROM {to}", others + read, quote),
        *_each("REVOKE TRIGGER, TRUNCATE ON TABLE {} FROM PUBLIC", others, quote),
        *_each(f"REVOKE ALL ON SEQUENCE {{}} FROM {anybody}", sequences, quote),
        *_each(f"GRANT {GUARDED} ON TABLE {{}} TO {to}", guarded, quote),
        *_each(f"GRANT {OTHERS} ON TABLE {{}} TO {to}", others, quote),
        *_each(f"GRANT SELECT ON TABLE {{}} TO {to}", read, quote),
        *_each(f"GRANT USAGE ON SEQUENCE {{}} TO {to}", sequences, quote),
    ]
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def powers(using: str, role: str) -> list[str]:
    """Return what `role` may do that lifts or evades the guards, in words that follow its name; [] when nothing."""
    values = {"role": role, "tables": guarded_tables(), "prefix": PREFIX, "beyond": BEYOND}
    if _is_true(using, _SUPERUSER, values):
        return ["is a superuser"]
    found = [words for words, query in _OF_THE_ROLE if _is_true(using, query, values)]
    if _version(using) >= 150000 and _is_true(using, _PARAMETER, values):
        found.append("may set session_replication_role")
    owned = [name for (name,) in _rows(using, _OWNED, values)]
    beyond = [name for (name,) in _rows(using, _BEYOND, values) if name not in owned]
    found += [f"owns {_some(owned)}"] if owned else []
    found += [f"has more than SELECT and INSERT on {_some(beyond)}"] if beyond else []
    others = [name for (name,) in _rows(using, _BEYOND_OF_OTHERS, values) if name not in owned]
    found += [f"may put triggers on, or empty, {_some(others)}"] if others else []
    counters = [] if owned else [name for (name,) in _rows(using, _COUNTERS, [values["tables"], role])]
    found += [f"may set back the numbers of {_some(counters)}"] if counters else []
    lending = [name for (name,) in _rows(using, _LENDING, values)]
    found += [f"may call {_some(lending)} with the rights of its owner"] if lending else []
    return found


def _check_bound(using: str, role: str) -> None:
    values = {"role": role, "tables": guarded_tables()}
    if connections[using].vendor != "postgresql":
        raise CannotGrant("Only PostgreSQL knows roles. On SQLite, whoever may write the file may do everything.")
    if not _is_true(using, "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %(role)s)", values):
        raise CannotGrant(f"There is no role {role}. Let your database administrator make it (docs/operator.md).")
    if _is_true(using, _SUPERUSER, values):
        raise CannotGrant(f"{role} is a superuser, whom grants do not bind. Name the role of DATABASE_URL.")
    if _rows(using, _OWNED, values):
        raise CannotGrant(f"{role} owns the tables, so that grants do not bind it. Name the role of DATABASE_URL.")


def _tables_of_models(using: str) -> list[str]:
    known = connections[using].introspection.django_table_names(only_existing=False, include_views=False)
    return [*known, *map(name_of, indexed()), MigrationRecorder.Migration._meta.db_table]


def _each(statement: str, names: Sequence[str], quote: Any) -> Iterable[str]:
    """Yield one statement for all names; none when there are none."""
    if names:
        yield statement.format(", ".join(quote(name) for name in names))


def _rows(using: str, query: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _is_true(using: str, query: str, values: dict[str, Any]) -> bool:
    return any(bool(value) for (value,) in _rows(using, query, values))


def _version(using: str) -> int:
    return int(getattr(connections[using], "pg_version", 0))


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
