"""How a history row is made: what it holds, who it names, and the writes that would leave none."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable
from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils import timezone
from simple_history.manager import HistoricalQuerySet
from simple_history.models import HistoricalRecords

from portal.audit.actor import current

ACTOR_LENGTH = 200
_OUR_SIDE = ("django.", "simple_history.", "portal.audit.", "asgiref.", "contextlib")


class HistoryBypassed(TypeError):
    """A write that would leave no history row, or change one, was refused."""


class Unattributed(RuntimeError):
    """A privileged row was about to change with nobody named as its actor."""


class HistoryQuerySet(HistoricalQuerySet):
    """History rows: written once, read often."""

    def update(self, **_values: Any) -> NoReturn:
        """Refuse: history is never edited."""
        raise HistoryBypassed("History is never edited.")

    def bulk_update(self, *_rows: Any, **_options: Any) -> NoReturn:
        """Refuse: history is never edited."""
        raise HistoryBypassed("History is never edited.")

    def delete(self) -> NoReturn:
        """Refuse: history is never deleted."""
        raise HistoryBypassed("History is never deleted.")


class HistoryFields(models.Model):
    """What each history row says beyond the row itself. The actor is kept as values: it outlives the account."""

    actor_name = models.CharField("actor", max_length=ACTOR_LENGTH)
    actor_contact_id = models.BigIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=20, blank=True)
    remote_address = models.CharField(max_length=45, blank=True)
    gesture = models.UUIDField(null=True)

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        """Write the row once; HistoryBypassed is raised for a second time."""
        if not self._state.adding:
            raise HistoryBypassed("History is never edited.")
        super().save(**options)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: HistoryBypassed is raised."""
        raise HistoryBypassed("History is never deleted.")


def entry_point() -> str:
    """Return the function that reached the ORM from outside it, to name a write that nobody attributed."""
    frame = inspect.currentframe()
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not f"{name}.".startswith(_OUR_SIDE):
            return f"{name}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "unknown"


def refuse_nobody(row: Any) -> None:
    """Raise Unattributed when the row is privileged and no actor is named."""
    if row.privileged and current() is None:
        raise Unattributed(
            f"Nobody is named as the actor of this change to {row._meta.verbose_name} {row}. "
            "Open acting(by=..., reason=...) around it."
        )


def stamp(event: str = "") -> dict[str, Any]:
    """Return who, when, why and as part of what, for history rows written now. `event` is added to the reason."""
    acting = current()
    if acting is None:
        name = f"unattributed: {entry_point()}"
        return {"history_date": timezone.now(), "actor_name": name[:ACTOR_LENGTH], "history_change_reason": event}
    actor = acting.actor
    return {
        "history_date": acting.at or timezone.now(),
        "history_user_id": actor.user_id,
        "history_change_reason": ". ".join(part for part in (event, acting.reason) if part),
        "actor_name": actor.name[:ACTOR_LENGTH],
        "actor_contact_id": actor.contact_id,
        "origin": acting.origin,
        "remote_address": acting.address,
        "gesture": acting.gesture,
    }


def _user_id(row: Any) -> Any:
    """Return the account's id in place of the account: no query, no foreign key."""
    return row.history_user_id


def _keep_user_id(row: Any, user: Any) -> None:
    row.history_user_id = getattr(user, "pk", user)


