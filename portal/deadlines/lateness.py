"""How late a moment is in seconds, computed by the database in the one statement that settles a batch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, F, FloatField, Func, Value


class Lateness(Func):
    """Seconds from the column `due` until `at`."""

    arity = 2
    output_field = FloatField()

    def __init__(self, at: datetime | Value, due: F) -> None:
        super().__init__(at if isinstance(at, Value) else Value(at, output_field=DateTimeField()), due)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Django keeps moments as text in SQLite and has a function of its own for their difference in microseconds."""
        return super().as_sql(
            compiler, connection, template="django_timestamp_diff(%(expressions)s) / 1000000.0", **context
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Subtract, then take the whole interval in seconds."""
        return super().as_sql(
            compiler, connection, template="EXTRACT(EPOCH FROM (%(expressions)s))", arg_joiner=" - ", **context
        )
