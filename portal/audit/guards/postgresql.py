"""The guards on PostgreSQL: two triggers for each table that call one function, in every session and for every role.

One trigger refuses the statement, also when it would meet no row; it is the one that stops TRUNCATE and ON CONFLICT DO
UPDATE. The other refuses the row, also when it is reached through a parent table, where only row triggers fire. Both
are ENABLE ALWAYS, so that session_replication_role does not lift them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.audit.triggers import PREFIX, Trigger
from portal.search.indexes.postgresql import TRIGGER
from portal.search.registry import indexed

REFUSAL = f"{PREFIX}refuse"
STATEMENTS = f"{PREFIX}guard"
ROWS = f"{PREFIX}guard_rows"
ALWAYS = "A"
REFUSING = """
BEGIN
    RAISE EXCEPTION 'Rows of % are kept for good: % is refused. Write a new row that corrects the old one.',
        TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
"""
PASSING = """
BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN
        RETURN NULL;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
"""
# The refusing function while some rows are open. Of another table, or another row, it refuses as ever.
OPEN_TABLE = """
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = '{table}' THEN
        IF TG_LEVEL = 'STATEMENT' THEN
            RETURN NULL;
        ELSIF NEW.{key} = OLD.{key} AND OLD.{key} = ANY ('{{{keys}}}'::bigint[]) THEN
            RETURN NEW;
        END IF;
    END IF;"""
_BODY = re.compile(r"\bFUNCTION\s+(\w+)\s*\(.*?\$(\w*)\$(.*?)\$\2\$.*?;", re.DOTALL | re.IGNORECASE)
_CALLED = re.compile(r"\bEXECUTE\s+FUNCTION\s+(\w+)\s*\(", re.IGNORECASE)
# What stands: each of our triggers with its function. Names of tables are those of the schema that Django writes to.
_STANDING = """
SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid, true), t.tgenabled::text, p.proname, p.prosrc,
       p.pronamespace = c.relnamespace AND l.lanname = 'plpgsql' AND NOT p.prosecdef AND p.proconfig = ARRAY[
           'search_path=pg_catalog, ' || quote_ident(current_schema()) || ', pg_temp']
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_proc p ON p.oid = t.tgfoid
  JOIN pg_language l ON l.oid = p.prolang
 WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND starts_with(t.tgname, %s)
"""
_STRANGE = """
SELECT c.relname, 'trigger ' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s)
   AND NOT t.tgisinternal AND c.relname || ': ' || t.tgname <> ALL(%(meant)s)
UNION ALL
SELECT c.relname, 'rule ' || r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s)
UNION ALL
SELECT c.relname, 'row level security' FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s) AND c.relrowsecurity
UNION ALL
SELECT c.relname, 'inheritance' FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s)
   AND EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))
ORDER BY 1, 2
"""
_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
"""
_OWNS = """
SELECT coalesce(bool_and(pg_has_role(current_user, relowner, 'USAGE')), false) FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)
"""
_FUNCTIONS = """
SELECT proname FROM pg_proc
 WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype AND starts_with(proname, %s)
"""


@dataclass(frozen=True)
class Guard:
    """A trigger as it is meant: the words that PostgreSQL repeats it in, and the function that it calls."""

    table: str
    name: str
    definition: str
    function: str

    def __str__(self) -> str:
        return f"{self.table}: {self.name}"


