"""Several counts in one query."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import IntegerField, QuerySet, Subquery


class Counted(Subquery):
    """How many rows a query has, as a column of another one. A slice of it counts no further than its length."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts_of(**wanted: QuerySet[Any]) -> dict[str, int]:
    """Return how many rows each of some queries has, by name. One query, or none where all are empty anyway.

    A query that is cut off is counted no further than where it ends.
    """
    found = dict.fromkeys(wanted, 0)
    parts: list[tuple[str, str]] = []
    values: list[Any] = []
    for name, rows in wanted.items():
        try:
            plain = rows if rows.query.is_sliced else rows.order_by()
            sql, params = plain.values("pk").query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append((name, f"(SELECT COUNT(*) FROM ({sql}) counted)"))  # noqa: S608 - a query of Django's
        values += params
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(sql for _, sql in parts)}", values)
            found |= dict(zip((name for name, _ in parts), cursor.fetchone(), strict=True))
    return found
