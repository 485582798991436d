"""A rule that the database itself keeps, written once for each kind of database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "watchbook_"
LONGEST_NAME = 63  # of PostgreSQL, in bytes


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger that a model declares in `database_guards`; portal.audit.guards installs and checks it.

    `name` is the trigger's, on both databases, and begins with "watchbook_": what begins so and is no longer declared
    is dropped. ValueError is raised for another name. `table` is the table that it stands on. `postgresql` and
    `sqlite` are the full statements that create it: on PostgreSQL a PL/pgSQL function of the same name (CREATE OR
    REPLACE FUNCTION ... AS $$ ... $$) and the trigger that calls it, on SQLite one CREATE TRIGGER. "" means that the
    database has none.

    The CREATE TRIGGER of PostgreSQL is written in the words that pg_get_triggerdef() answers with, because that is
    what it is compared with: events in the order INSERT OR DELETE OR UPDATE OR TRUNCATE, conditions in its brackets.
    The guards fix the function's search_path and let the trigger fire in every session.

    A trigger may read other tables. SQLite refuses to rebuild a table while a trigger names it ("error in trigger"),
    so that all of them are dropped before migrations run, and created again after them.
    """

    name: str
    table: str
    postgresql: str
    sqlite: str

    def __post_init__(self) -> None:
        if not self.name.startswith(PREFIX) or len(self.name.encode()) > LONGEST_NAME:
            raise ValueError(f"{self.name}: a trigger's name begins with {PREFIX} and has at most 63 letters.")


def refusing(name: str, *, table: str, act: str, what: str, refusals: Mapping[str, str], first: str = "") -> Trigger:
    """Return the trigger that refuses one act on the rows of a table, each refusal with its sentence.

    `act` is INSERT, UPDATE or DELETE. `refusals` holds what is refused and its condition in the SQL of PostgreSQL over
    OLD and NEW; SQLite writes IS NOT for IS DISTINCT FROM. Each message begins with `what`. `first` is PL/pgSQL that
    runs before the conditions, such as the lock that they are read under.
    """
    row = "OLD" if act == "DELETE" else "NEW"
    checks = "\n".join(
        f"  IF {condition} THEN RAISE EXCEPTION '{what}: {words}' USING ERRCODE = 'check_violation'; END IF;"
        for words, condition in refusals.items()
    )
    steps = "\n".join(
        f"  SELECT RAISE(ABORT, '{what}: {words}') WHERE {condition.replace('IS DISTINCT FROM', 'IS NOT')};"
        for words, condition in refusals.items()
    )
    stands = f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW"
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
    body = f"\nBEGIN\n{first}{checks}\n  RETURN {row};\nEND;\n"
    return Trigger(
        name,
        table,
        postgresql=f"{function} $guard${body}$guard$;\n{stands} EXECUTE FUNCTION {name}();",
        sqlite=f"{stands}\nBEGIN\n{steps}\nEND;",
    )
