"""History that was kept before there was a trail is told in it too, once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.apps import AppConfig, apps
from django.db import models, transaction

from portal.audit import trail
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.history import AuditHistory
from portal.audit.models import Difference, TrailRow
from portal.audit.trail import Teller
from portal.lib.migrated import is_complete

BATCH = 1000


def adopt_history(sender: AppConfig, using: str, **signal: Any) -> None:
    """After migrations: tell the history that stands, when the trail has just begun and is still empty."""
    if sender.label != TrailRow._meta.app_label or not is_complete(signal):
        return
    if TrailRow.objects.using(using).exists():
        return
    with acting(by="system: trail", reason="The audit trail begins", origin="command", alone=True):
        adopt(using)


def adopt(using: str) -> int:
    """Append a row of the trail for every history row, oldest first within each object; return how many.

    All of it stands or falls together. Names that rows point at are told as they are now: history kept only the keys.
    """
    told = 0
    with transaction.atomic(using=using):
        for model in _audited():
            batch: list[trail.Values] = []
            for values in _told(model, using):
                batch.append(values)
                if len(batch) == BATCH:
                    told += _write(batch, using)
            told += _write(batch, using)
        if told:
            trail.record(Action.EVENT, event=f"Told {told} history rows that were kept before the trail began")
    return told


def _audited() -> list[Any]:
    known = {model for model in apps.get_models() if not model._meta.proxy}
    return sorted(known & AuditHistory.of.keys(), key=lambda model: str(model._meta.label_lower))


def _write(batch: list[trail.Values], using: str) -> int:
    count = len(batch)
    if batch:
        trail.append(batch, using)
        batch.clear()
    return count


def _told(model: Any, using: str) -> Iterator[trail.Values]:
    """Yield the trail's values of each history row of a model."""
    history, teller = AuditHistory.of[model], Teller()
    rows = model.history.using(using).order_by(model._meta.pk.attname, "history_id").iterator(chunk_size=BATCH)
    for _key, versions in groupby(rows, key=attrgetter(model._meta.pk.attname)):
        before: Any = None
        for row in versions:
            yield _values(history, model, row, before, teller)
            before = row


def _values(history: AuditHistory, model: Any, row: Any, before: Any, teller: Teller) -> trail.Values:
    instance = row.instance
    pairs: list[tuple[models.Field[Any, Any], Any, Any]] = []
    for field in history.fields_included(model):
        now, then = getattr(row, field.attname), getattr(before, field.attname) if before is not None else None
        if row.history_type == "-":
            pairs.append((field, now, None))
        elif row.history_type == "+" or then != now:
            pairs.append((field, then if row.history_type == "~" else None, now))
    found = [teller.difference(instance, field, old, new, getattr(model, "masked", ())) for field, old, new in pairs]
    if row.history_type == "~" and before is not None:
        found += list(_relations(history, model, row, before, teller))
    kept = [difference for difference in found if difference.old is not None or difference.new is not None]
    values = trail.of_history(instance, row, kept)
    return values | {"reason": row.history_change_reason or ""}


def _relations(history: AuditHistory, model: Any, row: Any, before: Any, teller: Teller) -> Iterator[Difference]:
    for field in history.get_m2m_fields_from_model(model):
        store = history.m2m_models[field].objects
        target = field.remote_field.through._meta.get_field(field.m2m_reverse_field_name()).attname
        old, new = (
            set(store.filter(history_id=version.pk).values_list(target, flat=True)) for version in (before, row)
        )
        if old != new:
            left, came = teller.names(field.related_model, old - new), teller.names(field.related_model, new - old)
            yield Difference(field.name, left, came)
