"""Which tables are guarded: found in the models, so that none can be forgotten."""

from __future__ import annotations

from django.apps import apps
from django.db import models

from portal.audit.history import HistoryFields
from portal.audit.triggers import Trigger


def is_guarded(model: type[models.Model]) -> bool:
    """Return whether rows of this model are written once: history, its relations, the trail, seals and facts."""
    return (
        issubclass(model, HistoryFields)
        or hasattr(model, "m2m_history_id")  # django-simple-history's model of an audited many-to-many field
        or bool(getattr(model, "append_only", False))
    )


def guarded_models() -> list[type[models.Model]]:
    """Return every guarded model that has a table of its own."""
    return [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy and is_guarded(model)]


def guarded_tables() -> list[str]:
    """Return the names of the guarded tables in alphabetical order."""
    return sorted({model._meta.db_table for model in guarded_models()})


def declared() -> list[Trigger]:
    """Return the triggers that models declare themselves."""
    found = (trigger for model in apps.get_models() for trigger in vars(model).get("database_guards", ()))
    return sorted(found, key=lambda trigger: (trigger.table, trigger.name))
