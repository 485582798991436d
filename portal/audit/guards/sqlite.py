"""The guards on SQLite: three triggers for each table.

Two refuse UPDATE and DELETE. The third refuses an INSERT whose key stands already, because INSERT OR REPLACE deletes
the row in the way without calling a DELETE trigger. It cannot tell OR REPLACE from OR IGNORE and refuses both. It
stands too on each table that a model guards by triggers of its own: without it, a row that such a trigger lets nobody
change would be put back otherwise.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.audit.triggers import PREFIX, Trigger
from portal.search.indexes.sqlite import triggers
from portal.search.registry import indexed

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_TRIGGERS = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
# The unique indexes of all tables, column by column; an expression has no name.
_UNIQUE = """
SELECT t.name, l.name, x.name, x.coll, i.sql
  FROM sqlite_master t, pragma_index_list(t.name) l, pragma_index_xinfo(l.name) x
  LEFT JOIN sqlite_master i ON i.type = 'index' AND i.name = l.name
 WHERE t.type = 'table' AND l."unique" AND x.key
 ORDER BY t.name, l.name, x.seqno
"""
_CONDITION = re.compile(r"\)\s*WHERE\s+(.*)$", re.DOTALL | re.IGNORECASE)
_COLUMN = re.compile(r'"([^"]+)"')


class Guards:
    """The guards of one database file: those meant beside those that stand."""

    def __init__(self, connection: BaseDatabaseWrapper, tables: Sequence[str], declared: Sequence[Trigger]) -> None:
        self.connection = connection
        self.tables = list(tables)
        self.declared = [trigger for trigger in declared if trigger.sqlite]
        self.replaceable = sorted({trigger.table for trigger in self.declared} - {*tables})

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def _meant(self) -> dict[str, tuple[str, str]]:
        """Return table and text of each trigger by its name, for the tables that exist."""
        there, keys = {name for (name,) in self._rows(_TABLES)}, self._keys()
        found: dict[str, tuple[str, str]] = {}
        for table in self.tables:
            if table in there:
                found |= {name: (table, text) for name, text in _three(table, keys[table])}
        for table in self.replaceable:
            if table in there:
                name, text = _replacing(table, keys[table])
                found[name] = table, text
        found |= {t.name: (t.table, t.sqlite.strip().rstrip(";")) for t in self.declared if t.table in there}
        return found

    def _keys(self) -> dict[str, list[str]]:
        """Return, for each table, the conditions under which a new row meets one that stands: one for each key."""
        keys: dict[tuple[str, str, str], list[tuple[str | None, str]]] = defaultdict(list)
        for table, index, column, collation, text in self._rows(_UNIQUE):
            if table in self.tables or table in self.replaceable:
                keys[table, index, text or ""].append((column, collation))
        found: dict[str, list[str]] = defaultdict(list)
        for (table, index, text), columns in keys.items():
            found[table].append(_meeting(table, index, columns, text))
        return found

    def _standing(self) -> dict[str, tuple[str, str]]:
        return {name: (table, text) for name, table, text in self._rows(_TRIGGERS) if name.startswith(PREFIX)}

    def _lost(self) -> dict[str, tuple[str, str]]:
        standing = self._standing()
        return {name: guard for name, guard in self._meant().items() if standing.get(name) != guard}

    def missing(self) -> list[str]:
        """Return the guards that do not stand as meant."""
        return [f"{table}: {name}" for name, (table, _) in self._lost().items()]

    def strange(self) -> list[str]:
        """Return the triggers beside the guards on the tables that have any, but what keeps the words of search."""
        meant, keeping = self._meant(), triggers(indexed())
        watched = {table for table, _ in meant.values()}  # a trigger's table is kept as somebody typed it
        found = sorted(
            (table.lower(), name)
            for name, table, text in self._rows(_TRIGGERS)
            if name not in meant and keeping.get(name) != text
        )
        return [f"{table}: trigger {name}" for table, name in found if table in watched]

    def install(self) -> list[str]:
        """Create what is missing and drop what is ours and no longer meant, in one transaction."""
        meant, standing = self._meant(), self._standing()
        lost = {name: guard for name, guard in meant.items() if standing.get(name) != guard}
        wrong = standing.keys() - (meant.keys() - lost.keys())
        if lost or wrong:
            with transaction.atomic(using=self.connection.alias):
                self._drop(sorted(wrong))
                with self.connection.cursor() as cursor:
                    for _, text in lost.values():
                        cursor.execute(text)
        return [f"{table}: {name}" for name, (table, _) in lost.items()]

    def _drop(self, names: Sequence[str]) -> None:
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"DROP TRIGGER IF EXISTS {self.connection.ops.quote_name(name)}")

    def drop_declared(self) -> None:
        """Drop the triggers that models declare: SQLite rebuilds no table that a trigger of another table names."""
        standing = self._standing()
        self._drop([trigger.name for trigger in self.declared if trigger.name in standing])

    def may_open(self) -> bool:
        """Tell that this process may: whoever writes the file owns it."""
        return True

    def open(self, rows: Mapping[str, tuple[str, Collection[int]]]) -> None:
        """Put, in place of the guard against UPDATE of these tables, one that passes these rows."""
        for table, (key, numbers) in rows.items():
            keys = ", ".join(str(int(number)) for number in numbers)
            passed = f' WHEN NOT (NEW."{key}" = OLD."{key}" AND OLD."{key}" IN ({keys}))'
            name, text = _guard(table, "update", "BEFORE UPDATE", passed, "UPDATE")
            self._drop([name])
            with self.connection.cursor() as cursor:
                cursor.execute(text)

    def lift(self) -> None:
        """Drop every trigger of ours."""
        self._drop(sorted(self._standing()))


def _three(table: str, keys: Sequence[str]) -> list[tuple[str, str]]:
    """Return name and text of each guard of a table."""
    return [
        _guard(table, "update", "BEFORE UPDATE", "", "UPDATE"),
        _guard(table, "delete", "BEFORE DELETE", "", "DELETE"),
        _replacing(table, keys),
    ]


def _replacing(table: str, keys: Sequence[str]) -> tuple[str, str]:
    """Return name and text of the guard that lets no new row take the place of one that stands."""
    met = " OR ".join([_standing(table, "rowid = NEW.rowid"), *keys])
    return _guard(table, "replace", "BEFORE INSERT", f" WHEN {met}", "replacing a row")


def _guard(table: str, name: str, event: str, when: str, what: str) -> tuple[str, str]:
    name = f"{PREFIX}guard_{name}_{table}"
    words = f"Rows of {table} are kept for good: {what} is refused. Write a new row that corrects the old one."
    return name, f'CREATE TRIGGER "{name}" {event} ON "{table}"{when} BEGIN SELECT RAISE(ABORT, \'{words}\'); END'


def _standing(table: str, condition: str) -> str:
    return f'EXISTS (SELECT 1 FROM "{table}" WHERE {condition})'  # noqa: S608 - names of our own tables


def _meeting(table: str, index: str, columns: Sequence[tuple[str | None, str]], text: str) -> str:
    """Return when a new row has the same unique key as one that stands.

    The condition of a partial index is asked of both: of the row that stands as it is written, of the new one over a
    row made of its values. ValueError is raised for a key over an expression: nothing in the project needs one yet.
    """
    equal = []
    for column, collation in columns:
        if column is None:
            raise ValueError(f"{table}: the guard cannot compare the expressions of the unique index {index}.")
        equal.append(f'"{column}" = NEW."{column}" COLLATE {collation}')
    where, condition = " AND ".join(equal), _CONDITION.search(text)
    if condition is None:
        return _standing(table, where)
    asked = sorted(set(_COLUMN.findall(condition[1])))
    made = ", ".join(f'NEW."{column}" AS "{column}"' for column in asked)
    new = f"EXISTS (SELECT 1 FROM (SELECT {made}) WHERE {condition[1]})"  # noqa: S608 - names of our own columns
    return f"({new} AND {_standing(table, f'{where} AND ({condition[1]})')})"
