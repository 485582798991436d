"""The audited base: every change of such a row leaves a history row that names actor, origin, gesture and reason."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import connections, models, transaction
from django.db.models.base import ModelBase
from django.db.models.expressions import Combinable
from django.db.models.fields.files import FieldFile
from django.db.models.sql import UpdateQuery

from portal.audit.fates import Fate
from portal.audit.history import (
    AuditHistory,
    HistoryBypassed,
    HistoryFields,
    HistoryQuerySet,
    entry_point,
    is_named,
    keep_standing,
)
from portal.audit.reasons import ReasonMissing, Unattributed, demand_actor_and_reason
from portal.audit.runs import Reconciliation
from portal.audit.seals import Anchor, AnchorDelivery, Seal, SealBatch, Shape, SigningKey, Verification
from portal.audit.tables import Difference, TrailQuerySet, TrailRow
from portal.lib.visibility import VisibleQuerySet

__all__ = [
    "Anchor",
    "AnchorDelivery",
    "AuditHistory",
    "AuditedManager",
    "AuditedModel",
    "AuditedQuerySet",
    "Difference",
    "HistoryBypassed",
    "HistoryFields",
    "HistoryQuerySet",
    "LegalHold",
    "ReasonMissing",
    "Reconciliation",
    "Seal",
    "SealBatch",
    "Shape",
    "SigningKey",
    "Tombstone",
    "TombstoneRequest",
    "TombstonedRow",
    "TrailQuerySet",
    "TrailRow",
    "Unattributed",
    "Verification",
    "entry_point",
]


class AuditedQuerySet(VisibleQuerySet):
    """Rows whose bulk writes are refused, because they would leave no history."""

    def update(self, **kwargs: Any) -> int:
        """Refuse: `update` leaves no history. A reverse relation's add, remove and clear come here too."""
        raise self._bypassed("update")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Refuse: `bulk_create` leaves no history."""
        raise self._bypassed("bulk_create")

    def bulk_update(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> int:
        """Refuse: `bulk_update` leaves no history."""
        raise self._bypassed("bulk_update")

    def _raw_delete(self, using: str | None) -> int:
        """Refuse: it sends no signals. Django's own deletions of audited rows do not come here."""
        raise self._bypassed("_raw_delete")

    def _bypassed(self, verb: str) -> HistoryBypassed:
        return HistoryBypassed(
            f"{self.model.__name__} is audited: {verb}() would leave no history. Save each row, "
            "or use portal.audit.bulk."
        )


AuditedManager = models.Manager.from_queryset(AuditedQuerySet)


