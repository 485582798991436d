"""The tables of an audited model and of its history, as statements speak of them, and their values in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import connection, models

from portal.audit.history import AuditHistory
from portal.audit.tables import TrailRow
from portal.audit.trail import MASKED, Teller, plain


def quoted(name: str) -> str:
    """Return a name of our own models as it is written in a statement."""
    return connection.ops.quote_name(name)


def differ(one: str, other: str) -> str:
    """Return the condition that two columns differ, where nothing equals nothing."""
    operator = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return f"{one} {operator} {other}"


def looked_up(table: str, column: str) -> str:
    """Return the join of a table s to n by this column, row by row through its index.

    PostgreSQL takes the newest history rows for more than they are, and would rather read the whole table.
    """
    if connection.vendor == "postgresql":
        return f"JOIN LATERAL (SELECT * FROM {table} x WHERE x.{column} = n.{column} OFFSET 0) s ON TRUE"  # noqa: S608
    return f"JOIN {table} s ON s.{column} = n.{column}"


@dataclass(frozen=True, slots=True)
class Span:
    """The keys behind `after` and not behind `upto`; None is no bound. Called with a column, the condition for it."""

    after: int | None
    upto: int | None

    def __call__(self, column: str) -> str:
        """Return the condition that a column lies in the span. The bounds are numbers, so that they stand in it."""
        low = [] if self.after is None else [f"{column} > {int(self.after)}"]
        high = [] if self.upto is None else [f"{column} <= {int(self.upto)}"]
        return " AND ".join([*low, *high]) or "1 = 1"


def ask(statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(params))
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


def bound(table: str, column: str, after: int | None, most: int) -> tuple[int | None, int]:
    """Return the key up to which the next `most` rows reach (None: to the end), and how many rows that are."""
    where = Span(after, None)(column)
    found = ask(f"SELECT {column} FROM {table} WHERE {where} ORDER BY {column} LIMIT 1 OFFSET {most - 1}")  # noqa: S608
    upto = int(found[0][0]) if found else None
    where = Span(after, upto)(column)  # of an object with several rows, all of them
    return upto, int(ask(f"SELECT COUNT(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608


class Compared:
    """One audited model: its table, its history's, and the columns that both keep."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model, self.history = model, AuditHistory.of[model]
        self.kept: type[models.Model] = cast("Any", model).history.model
        self.label = model._meta.label_lower
        self.table, self.versions = quoted(model._meta.db_table), quoted(self.kept._meta.db_table)
        self.pk = quoted(str(model._meta.pk.column))
        self.kept_pk = quoted(cast("Any", self.kept._meta.get_field(model._meta.pk.name)).column)

    @cached_property
    def columns(self) -> list[tuple[models.Field[Any, Any], str, str]]:
        """Each kept field with its column in both tables."""
        fields = [field for field in self.history.fields_included(self.model) if not field.primary_key]
        return [
            (f, f"m.{quoted(f.column)}", f"r.{quoted(cast('Any', self.kept._meta.get_field(f.name)).column)}")
            for f in fields
        ]

    def newest(self, where: str) -> str:
        """Return the derived table of each object's newest history row, of the objects in this span of keys."""
        return (
            f"SELECT {self.kept_pk} AS id, MAX(history_id) AS history_id FROM {self.versions} "  # noqa: S608
            f"WHERE {where} GROUP BY {self.kept_pk}"
        )

    def joined(self, span: Callable[[str], str]) -> str:
        """Return the joined tables: n the newest, r the history row, m the row itself where it stands.

        `span` makes the condition that a column lies in the span of keys. It is written for each table: then none is
        read whole for the sake of a few rows.
        """
        return (
            f"FROM ({self.newest(span(self.kept_pk))}) n "
            f"JOIN {self.versions} r ON r.history_id = n.history_id AND {span(f'r.{self.kept_pk}')} "
            f"LEFT JOIN {self.table} m ON m.{self.pk} = n.id AND {span(f'm.{self.pk}')}"
        )

    def names(self, ids: Collection[Any]) -> dict[str, str]:
        """Return what the trail last called these objects, by id."""
        keys = [str(key) for key in ids]
        rows = TrailRow.objects.filter(model=self.label, object_id__in=keys).order_by("id")
        return dict(rows.values_list("object_id", "name"))


class Words:
    """Tells values as the database holds them, in words; secrets as "not shown"."""

    def __init__(self, model: type[models.Model]) -> None:
        self._masked, self._teller = getattr(model, "masked", ()), Teller()

    def told(self, field: models.Field[Any, Any], raw: Any) -> str | None:
        """Return the value in words; None for nothing."""
        if raw is None or raw == "":
            return None
        if field.name in self._masked:
            return MASKED
        value = _converted(field, raw)
        return self._teller.name(field.related_model, value) if field.is_relation else plain(value)


def _converted(field: Any, raw: Any) -> Any:
    """Return the value as the field means it; what it cannot mean, as it stands."""
    expression = field.get_col("m")
    converters = [*connection.ops.get_db_converters(expression), *expression.get_db_converters(connection)]
    try:
        value = raw
        for convert in converters:
            value = convert(value, expression, connection)
        return raw if value is None else field.to_python(value)
    except (ValueError, TypeError, ValidationError):
        return str(raw)
