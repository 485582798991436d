"""The trail against what it tells of: history rows, and facts that stand for themselves, such as decisions.

A fact says in `told_as` how it is told. Each row of such a table has one row of the trail, of the same gesture, about
the same record, by the same person and of the same moment; and what it copies of that record is still what stands
there. The other way round, a row of the trail that tells of a change or of such a fact has its ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import models

from portal.audit.enums import OF_HISTORY
from portal.audit.facts import AppendOnlyModel
from portal.audit.holds import TombstonedRow
from portal.audit.reconciling.compared import Compared, Span, ask, bound, differ, quoted
from portal.audit.reconciling.comparing import TRAIL, Look, Part
from portal.audit.reconciling.findings import Finding, Kind
from portal.audit.seals import Seal
from portal.audit.tables import TrailRow

CHANGES = ", ".join(f"'{action.value}'" for action in OF_HISTORY.values())


def told_facts() -> list[type[AppendOnlyModel]]:
    """Return the tables of facts that say how the trail tells them, in a fixed order."""
    known = [model for model in apps.get_models() if issubclass(model, AppendOnlyModel) and model.told_as is not None]
    return sorted(known, key=lambda model: str(model._meta.label_lower))


def without_words(model: type[models.Model], key: str) -> str:
    """Return the condition that a tombstone took the words of the sealed row with this key: who did it went too."""
    gone, seal = quoted(TombstonedRow._meta.db_table), quoted(Seal._meta.db_table)
    return (
        f"EXISTS (SELECT 1 FROM {seal} w JOIN {gone} g ON g.seal_id = w.position "  # noqa: S608 - names of our own tables
        f"WHERE w.source = '{model._meta.label_lower}' AND w.row_id = {key})"
    )


class Facts(Part):
    """Facts of one kind that the trail does not tell, or tells otherwise, or that do not fit their record."""

    def __init__(self, model: type[AppendOnlyModel]) -> None:
        told = model.told_as
        assert told is not None  # noqa: S101 - for the type checker
        self.model, self.told = model, told
        self.key = f"facts {model._meta.label_lower}"
        self.table, self.pk = quoted(model._meta.db_table), quoted(str(model._meta.pk.column))
        field: Any = model._meta.get_field(told.subject)
        self.about: Any = field.related_model
        self.subject = quoted(field.column)

    def telling(self, fact: str, row: str) -> str:
        """Return the condition that a row of the trail tells of a fact."""
        return (
            f"{row}.gesture = {fact}.gesture AND {row}.action IN ({self.told.actions}) "
            f"AND {row}.model = '{self.about._meta.label_lower}' "
            f"AND {row}.object_id = CAST({fact}.{self.subject} AS TEXT)"
        )

    def unfounded(self, row: str) -> str:
        """Return the condition that a row of the trail tells of such a fact, and there is none."""
        return (
            f"{row}.action IN ({self.told.actions}) AND {row}.model = '{self.about._meta.label_lower}' "  # noqa: S608
            f"AND NOT EXISTS (SELECT 1 FROM {self.table} d WHERE {self.telling('d', row)})"
        )

    def look(self, after: int | None, most: int) -> Look:
        """Look at the facts that come next."""
        upto, rows = bound(self.table, self.pk, after, most)
        span = Span(after, upto)
        told = f"SELECT 1 FROM {TRAIL} t WHERE {self.telling('d', 't')}"  # noqa: S608 - names of our own tables
        unheard, misheard, strays = f"NOT EXISTS ({told})", f"NOT EXISTS ({told} AND {self._fits()})", self._strays()
        found = ask(
            f"SELECT d.{self.pk}, {unheard}, {misheard}, {strays} FROM {self.table} d "  # noqa: S608
            f"JOIN {quoted(self.about._meta.db_table)} r ON r.id = d.{self.subject} "
            f"WHERE {span(f'd.{self.pk}')} AND ({misheard} OR {strays})"
        )
        findings = []
        for key, is_unheard, is_misheard, has_strayed in found:
            kinds = [Kind.UNHEARD] if is_unheard else [Kind.MISHEARD] if is_misheard else []
            kinds += [Kind.STRAYS] if has_strayed else []
            findings += [Finding(kind, str(self.model._meta.label_lower), str(key), row=key) for kind in kinds]
        return Look(findings, upto, rows)

    def _fits(self) -> str:
        """Return the condition that a row of the trail names the same person and moment as the fact."""
        told = self.told
        same = f"NOT ({differ('t.actor_id', f'd.{told.who}')}) AND t.actor_name = d.{told.name}"
        return f"t.at = d.{told.at} AND ({same} OR {without_words(TrailRow, 't.id')} OR {self._spared()})"

    def _strays(self) -> str:
        """Return the condition that a copy is not what its record holds, or held in that round."""
        strays = [differ(f"d.{name}", f"r.{name}") for name in self.told.copies]
        if self.told.copies_of_round:
            kept = Compared(self.about).versions
            same = " AND ".join(f"NOT ({differ(f'd.{name}', f'h.{name}')})" for name in self.told.copies_of_round)
            in_round = f"SELECT 1 FROM {kept} h WHERE h.id = d.{self.subject} AND h.round = d.round"  # noqa: S608
            strays.append(f"(EXISTS ({in_round}) AND NOT EXISTS ({in_round} AND {same}))")
        return f"(({' OR '.join(strays) or '1 = 0'}) AND NOT {self._spared()})"

    def _spared(self) -> str:
        return without_words(self.model, f"d.{self.pk}")


class Groundless(Part):
    """Rows of the trail that tell of what is not there: a history row, a fact, or history of nothing that is kept."""

    key = "groundless audit.trailrow"

    def __init__(self, audited: Sequence[type[models.Model]], facts: Sequence[Facts]) -> None:
        self._of, self._facts = [Compared(model) for model in audited], facts

    def look(self, after: int | None, most: int) -> Look:
        """Look at the rows of the trail that come next."""
        upto, rows = bound(TRAIL, "id", after, most)
        span = Span(after, upto)("t.id")
        return Look([*self._lost(span), *self._baseless(span)], upto, rows)

    def _lost(self, span: str) -> list[Finding]:
        """Return the rows of the trail whose history row is missing."""
        where = f"{span} AND t.history_id IS NOT NULL"
        first_and_last = ask(
            f"SELECT t.model, MIN(t.history_id), MAX(t.history_id) FROM {TRAIL} t WHERE {where} GROUP BY t.model"  # noqa: S608
        )
        there = {model: (first, last) for model, first, last in first_and_last}
        findings: list[Finding] = []
        for of in (of for of in self._of if of.label in there):
            first, last = there[of.label]
            found = ask(
                f"SELECT t.id, t.object_id, t.name FROM {TRAIL} t LEFT JOIN {of.versions} r "  # noqa: S608
                f"ON r.history_id = t.history_id AND r.history_id BETWEEN %s AND %s "
                f"WHERE {where} AND t.model = %s AND t.history_id BETWEEN %s AND %s AND r.history_id IS NULL",
                [first, last, of.label, first, last],  # rows that came since are looked at by the next run
            )
            findings += [Finding(Kind.GROUNDLESS, of.label, key, name, row=row_id) for row_id, key, name in found]
        return findings

    def _baseless(self, span: str) -> list[Finding]:
        """Return the rows that tell of a change without saying which, of history that nobody keeps, or of no fact.

        All of them can be typed by whoever may append to the trail. Nothing in the portal writes one.
        """
        kept = ", ".join(f"'{of.label}'" for of in self._of) or "''"  # PostgreSQL takes no empty list
        unfounded = [
            f"t.action IN ({CHANGES}) AND t.history_id IS NULL",
            f"t.history_id IS NOT NULL AND (t.action NOT IN ({CHANGES}) OR t.model NOT IN ({kept}))",
            *(fact.unfounded("t") for fact in self._facts),
        ]
        found = ask(
            f"SELECT t.id, t.model, t.object_id, t.name FROM {TRAIL} t "  # noqa: S608
            f"WHERE {span} AND ({' OR '.join(f'({one})' for one in unfounded)})"
        )
        return [Finding(Kind.BASELESS, model, key, name, row=row_id) for row_id, model, key, name in found]
