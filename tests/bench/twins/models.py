"""Twins of audited models: the same columns, a plain QuerySet, and the library's own HistoricalRecords."""

from __future__ import annotations

import copy
from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from incidents.models import Incident
from portal.directory.models import System


def twin(model: type[models.Model]) -> type[models.Model]:
    """Return a model with the columns and audited relations of `model`."""
    fields: dict[str, Any] = {}
    for field in (*model._meta.concrete_fields, *model._meta.local_many_to_many):
        if field.primary_key:
            continue
        if field.many_to_many:
            fields[field.name] = models.ManyToManyField(field.remote_field.model, related_name="+")
        elif field.is_relation:
            fields[field.name] = models.ForeignKey(
                field.remote_field.model if field.remote_field.model is not model else "self",
                null=field.null,
                on_delete=models.PROTECT,
                related_name="+",
            )
        else:
            fields[field.name] = copy.deepcopy(field)
    related = [fields[name] for name in getattr(model, "audited_m2m", [])]
    names = {"__module__": __name__, "history": HistoricalRecords(m2m_fields=related)}
    return type(f"Plain{model.__name__}", (models.Model,), {**fields, **names})


PlainSystem = twin(System)
PlainIncident = twin(Incident)
TWINS = {System: PlainSystem, Incident: PlainIncident}
