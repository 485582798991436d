"""How a history row is made: what it holds, who it names, and the writes that would leave none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from django.db import models, transaction
from django.db.models.signals import post_delete, pre_delete, pre_save
from django.utils import timezone
from simple_history.manager import HistoricalQuerySet, HistoryDescriptor, HistoryManager
from simple_history.models import HistoricalRecords

from portal.audit import trail
from portal.audit.actor import current
from portal.audit.reasons import demand_actor_and_reason
from portal.audit.tables import Difference
from portal.audit.trail import ACTOR_LENGTH, Teller, entry_point


class HistoryBypassed(TypeError):
    """A write that would leave no history row, or change one, was refused."""


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


class _Reader(HistoryDescriptor):
    """`history` of a model and of its rows. The library makes a new class of managers each time it is read."""

    managers: ClassVar[Any] = HistoryManager.from_queryset(HistoryQuerySet)

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        return self.managers(self.model, instance)


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
        setattr(sender, self.manager_name, _Reader(getattr(sender, self.manager_name).model))
        pre_save.connect(self.pre_save, sender=sender, weak=False)
        pre_delete.connect(self.pre_delete, sender=sender, weak=False)
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

    def pre_save(self, instance: Any, *, raw: bool = False, using: str | None = None, **_kwargs: Any) -> None:
        """Refuse, before it is written, what would leave no history or could stand without it."""
        if raw:
            raise HistoryBypassed(f"{type(instance).__name__} is audited: a fixture would leave no history.")
        if not transaction.get_connection(using).in_atomic_block:
            raise HistoryBypassed(f"{type(instance).__name__} is audited: save() keeps row and history in one piece.")

    def post_save(self, instance: Any, *, created: bool, using: str | None = None, **kwargs: Any) -> None:
        """Record the row as it was saved, unless it stood just so."""
        saved: Collection[str] | None = kwargs.get("update_fields")
        changed = instance.changed_fields(saved)
        event = "" if created else instance.audit_event(changed)
        if created or event or set(changed) - self.excluded(type(instance)):
            told = self.differences(instance, "+") if created else self.differences(instance, "~", changed)
            self.create_historical_record(
                instance, "+" if created else "~", using, saved=saved, event=event, differences=told
            )
        instance.remember_saved(saved, using)
        instance.__dict__.pop(_STANDING, None)

    def pre_delete(self, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
        """Lock the row, and keep what it holds and what its relations name: after it went nothing tells."""
        model, teller = type(instance), Teller()
        self._hold(instance, using)
        instance.__dict__[_LEAVING] = [
            Difference(field.name, teller.names(field.related_model, keys), None)
            for field in self.get_m2m_fields_from_model(model)
            for keys in _pairs(field, instance, None, reverse=False).values()
        ]

    def post_delete(self, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
        """Record that the row went."""
        told = [*self.differences(instance, "-"), *instance.__dict__.pop(_LEAVING, ())]
        self.create_historical_record(instance, "-", using, differences=told)
        instance.__dict__.pop(_STANDING, None)

    def record_event(self, instance: Any, event: str, using: str | None = None) -> None:
        """Record what was done about a row of which no column changed, with the row as the database holds it."""
        self._hold(instance, using)
        self.create_historical_record(instance, "~", using, saved=(), event=event)
        instance.__dict__.pop(_STANDING, None)

    def _hold(self, instance: Any, using: str | None) -> None:
        """Lock the row and keep what stands: the instance may have been loaded long ago, or changed and not saved."""
        names = [f.attname for f in self.fields_included(instance)]
        row = type(instance)._base_manager.using(using).filter(pk=instance.pk).select_for_update(no_key=True)
        keep_standing(instance, row.order_by("pk").values(*names).first() or {})

    def create_historical_record(
        self,
        instance: Any,
        history_type: str,
        using: str | None = None,
        *,
        saved: Collection[str] | None = None,
        event: str = "",
        differences: Sequence[Difference] = (),
    ) -> None:
        """Write the history row, its many-to-many rows and the row of the trail.

        Unattributed is raised when nobody may be named.
        """
        row = self.row(instance, history_type, saved=saved, event=event)
        row.save(using=using, force_insert=True)
        if history_type == "~":  # a new row has no relations yet, a deleted one has them no longer
            self.create_historical_record_m2ms(row, instance)
        trail.append([trail.of_history(instance, row, differences, event=event)], using)

    def differences(
        self, instance: Any, history_type: str, changed: Collection[str] = (), teller: Teller | None = None
    ) -> list[Difference]:
        """Return what a new or deleted row held, or how the `changed` columns differ from what was last stored."""
        teller, masked = teller or Teller(), instance.masked
        if history_type == "+":
            pairs = [(f, None, getattr(instance, f.attname)) for f in self.fields_included(instance)]
        elif history_type == "-":
            held = instance.__dict__.get(_STANDING, {})
            pairs = [
                (f, held[f.attname] if f.attname in held else getattr(instance, f.attname), None)
                for f in self.fields_included(instance)
            ]
        else:
            stored = instance.stored_values
            pairs = [
                (f, stored.get(f.attname), getattr(instance, f.attname))
                for f in self.fields_included(instance)
                if f.attname in changed
            ]
        told = (teller.difference(instance, f, old, new, masked) for f, old, new in pairs)
        return [found for found in told if found.old is not None or found.new is not None]

    def row(
        self, instance: Any, history_type: str, *, saved: Collection[str] | None = None, event: str = ""
    ) -> models.Model:
        """Return the unsaved history row of an instance.

        With `saved`, other columns are told as the database holds them: somebody else may have changed them since the
        instance was loaded. So is all of a row that was deleted.
        """
        demand_actor_and_reason(instance, event)
        fields, written = self.fields_included(instance), () if history_type == "-" else saved
        held = instance.__dict__.get(_STANDING, {})
        standing = {f.attname for f in fields if f.attname in held and not is_named(f, written)}
        values = {f.attname: held[f.attname] if f.attname in standing else getattr(instance, f.attname) for f in fields}
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
        if action.startswith("pre_"):
            leaving = {} if action == "pre_add" else _pairs(field, instance, pk_set, reverse=reverse)
            keys = set(leaving) if action != "pre_add" else (pk_set or set()) if reverse else {instance.pk}
            instance.__dict__[f"_leaving_{attr}"] = leaving
            _lock(owner, keys)
        elif action in {"post_remove", "post_clear"}:
            self._record_owners(field, left=instance.__dict__.pop(f"_leaving_{attr}", {}))
        elif action == "post_add" and pk_set:
            came = {key: {instance.pk} for key in pk_set} if reverse else {instance.pk: set(pk_set)}
            self._record_owners(field, came=came)

    def watch_targets(self, model: type[models.Model]) -> None:
        """Record the relations of `model` that end because what they point at is deleted."""
        for field in self.get_m2m_fields_from_model(model):
            ending = _Ending(self, field)
            pre_delete.connect(ending.begins, sender=field.related_model, weak=False)
            post_delete.connect(ending.ends, sender=field.related_model, weak=False)

    def _record_owners(
        self,
        field: Any,
        *,
        left: dict[Any, set[Any]] | None = None,
        came: dict[Any, set[Any]] | None = None,
        told: str | None = None,
    ) -> None:
        """Write one history row for each owner with what left its relation, or what came to it.

        The owners are read anew, under the lock that was taken before the relation changed: what history says of
        their columns is what the database holds, whatever stood in memory. `told` names what is gone already.
        """
        changed, teller = left or came or {}, Teller()
        for row in field.model._base_manager.filter(pk__in=changed).order_by("pk"):
            names = told or teller.names(field.related_model, changed[row.pk])
            difference = Difference(field.name, names, None) if left else Difference(field.name, None, names)
            self.create_historical_record(row, "~", differences=[difference])


def is_named(field: models.Field[Any, Any], names: Collection[str] | None) -> bool:
    """Tell whether a field is one of those that are named, by either of its names; each is when names is None."""
    return names is None or field.attname in names or field.name in names


_STANDING, _LEAVING = "_standing", "_leaving"


def keep_standing(instance: models.Model, values: Mapping[str, Any]) -> None:
    """Keep what the database holds of a row that is being saved or deleted, for the history row that is to come."""
    instance.__dict__[_STANDING] = values


class _Ending:
    """What stood in an audited relation is deleted: the relation ends without a signal of its own."""

    def __init__(self, history: AuditHistory, field: Any) -> None:
        self.history, self.field, self.key = history, field, f"_ending_{field.model._meta.label_lower}_{field.name}"

    def begins(self, instance: Any, **_kwargs: Any) -> None:
        """Remember whose relation it stands in, and lock them."""
        left = _pairs(self.field, instance, None, reverse=True)
        _lock(self.field.model, set(left))
        instance.__dict__[self.key] = (left, f"{instance} ({instance.pk})")

    def ends(self, instance: Any, **_kwargs: Any) -> None:
        """Record that it left them."""
        left, told = instance.__dict__.pop(self.key, ({}, ""))
        if left:
            self.history._record_owners(self.field, left=left, told=told)  # noqa: SLF001 - two halves of one class


def _lock(owner: Any, keys: Collection[Any]) -> None:
    """Let acts on the relations of one record wait for each other: each history row holds all of them."""
    if keys:
        list(owner._base_manager.select_for_update(of=("self",), no_key=True).filter(pk__in=keys).order_by("pk"))


def _pairs(field: Any, instance: Any, others: set[Any] | None, *, reverse: bool) -> dict[Any, set[Any]]:
    """Return, for each owning row that is about to lose relations by an act on `instance`, which ones."""
    mine, theirs = field.m2m_field_name(), field.m2m_reverse_field_name()
    here, there = (theirs, mine) if reverse else (mine, theirs)
    rows = field.remote_field.through._default_manager.filter(**{here: instance.pk})
    if others is not None:
        rows = rows.filter(**{f"{there}__in": others})
    found: dict[Any, set[Any]] = {}
    for owner, other in rows.values_list(mine, theirs):
        found.setdefault(owner, set()).add(other)
    return found
