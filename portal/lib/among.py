"""`among`: a column among many values, given to the database as one parameter.

`in` gives each value a parameter of its own, which Python prepares one by one: for hundreds of ids that takes longer
than the query. SQLite, which bounds the number of parameters, reads them from one JSON text.
"""

from __future__ import annotations

import json
from typing import Any

from django.db.models import BigAutoField, BigIntegerField, ForeignKey, Lookup


class Among(Lookup):
    """`field__among=ids`: whole numbers, none of which may be missing. An empty list finds nothing."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the condition for SQLite, which finds the values in a JSON text."""
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", (*parameters, json.dumps(self._ids()))  # noqa: S608 - the compiler names the column

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the condition for PostgreSQL, which takes an array."""
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", (*parameters, self._ids())

    def _ids(self) -> list[int]:
        return [int(pk) for pk in self.rhs]


def register() -> None:
    """Let keys and whole numbers be looked for so."""
    for field in (BigAutoField, BigIntegerField, ForeignKey):
        field.register_lookup(Among)
