"""The history of what Django owns and what decides who may do what: groups, their permissions, and permissions.

Roles are groups (portal.accounts.roles). Both models are Django's own, so what an audited model says of itself is said
here for them. Django makes permissions in bulk after migrations, which no signal tells: `record_new` does, after it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from simple_history import register

from portal.audit import trail
from portal.audit.history import AuditHistory, stamp
from portal.audit.models import Difference
from portal.audit.reasons import demand_actor_and_reason
from portal.audit.trail import Teller

BATCH = 500


class LibraryHistory(AuditHistory):
    """History of a model that a library owns: what changed is seen against the newest history row."""

    def __init__(self, *, relations: Collection[str] = ()) -> None:
        super().__init__()
        self.m2m_fields = list(relations)

    def post_save(self, instance: Any, *, created: bool, using: str | None = None, **kwargs: Any) -> None:
        """Record the row as it was saved, unless it stood just so."""
        before = None if created else self._newest(instance)
        if before is None:
            told = self.differences(instance, "+")
            self.create_historical_record(instance, "+", using, differences=told)
            return
        teller = Teller()
        pairs = [(f, getattr(before, f.attname), getattr(instance, f.attname)) for f in self.fields_included(instance)]
        told = [teller.difference(instance, f, old, new, ()) for f, old, new in pairs if old != new]
        if told:
            self.create_historical_record(instance, "~", using, differences=told)

    def row(self, instance: Any, history_type: str, *, saved: Any = None, event: str = "") -> models.Model:
        """Return the unsaved history row of an instance as it stands."""
        demand_actor_and_reason(instance, event)
        values = {f.attname: getattr(instance, f.attname) for f in self.fields_included(instance)}
        history: type[models.Model] = type(instance).history.model
        return history(history_type=history_type, **values, **stamp(event))

    def _newest(self, instance: Any) -> Any:
        return _versions(type(instance)).filter(id=instance.pk).order_by("-history_id").first()

    def _record_owners(
        self,
        field: Any,
        *,
        left: dict[Any, set[Any]] | None = None,
        came: dict[Any, set[Any]] | None = None,
        told: str | None = None,
    ) -> None:
        """Write one history row for each owner, with the names of all permissions read at once."""
        changed = left or came or {}
        keys = {key for found in changed.values() for key in found}
        names = _names(keys) if told is None else {}
        for row in field.model._base_manager.filter(pk__in=changed).order_by("pk"):
            words = told or ", ".join(names[key] for key in sorted(changed[row.pk]))
            difference = Difference(field.name, words, None) if left else Difference(field.name, None, words)
            self.create_historical_record(row, "~", differences=[difference])


def _versions(model: Any) -> models.QuerySet[Any]:
    """Return the history rows of a model."""
    found: models.QuerySet[Any] = model.history.all()
    return found


def _names(keys: Collection[int]) -> dict[int, str]:
    """Return permissions as the trail tells every row that a key points at: name and key."""
    found = Permission.objects.filter(pk__in=keys).select_related("content_type")
    return {row.pk: f"{row} ({row.pk})" for row in found}


def _watch(model: type[models.Model], *, privileged: bool, relations: Collection[str] = ()) -> None:
    """Keep the history of a model that a library owns, and say of it what an audited model says of itself."""
    said = {"privileged": privileged, "masked": (), "belongs_to": "", "self_explaining": frozenset()}
    for name, value in said.items():
        setattr(model, name, value)
    register(model, app="portal.accounts", records_class=LibraryHistory, relations=relations)


_watch(Group, privileged=True, relations=["permissions"])
_watch(Permission, privileged=False)


@transaction.atomic
def record_new() -> None:
    """Begin the history of each permission and group that has none yet, as whoever acts."""
    _begin_permissions()
    history, known = AuditHistory.of[Group], _versions(Group).values("id")
    for group in Group.objects.exclude(pk__in=known).order_by("pk"):
        history.create_historical_record(group, "+", differences=history.differences(group, "+"))
        held = set(group.permissions.values_list("pk", flat=True))
        if held:
            field = Group._meta.get_field("permissions")
            history._record_owners(field, came={group.pk: held})  # noqa: SLF001 - as if they were given now


def _begin_permissions() -> None:
    history, versions = AuditHistory.of[Permission], _versions(Permission)
    missing = Permission.objects.exclude(pk__in=versions.values("id")).select_related("content_type")
    rows = list(missing.order_by("pk"))
    if not rows:
        return
    written = versions.bulk_create([history.row(row, "+") for row in rows], batch_size=BATCH)
    teller = Teller()
    trail.append(
        [
            trail.of_history(row, version, history.differences(row, "+", teller=teller))
            for row, version in zip(rows, written, strict=True)
        ]
    )