class AuditHistory(HistoricalRecords):
    """django-simple-history as this project uses it.

    No foreign key to the user, a text as reason, no row without a change, many-to-many changes from either side, and
    none of the library's ways around history (`skip_history_when_saving`, `save_without_historical_record`).
    `excluded_fields` names fields whose values are never kept.
    """

    of: ClassVar[dict[type[models.Model], AuditHistory]] = {}
    _declared: ClassVar[set[type]] = set()

    def __init__(self, *, excluded_fields: Iterable[str] = ()) -> None:
        super().__init__(
            bases=[HistoryFields],
            inherit=True,
            excluded_fields=list(excluded_fields),
            history_id_field=models.BigAutoField(),
            history_user_id_field=models.BigIntegerField(null=True, blank=True),
            history_user_getter=_user_id,
            history_user_setter=_keep_user_id,
            historical_queryset=HistoryQuerySet,
            m2m_fields_model_field_name="audited_m2m",
        )

    # How the history model is made.

    def contribute_to_class(self, cls: type, name: str) -> None:
        """Remember who declares a history of its own: it replaces the inherited one."""
        self._declared.add(cls)
        super().contribute_to_class(cls, name)

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Make the history model, unless this history is inherited and the model declares its own."""
        if not issubclass(sender, self.cls) or (self.cls is not sender and sender in self._declared):
            return
        super().finalize(sender, **kwargs)
        AuditHistory.of[sender] = self

    def add_extra_methods(self, cls: type) -> None:
        """Add none: the library's is a way to save without history."""

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """Copy the fields, with an index on the row's own id only: history is written more often than searched."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            field.db_index = field.name == model._meta.pk.attname
        return fields

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Return the library's options, but in the order of writing and without permissions of its own.

        Rows of one record are written under its lock, so their ids are in order, whatever moment an act was given.
        Whoever may view a record may view its history.
        """
        own = {"ordering": ("-history_id",), "get_latest_by": "history_id", "default_permissions": ()}
        return {**super().get_meta_options(model), **own}

    def get_meta_options_m2m(self, through_model: type[models.Model]) -> dict[str, Any]:
        """Return the library's options without permissions."""
        return {**super().get_meta_options_m2m(through_model), "default_permissions": ()}

    def get_m2m_fields_from_model(self, model: type[models.Model]) -> list[Any]:
        """Return the audited many-to-many fields in a fixed order."""
        return sorted(super().get_m2m_fields_from_model(model), key=lambda field: field.name)

    def _get_history_user_fields(self) -> dict[str, Any]:
        """Return fields of their own for each history model: the library shares one among all that inherit."""
        fields: dict[str, Any] = super()._get_history_user_fields()
        return {**fields, "history_user_id": self.user_id_field.clone()}

    def _get_history_change_reason_field(self) -> models.Field[Any, Any]:
        return models.TextField(blank=True)

    # How a history row is written.

    def excluded(self, model: type[models.Model]) -> frozenset[str]:
        """Return the columns that this history leaves out, such as a password."""
        return frozenset(f.attname for f in model._meta.concrete_fields if f.name in self.excluded_fields)

    def post_save(self, instance: Any, *, created: bool, using: str | None = None, **kwargs: Any) -> None:
        """Record the row as it was saved, unless it stood just so."""
        if kwargs.get("raw"):
            raise HistoryBypassed(f"{type(instance).__name__} is audited: a fixture would leave no history.")
        saved: Collection[str] | None = kwargs.get("update_fields")
        changed = instance.changed_fields(saved)
        event = "" if created else instance.audit_event(changed)
        if created or event or set(changed) - self.excluded(type(instance)):
            self.create_historical_record(instance, "+" if created else "~", using, saved=saved, event=event)
        instance.remember(saved)

    def post_delete(self, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
        """Record that the row went."""
        self.create_historical_record(instance, "-", using)

    def create_historical_record(
        self,
        instance: Any,
        history_type: str,
        using: str | None = None,
        *,
        saved: Collection[str] | None = None,
        event: str = "",
    ) -> None:
        """Write the history row and its many-to-many rows; Unattributed is raised when nobody may be named."""
        row = self.row(instance, history_type, saved=saved, event=event)
        row.save(using=using, force_insert=True)
        if history_type == "~":  # a new row has no relations yet, a deleted one has them no longer
            self.create_historical_record_m2ms(row, instance)

    def row(
        self, instance: Any, history_type: str, *, saved: Collection[str] | None = None, event: str = ""
    ) -> models.Model:
        """Return the unsaved history row of an instance. With `saved`, other columns are taken as last loaded."""
        refuse_nobody(instance)
        values = {f.attname: instance.stored_value(f, saved) for f in self.fields_included(instance)}
        history: type[models.Model] = type(instance).history.model
        return history(history_type=history_type, **values, **stamp(event))

    def create_historical_record_m2ms(self, history_instance: Any, instance: Any) -> None:
        """Copy the relations as they stand now: one query for each field, one more when there are any."""
        for field in self.get_m2m_fields_from_model(type(instance)):
            through, model = field.remote_field.through, self.m2m_models[field]
            names = [column.attname for column in through._meta.concrete_fields]
            rows = through._default_manager.filter(**{field.m2m_field_name(): instance.pk}).order_by("pk")
            model.objects.bulk_create(
                [model(history_id=history_instance.pk, **values) for values in rows.values(*names)]
            )

    def m2m_changed(self, instance: Any, action: str, attr: str, pk_set: set[Any] | None, **kwargs: Any) -> None:
        """Record a change of a many-to-many field on the row that owns it, whichever side it was made from."""
        reverse, model = kwargs["reverse"], kwargs["model"]
        owner = model if reverse else type(instance)
        field = owner._meta.get_field(attr)
        if action in {"pre_remove", "pre_clear"}:
            instance.__dict__[f"_leaving_{attr}"] = _owners(field, instance, pk_set, reverse=reverse)
        elif action in {"post_remove", "post_clear"}:
            self._record_owners(owner, instance, instance.__dict__.pop(f"_leaving_{attr}", set()), reverse=reverse)
        elif action == "post_add" and pk_set:
            self._record_owners(owner, instance, pk_set if reverse else {instance.pk}, reverse=reverse)

    def _record_owners(self, owner: Any, instance: Any, keys: set[Any], *, reverse: bool) -> None:
        rows = owner._base_manager.filter(pk__in=keys).order_by("pk") if reverse else [instance] * bool(keys)
        for row in rows:
            self.create_historical_record(row, "~", saved=frozenset())


def _owners(field: Any, instance: Any, others: set[Any] | None, *, reverse: bool) -> set[Any]:
    """Return the ids of the owning rows that are about to lose relations to `instance`, or `instance` its own."""
    mine, theirs = field.m2m_field_name(), field.m2m_reverse_field_name()
    here, there = (theirs, mine) if reverse else (mine, theirs)
    rows = field.remote_field.through._default_manager.filter(**{here: instance.pk})
    if others is not None:
        rows = rows.filter(**{f"{there}__in": others})
    return set(rows.values_list(mine, flat=True))