class AuditedModel(models.Model):
    """A row whose every change is kept with actor, origin, gesture and reason.

    `privileged` rows (who is called, who may do what, what decides) refuse a change by nobody and one without a reason.
    `audited_m2m` names the many-to-many fields that belong to the history, `masked` the fields whose change is told
    without values, `belongs_to` the foreign key to the record that the row is a part of, and `self_explaining` the
    events that are their own reason.
    """

    privileged: ClassVar[bool] = False
    audited_m2m: ClassVar[list[str]] = []
    masked: ClassVar[Collection[str]] = ()
    belongs_to: ClassVar[str] = ""
    self_explaining: ClassVar[frozenset[str]] = frozenset()

    objects = AuditedManager()
    history: ClassVar[Any] = AuditHistory()

    class Meta:
        abstract = True
        base_manager_name = "objects"  # a reverse relation writes through the base manager

    _remembered: Mapping[str, Any] = MappingProxyType({})
    _unsettled: tuple[tuple[Fate, Mapping[str, Any]], ...] = ()  # with what was remembered before each

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save what was changed here, with its history, in one transaction; write nothing when nothing changed.

        Other columns are not written, so that a stale copy never brings old values back, untold and unasked. Of a row
        that was deleted meanwhile nothing is saved: DatabaseError is raised, as for `update_fields`. What is forced,
        and a row whose key was not loaded, is written whole, and told against what the database held.
        HistoryBypassed is raised for a database expression: history could not say what it became.
        """
        self._refuse_expressions()
        names = None if update_fields is None else frozenset(update_fields)
        if not (self._state.adding or force_insert or force_update) and self._knows(self.pk):
            names = frozenset(self.changed_fields(names))
            if not names:
                return
        if names is None or names - AuditHistory.of[type(self)].excluded(type(self)):
            demand_actor_and_reason(self)  # what history says of the others, if anything, is asked for its reason there
        with transaction.atomic(using=using, savepoint=False):
            super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=names)

    def _do_update(  # type: ignore[override]  # the stubs are of Django 6
        self,
        base_qs: models.QuerySet[Any],
        using: str | None,
        pk_val: Any,
        values: Collection[tuple[models.Field[Any, Any], Any, Any]],
        update_fields: Iterable[str] | None,
        forced_update: bool,  # noqa: FBT001 - as Django calls it
    ) -> bool:
        """Update the row while its old values are what history will tell, and keep what its other columns hold.

        One statement does all of it: it names the remembered values as its condition, and returns the columns that it
        leaves alone. To lock and read the row before each save would cost a statement more. That is done only when
        the old values are not known, cannot be compared by the database, or are no longer what it holds.
        """
        row, columns = base_qs.filter(pk=pk_val), [column for column, _, _ in values]
        others = [f for f in AuditHistory.of[type(self)].fields_included(self) if f not in columns]
        if update_fields is not None and self._knows(pk_val) and all(map(self._is_comparable, columns)):
            held = _update(row.filter(**self._unmoved(columns)), values, others)
            if held is not None:
                keep_standing(self, held)
                return True
        names = [column.attname for column in self._meta.concrete_fields]
        stored = row.select_for_update(no_key=True).order_by("pk").values(*names).first()
        if stored is None:
            return False
        keep_standing(self, stored)
        held = {column.attname: stored[column.attname] for column in columns}
        self._remembered = {**self._remembered, **held} if self._knows(pk_val) else stored
        return bool(super()._do_update(base_qs, using, pk_val, values, update_fields, forced_update))  # type: ignore[call-arg]

    def _knows(self, key: Any) -> bool:
        """Tell whether what is remembered is of the row with this key."""
        self._settle()
        return key is not None and self._remembered.get(self._meta.pk.attname) == key

    def _is_comparable(self, column: models.Field[Any, Any]) -> bool:
        return column.attname in self._remembered and isinstance(column, _STEADY)

    def _unmoved(self, columns: Iterable[models.Field[Any, Any]]) -> dict[str, Any]:
        """Return the condition that the row still holds what is remembered of these columns."""
        held = ((column.attname, self._remembered[column.attname]) for column in columns)
        return {f"{name}__isnull" if old is None else name: True if old is None else old for name, old in held}

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any) -> Self:
        """Load the row and remember it, so that a save without a change is seen as one."""
        instance = super().from_db(db, field_names, values, **kwargs)
        instance.remember()
        return instance

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Reload the row, or some of its fields, and remember what was loaded."""
        names = None if fields is None else list(fields)
        self._settle()
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self.remember(names)

    def remember(self, fields: Collection[str] | None = None) -> None:
        """Keep the present values as those that the database holds: of all columns, or of these fields."""
        state = self.__dict__
        names, changeable = _columns(type(self))
        now = {name: state[name] for name in names if name in state}
        for name in changeable & now.keys():
            now[name] = _kept(now[name])
        if fields is not None:
            wanted = {c.attname for c in self._meta.concrete_fields if is_named(c, fields)}
            now = {**self._remembered, **{name: value for name, value in now.items() if name in wanted}}
        self._remembered = now

    def remember_saved(self, fields: Collection[str] | None, using: str | None) -> None:
        """Keep the present values as saved, for as long as the transaction or savepoint that wrote them stands."""
        fate = Fate.of_now(using)
        if not self._unsettled or self._unsettled[-1][0] is not fate:
            self._unsettled = (*self._unsettled, (fate, self.__dict__.get("_remembered", {})))
        self.remember(fields)

    def _settle(self) -> None:
        """Forget what was remembered as saved and was rolled back since."""
        while self._unsettled:
            fate, before = self._unsettled[-1]
            if fate.is_open():
                return
            if fate.stands:
                self._unsettled = ()
            else:
                self._unsettled, self._remembered = self._unsettled[:-1], before

    def changed_fields(self, among: Collection[str] | None = None) -> list[str]:
        """Return the columns whose values differ from what was loaded or last saved: of all, or of these fields."""
        self._settle()
        return [c.attname for c in self._meta.concrete_fields if is_named(c, among) and self._differs(c)]

    @property
    def stored_values(self) -> Mapping[str, Any]:
        """What the database held when the row was loaded or last saved, by column."""
        return self._remembered

    def audit_name(self) -> str:
        """Return what the trail calls this row."""
        return str(self)

    def audit_reference(self) -> str:
        """Return the reference that people know the record by, such as INC-000042; "" when it has none."""
        return str(getattr(self, "reference", ""))

    def audit_event(self, changed: Collection[str]) -> str:
        """Return what history says of a change whose values it leaves out; "" when there is nothing to say.

        `changed` are the columns that were saved with a new value.
        """
        _ = changed
        return ""

    def _differs(self, column: models.Field[Any, Any]) -> bool:
        if column.attname not in self.__dict__:
            return False
        if column.attname not in self._remembered:
            return True
        old, new = self._remembered[column.attname], _kept(self.__dict__[column.attname])
        return old != new and _python(column, old) != _python(column, new)

    def _refuse_expressions(self) -> None:
        for column in self._meta.concrete_fields:
            if isinstance(self.__dict__.get(column.attname), Combinable):
                raise HistoryBypassed(
                    f"{column.name}: give {type(self).__name__} a value, not a database expression. History could not "
                    "say what it became."
                )


