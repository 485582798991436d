"""The statement by which PostgreSQL finds the rows of a page: from one span of days to the next.

Each span holds about as many rows as the next, so within one any plan is short, and no filter leads to a long one,
whether much, little or nothing fits it, and wherever that lies. What takes longer than the budget is cut off and says
how far it looked.

Words and changed fields are found by the index trail_by_terms. It also tells the day of a row, so that it is asked for
the words within a span. What matches seldom is taken at once; what matches often is found in the first spans; what
matches often, but elsewhere, by going from span to span.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from portal.assurance.selectors.trail_filters import Place
from portal.audit.models import TrailRow

BUDGET = timedelta(milliseconds=60)
ROWS_OF_A_SPAN = 16_000
LONGEST_SPAN = 400  # days
NEAR_SPANS = 8
FEW = 10_000
DAY_ZERO = datetime(2000, 1, 1, tzinfo=UTC)

AT = '"audit_trail"."at"'
TERMS = "audit_trail_terms(at, action, model, fields, reason, name, reference)"
_DAY = "((at AT TIME ZONE 'UTC')::date - DATE '2000-01-01')"
_START = "TIMESTAMPTZ '2000-01-01 00:00:00+00' + INTERVAL '24 hours' *"

# Between which days rows lie, and how many days a span has.
_FRAME = f"""
frame AS MATERIALIZED (
  SELECT GREATEST(lo, %s) AS lo, LEAST(hi, %s) AS hi,
    GREATEST(1, LEAST(%s, %s * (hi - lo + 1) / GREATEST(known, 1)))::int AS step
  FROM (SELECT
    (SELECT {_DAY} FROM audit_trail ORDER BY at, id LIMIT 1) AS lo,
    (SELECT {_DAY} FROM audit_trail ORDER BY at DESC, id DESC LIMIT 1) AS hi,
    (SELECT reltuples::bigint FROM pg_class WHERE oid = 'audit_trail'::regclass) AS known
  ) whole
)"""  # noqa: S608 - no value of anybody's
_SPANS = """
spans AS MATERIALIZED (
  SELECT row_number() OVER (ORDER BY first {way}) AS number, first, first + step - 1 AS last,
    (SELECT string_agg('d\\:' || day, '|')::tsquery FROM generate_series(first, first + step - 1) day) AS days
  FROM frame, {series} first
)"""
_UPWARDS = "generate_series(lo, hi, step)"
_DOWNWARDS = "generate_series(hi - step + 1, lo - step + 1, -step)"

# From span to span, as long as there is time. `cut` is the edge of a span that was not looked at any more.
_GOING = """
far AS MATERIALIZED (
  SELECT x.id, CASE WHEN t.running THEN NULL ELSE {edge} END AS cut
  FROM (SELECT * FROM spans WHERE {which} ORDER BY number) s
  CROSS JOIN LATERAL (
    SELECT s.number > 0 AND clock_timestamp() < statement_timestamp() + %s AS running OFFSET 0
  ) t
  LEFT JOIN LATERAL ({inner}) x ON TRUE
  WHERE x.id IS NOT NULL OR NOT t.running
  LIMIT %s
)"""
_NEAR = """
near AS MATERIALIZED (
  SELECT x.id FROM (SELECT * FROM spans ORDER BY number LIMIT %s) s CROSS JOIN LATERAL ({inner}) x LIMIT %s
)"""
_MATCHED = """
matched AS MATERIALIZED (
  SELECT id FROM audit_trail WHERE (SELECT count(*) FROM near) < %s AND {terms} LIMIT %s
), how AS MATERIALIZED (
  SELECT (SELECT count(*) FROM near) >= %s AS filled, (SELECT count(*) FROM matched) <= %s AS few
)"""
_RARE = "rare AS MATERIALIZED ({inner})"
_IDS = """
  SELECT id, NULL::int AS cut FROM near WHERE (SELECT filled OR NOT few FROM how)
  UNION ALL SELECT id, NULL FROM rare
  UNION ALL SELECT id, cut FROM far"""
_ELSEWHERE = "number > {near} AND (SELECT NOT filled AND NOT few FROM how)"
_ROWS = "SELECT audit_trail.*, ids.cut FROM ({ids}) ids LEFT JOIN audit_trail ON audit_trail.id = ids.id"


@dataclass(slots=True)
class Text:
    """A piece of SQL with its parameters."""

    sql: str = ""
    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spans:
    """What is looked for: at most `limit` of `rows` on one side of `place`, of which the index says `terms`.

    The statement returns the columns of the rows, and in `cut` a day from which on was not looked.
    """

    rows: QuerySet[TrailRow]
    terms: Text
    backwards: bool
    limit: int
    starts: datetime | None
    ends: datetime | None
    place: Place | None

    def statement(self) -> Text:
        """Return the whole of it."""
        parts = [Text(_FRAME, [*self._bounds(), LONGEST_SPAN, ROWS_OF_A_SPAN]), Text(self._spans())]
        parts += self._by_terms() if self.terms.sql else [self._going("TRUE", self._inner(f"t.running AND {_SPAN}"))]
        ids = _IDS if self.terms.sql else "SELECT id, cut FROM far"
        with_parts = ",".join(part.sql for part in parts)
        return Text(f"WITH {with_parts} {_ROWS.format(ids=ids)}", [value for part in parts for value in part.values])

    def looked(self, cuts: list[int]) -> datetime | None:
        """Return how far was looked, given the edges of spans that were not looked at."""
        if not cuts:
            return None
        return DAY_ZERO + timedelta(days=min(cuts) if self.backwards else max(cuts) + 1)

    def _bounds(self) -> list[int | None]:
        """Return the first and the last day that can hold what is looked for; nothing where that is open."""
        edge = None if self.place is None else self.place.at
        low = [moment for moment in (self.starts, edge if self.backwards else None) if moment is not None]
        high = [moment for moment in (self.ends, None if self.backwards else edge) if moment is not None]
        return [_day(max(low)) if low else None, _day(min(high)) if high else None]

    def _spans(self) -> str:
        way, series = ("", _UPWARDS) if self.backwards else ("DESC", _DOWNWARDS)
        return _SPANS.format(way=way, series=series)

    def _by_terms(self) -> list[Text]:
        terms, values = f"({self.terms.sql})", self.terms.values
        near = self._inner(f"{TERMS} @@ ({terms} && s.days)", values)
        rare = self._inner('(SELECT NOT filled AND few FROM how) AND "audit_trail"."id" IN (SELECT id FROM matched)')
        far = self._inner(f"t.running AND {TERMS} @@ {terms} AND {TERMS} @@ s.days", values)
        matched = _MATCHED.format(terms=f"{TERMS} @@ {terms}")
        return [
            Text(_NEAR.format(inner=near.sql), [NEAR_SPANS, *near.values, self.limit]),
            Text(matched, [self.limit, *values, FEW + 1, self.limit, FEW]),
            Text(_RARE.format(inner=rare.sql), rare.values),
            self._going(_ELSEWHERE.format(near=NEAR_SPANS), far),
        ]

    def _going(self, which: str, inner: Text) -> Text:
        edge = "s.first" if self.backwards else "s.last"
        return Text(_GOING.format(edge=edge, which=which, inner=inner.sql), [BUDGET, *inner.values, self.limit])

    def _inner(self, condition: str, values: Iterable[Any] = ()) -> Text:
        """Return the rows of one span, from its edge on. Beside the index of words no index of moments is of use."""
        at = f"({AT} + INTERVAL '0')" if self.terms.sql else AT
        conditions: list[tuple[str, list[Any]]] = [(condition, list(values))]
        conditions += [(f"{at} >= %s", [self.starts])] if self.starts else []
        conditions += [(f"{at} < %s", [self.ends])] if self.ends else []
        if self.place is not None:
            sign = ">" if self.backwards else "<"
            conditions.append((f'({at}, "audit_trail"."id") {sign} (%s, %s)', [self.place.at, self.place.id]))
        order = ("at", "id") if self.backwards else ("-at", "-id")
        told = (RawSQL(text, found, output_field=BooleanField()) for text, found in conditions)  # noqa: S611 - no values
        rows = self.rows.filter(*told)
        sql, params = rows.order_by(*order).values("id", "at")[: self.limit].query.sql_with_params()
        return Text(sql, list(params))


_SPAN = f"{AT} >= {_START} s.first AND {AT} < {_START} (s.last + 1)"


def _day(moment: datetime) -> int:
    return (moment - DAY_ZERO).days
