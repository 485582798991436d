"""The audited base: every change of such a row leaves a history row that names actor, origin, gesture and reason."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.base import ModelBase
from django.db.models.expressions import Combinable
from django.db.models.fields.files import FieldFile

from portal.audit.history import (
    AuditHistory,
    HistoryBypassed,
    HistoryFields,
    HistoryQuerySet,
    entry_point,
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

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save the row and its history in one transaction; write nothing when nothing changed.

        HistoryBypassed is raised for a database expression: history could not say what it became. A stale copy that
        was not changed here thus never writes old values back.
        """
        self._refuse_expressions()
        names = None if update_fields is None else frozenset(update_fields)
        if not (self._state.adding or force_insert or force_update):
            changed = set(self.changed_fields(names))
            if not changed:
                return
            if changed <= AuditHistory.of[type(self)].excluded(type(self)):
                names = frozenset(changed)  # what history says of it, if anything, is asked for its reason there
            else:
                demand_actor_and_reason(self)
        else:
            demand_actor_and_reason(self)
        with transaction.atomic(using=using, savepoint=False):
            super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=names)

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
            wanted = {c.attname for c in self._meta.concrete_fields if _among(c, fields)}
            now = {**self._remembered, **{name: value for name, value in now.items() if name in wanted}}
        self._remembered = now

    def changed_fields(self, among: Collection[str] | None = None) -> list[str]:
        """Return the columns whose values differ from what was loaded or last saved: of all, or of these fields."""
        return [c.attname for c in self._meta.concrete_fields if _among(c, among) and self._differs(c)]

    def stored_value(self, column: models.Field[Any, Any], saved: Collection[str] | None = None) -> Any:
        """Return the value that the database holds once `saved` fields (all of them when None) were written."""
        if not _among(column, saved) and column.attname in self._remembered:
            return self._remembered[column.attname]
        return getattr(self, column.attname)

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


def _among(column: models.Field[Any, Any], fields: Collection[str] | None) -> bool:
    return fields is None or column.attname in fields or column.name in fields


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