# The values of such columns are never changed in place.
_STEADY = (
    models.AutoField,
    models.BooleanField,
    models.CharField,
    models.DateField,
    models.DecimalField,
    models.DurationField,
    models.FloatField,
    models.ForeignKey,
    models.IntegerField,
    models.TextField,
    models.TimeField,
    models.UUIDField,
)


@cache
def _columns(model: type[models.Model]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the columns of a model, and those whose values can be changed in place. Every row that is loaded asks."""
    columns = model._meta.concrete_fields
    return tuple(c.attname for c in columns), frozenset(c.attname for c in columns if not isinstance(c, _STEADY))


def _update(
    rows: models.QuerySet[Any],
    values: Collection[tuple[models.Field[Any, Any], Any, Any]],
    others: Sequence[models.Field[Any, Any]],
) -> dict[str, Any] | None:
    """Update one row; return what its other columns hold, or None when no row meets the condition.

    Django's own update returns no columns.
    """
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_fields(values)
    compiler = query.get_compiler(rows.db)
    statement, parameters = compiler.as_sql()
    table, connection = rows.model._meta.db_table, connections[rows.db]
    returned = ", ".join(connection.ops.quote_name(str(f.column)) for f in others)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} RETURNING {returned}", parameters)
        found = cursor.fetchall()
    if not found:
        return None
    converters = compiler.get_converters([f.get_col(table) for f in others])
    (held,) = compiler.apply_converters(found, converters)
    return {f.attname: value for f, value in zip(others, held, strict=True)}


def _kept(value: Any) -> Any:
    """Return a value that does not change when the instance's own is changed in place."""
    if isinstance(value, FieldFile):
        return value.name
    return copy.deepcopy(value) if isinstance(value, dict | list | set) else value


def _python(column: models.Field[Any, Any], value: Any) -> Any:
    """Return the value as the column means it: "09:00" and a time of nine are the same."""
    try:
        return column.to_python(value)
    except ValidationError:
        return value


# Holds are audited rows themselves, so that they stand after the audited base.
from portal.audit.holds import LegalHold, Tombstone, TombstonedRow, TombstoneRequest  # noqa: E402