class Guards:
    """The guards of one database: those meant beside those that stand."""

    def __init__(self, connection: BaseDatabaseWrapper, tables: Sequence[str], declared: Sequence[Trigger]) -> None:
        self.connection = connection
        self.tables = list(tables)
        self.meant = [guard for table in tables for guard in _both(table)]
        self.bodies = {REFUSAL: REFUSING}  # of each function, exactly as PostgreSQL keeps them
        for trigger in declared:
            self._take(trigger)

    def _take(self, trigger: Trigger) -> None:
        """Add a declared trigger; ValueError is raised when its text is not what portal.audit.triggers asks for."""
        if not trigger.postgresql:
            return
        function = _BODY.search(trigger.postgresql)
        definition = trigger.postgresql[function.end() if function else 0 :]
        called = _CALLED.search(definition)
        if function:
            self.bodies[function[1]] = function[3]
        if called is None or called[1] not in self.bodies:
            raise ValueError(f"{trigger.name}: its text must create a function in $$ and the trigger that executes it.")
        self.meant.append(Guard(trigger.table, trigger.name, _plain(definition), called[1]))

    def _rows(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def _standing(self) -> list[Guard]:
        """Return our triggers that stand and fire, with functions that are as meant."""
        return [
            Guard(table, name, _plain(definition), function)
            for table, name, definition, enabled, function, body, sound in self._rows(_STANDING, [PREFIX])
            if enabled == ALWAYS and sound and self.bodies.get(function) == body
        ]

    def _lost(self) -> list[Guard]:
        standing, tables = set(self._standing()), {name for (name,) in self._rows(_TABLES)}
        return [guard for guard in self.meant if guard.table in tables and guard not in standing]

    def missing(self) -> list[str]:
        """Return the guards that do not stand as meant."""
        return [str(guard) for guard in self._lost()]

    def strange(self) -> list[str]:
        """Return what stands beside the guards on the tables that have any, but what keeps the words of search."""
        tables = sorted({guard.table for guard in self.meant})
        meant = [*map(str, self.meant), *(f"{table}: {TRIGGER}" for table in indexed())]
        found = self._rows(_STRANGE, {"tables": tables, "meant": meant})
        return [f"{table}: {what}" for table, what in found]

    def install(self) -> list[str]:
        """Create what is missing, table by table, and drop what is ours and no longer meant."""
        lost = self._lost()
        if lost:
            with transaction.atomic(using=self.connection.alias):
                for name in sorted({guard.function for guard in lost}):
                    self._create_function(name, self.bodies[name])
            for guard in self._lost():  # a trigger whose function was mended stands again
                self._create(guard)
        self._drop_obsolete()
        return [str(guard) for guard in lost]

    def _create_function(self, name: str, body: str) -> None:
        quote = self.connection.ops.quote_name
        [(schema,)] = self._rows("SELECT quote_ident(current_schema())")
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {schema}.{quote(name)}() RETURNS trigger LANGUAGE plpgsql "
                f"SECURITY INVOKER SET search_path = pg_catalog, {schema}, pg_temp AS $guard${body}$guard$"
            )

    def _create(self, guard: Guard) -> None:
        quote = self.connection.ops.quote_name
        table, name = quote(guard.table), quote(guard.name)
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            cursor.execute(guard.definition)
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")

    def _drop_obsolete(self) -> None:
        quote = self.connection.ops.quote_name
        meant = {(guard.table, guard.name) for guard in self.meant}
        with self.connection.cursor() as cursor:
            for table, name, *_ in self._rows(_STANDING, [PREFIX]):
                if (table, name) not in meant:
                    cursor.execute(f"DROP TRIGGER {quote(name)} ON {quote(table)}")
            for (name,) in self._rows(_FUNCTIONS, [PREFIX]):
                if name not in self.bodies:
                    cursor.execute(f"DROP FUNCTION {quote(name)}()")

    def drop_declared(self) -> None:
        """Drop nothing: PostgreSQL alters a table whoever names it."""

    def may_open(self) -> bool:
        """Tell whether this connection's role owns the guarded tables."""
        [(owns,)] = self._rows(_OWNS, [self.tables])
        return bool(owns)

    def open(self, rows: Mapping[str, tuple[str, Collection[int]]]) -> None:
        """Let the refusing function pass an UPDATE of these rows; no table is locked for it."""
        quote = self.connection.ops.quote_name
        passed = "".join(
            OPEN_TABLE.format(table=table, key=quote(key), keys=",".join(str(int(number)) for number in numbers))
            for table, (key, numbers) in rows.items()
        )
        self._create_function(REFUSAL, REFUSING.replace("\nBEGIN", f"\nBEGIN{passed}", 1))

    def lift(self) -> None:
        """Let every function of ours pass. It works while rows written in this transaction are still to be checked."""
        for name in self.bodies:
            self._create_function(name, PASSING)


def _both(table: str) -> list[Guard]:
    on = f"ON {table} FOR EACH"
    call = f"EXECUTE FUNCTION {REFUSAL}()"
    statements = f"CREATE TRIGGER {STATEMENTS} BEFORE DELETE OR UPDATE OR TRUNCATE {on} STATEMENT {call}"
    rows = f"CREATE TRIGGER {ROWS} BEFORE DELETE OR UPDATE {on} ROW {call}"
    return [Guard(table, STATEMENTS, statements, REFUSAL), Guard(table, ROWS, rows, REFUSAL)]


def _plain(definition: str) -> str:
    """Return a definition without quotes around names, line breaks and the semicolon."""
    return " ".join(definition.replace('"', "").rstrip("; \n").split())
