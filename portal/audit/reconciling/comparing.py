"""How rows are compared with their history: by the database, in batches, each batch in one statement.

One statement sees one moment of the database, and a row, its history and its row of the trail are written together:
what is saved meanwhile is never a finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import models

from portal.audit.enums import OF_HISTORY
from portal.audit.reconciling.compared import Compared, Span, Words, ask, bound, differ, looked_up, quoted
from portal.audit.reconciling.findings import Finding, Kind
from portal.audit.tables import TrailRow
from portal.audit.trail import Teller

TRAIL = quoted(TrailRow._meta.db_table)
TOLD_AT_ONCE = 100  # objects whose values are read in one statement


class Look(NamedTuple):
    """What one batch brought: findings, the key to go on after (None at the end), and how many rows were read."""

    findings: list[Finding]
    after: int | None
    rows: int


class Part:
    """One kind of look at one table, in batches by its key."""

    key: str

    def look(self, after: int | None, most: int) -> Look:
        """Look at the next `most` rows behind the key `after`; from the first when it is None."""
        raise NotImplementedError


class Versions(Part):
    """The newest history row of each object against the row itself, and against its audited relations."""

    def __init__(self, model: type[models.Model]) -> None:
        self.of = Compared(model)
        self.key = f"versions {self.of.label}"

    def look(self, after: int | None, most: int) -> Look:
        """Compare the objects whose history rows come next."""
        of = self.of
        upto, rows = bound(of.versions, of.kept_pk, after, most)
        span = Span(after, upto)
        unlike = " OR ".join(["r.history_type = '-'", *(differ(mine, kept) for _, mine, kept in of.columns)])
        found = ask(
            f"SELECT n.id {of.joined(span)} "
            f"WHERE CASE WHEN m.{of.pk} IS NULL THEN r.history_type <> '-' ELSE {unlike} END"
        )
        findings = self._told([row[0] for row in found])
        for field in of.history.get_m2m_fields_from_model(of.model):
            findings += self._relations(field, span)
        return Look(findings, upto, rows)

    def _told(self, ids: list[Any]) -> list[Finding]:
        """Look at these objects a second time and tell what differs, with the values of that moment."""
        findings: list[Finding] = []
        for start in range(0, len(ids), TOLD_AT_ONCE):
            some = ids[start : start + TOLD_AT_ONCE]
            columns = [f"{differ(mine, kept)}, {mine}, {kept}" for _, mine, kept in self.of.columns]
            head = f"n.id, n.history_id, r.history_type, m.{self.of.pk} IS NULL"
            rows = ask(f"SELECT {', '.join([head, *columns])} {self.of.joined(_among(some))}")
            names = self.of.names(some)
            for row in rows:
                findings += self._of_row(row, names.get(str(row[0]), ""))
        return findings

    def _of_row(self, row: tuple[Any, ...], name: str) -> list[Finding]:
        key, history_id, history_type, gone = row[:4]
        of, deleted = self.of, history_type == "-"
        if gone or deleted:
            if gone and deleted:
                return []
            kind = Kind.VANISHED if gone else Kind.RETURNED
            return [Finding(kind, of.label, str(key), name, row=history_id)]
        words, found = Words(of.model), []
        for number, (field, _, _) in enumerate(of.columns):
            unlike, live, kept = row[4 + 3 * number : 7 + 3 * number]
            if unlike:
                told = words.told(field, live), words.told(field, kept)
                found.append(Finding(Kind.DIFFERS, of.label, str(key), name, field.name, *told, row=history_id))
        return found

    def _relations(self, field: Any, span: Span) -> list[Finding]:
        """Compare one many-to-many field of the objects in this span."""
        of, through = self.of, quoted(field.remote_field.through._meta.db_table)
        mine, theirs = quoted(field.m2m_column_name()), quoted(field.m2m_reverse_name())
        store = quoted(of.history.m2m_models[field]._meta.db_table)
        newest = f"({of.newest(span(of.kept_pk))}) n"
        same = f"s.history_id = n.history_id AND s.{theirs} = t.{theirs}"
        came = ask(
            f"SELECT n.id, n.history_id, t.{theirs} FROM {newest} JOIN {through} t ON t.{mine} = n.id "  # noqa: S608
            f"LEFT JOIN {store} s ON {same} WHERE {span(f't.{mine}')} AND s.history_id IS NULL"
        )
        left = ask(
            f"SELECT n.id, n.history_id, s.{theirs} FROM {newest} {looked_up(store, 'history_id')} "  # noqa: S608
            f"LEFT JOIN {through} t ON t.{mine} = n.id AND t.{theirs} = s.{theirs} AND {span(f't.{mine}')} "
            f"WHERE t.{mine} IS NULL"
        )
        live: dict[Any, set[Any]] = defaultdict(set)
        kept: dict[Any, set[Any]] = defaultdict(set)
        rows: dict[Any, int] = {}
        for found, store_of in ((came, live), (left, kept)):
            for key, history_id, other in found:
                store_of[key].add(other)
                rows[key] = history_id
        names, teller = of.names(rows), Teller()
        return [
            Finding(
                Kind.RELATED,
                of.label,
                str(key),
                names.get(str(key), ""),
                field.name,
                teller.names(field.related_model, live[key]),
                teller.names(field.related_model, kept[key]),
                row=history_id,
            )
            for key, history_id in sorted(rows.items())
        ]


def _among(ids: Sequence[Any]) -> Callable[[str], str]:
    """Return what makes the condition that a column holds one of these keys."""
    keys = ", ".join(str(int(key)) for key in ids)
    return lambda column: f"{column} IN ({keys})"


class Unrecorded(Part):
    """Rows that stand without any history."""

    def __init__(self, model: type[models.Model]) -> None:
        self.of = Compared(model)
        self.key = f"unrecorded {self.of.label}"

    def look(self, after: int | None, most: int) -> Look:
        """Look at the rows that come next."""
        of = self.of
        upto, rows = bound(of.table, of.pk, after, most)
        span = Span(after, upto)
        found = ask(
            f"SELECT m.{of.pk} FROM {of.table} m WHERE {span(f'm.{of.pk}')} AND NOT EXISTS "  # noqa: S608
            f"(SELECT 1 FROM {of.versions} r WHERE r.{of.kept_pk} = m.{of.pk} AND {span(f'r.{of.kept_pk}')})"
        )
        return Look([Finding(Kind.UNRECORDED, of.label, str(key)) for (key,) in found], upto, rows)


class Untold(Part):
    """History rows that the trail does not tell, or tells of another object, moment or act."""

    def __init__(self, model: type[models.Model]) -> None:
        self.of = Compared(model)
        self.key = f"untold {self.of.label}"

    def look(self, after: int | None, most: int) -> Look:
        """Look at the history rows that come next."""
        of = self.of
        upto, rows = bound(of.versions, "history_id", after, most)
        span = Span(after, upto)
        acts = " ".join(f"WHEN '{sign}' THEN '{action.value}'" for sign, action in OF_HISTORY.items())
        otherwise = [
            f"t.object_id <> CAST(r.{of.kept_pk} AS TEXT)",
            "t.at <> r.history_date",
            f"t.action <> CASE r.history_type {acts} END",
        ]
        found = ask(
            f"SELECT r.{of.kept_pk}, r.history_id, t.id FROM {of.versions} r LEFT JOIN {TRAIL} t "  # noqa: S608
            f"ON t.model = %s AND t.history_id = r.history_id AND {span('t.history_id')} "
            f"WHERE {span('r.history_id')} AND (t.id IS NULL OR {' OR '.join(otherwise)})",
            [of.label],
        )
        names = of.names([row[0] for row in found]) if found else {}
        findings = [
            Finding(
                Kind.UNTOLD if told is None else Kind.MISTOLD, of.label, str(key), names.get(str(key), ""), row=row_id
            )
            for key, row_id, told in found
        ]
        return Look(findings, upto, rows)
