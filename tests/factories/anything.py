"""A valid row of any model, for the tests that go over all of them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from tests.factories.accounts import make_user

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
_numbers = count(1)

# What the constraints of a model ask for beyond its types.
SPECIAL: dict[str, Any] = {
    "directory.OnCallShift": lambda: {"starts": NOON, "until": NOON + timedelta(hours=8)},
    "incidents.Incident": lambda: {"reference": f"INC-{next(_numbers):06d}"},
    "incidents.EscalationTarget": lambda: {"kind": "team", "team": make("directory.Team")},
    "incidents.IntakeMapping": lambda: {"system": make("directory.System")},
}


def make(model: Any, **given: Any) -> Any:
    """Save and return a row whose required fields hold something plain."""
    if isinstance(model, str):
        model = models.base.apps.get_model(model)
    if model is get_user_model():
        return make_user(**given)
    values = {**SPECIAL.get(model._meta.label, dict)(), **given}
    for field in model._meta.concrete_fields:
        if field.name not in values and not field.primary_key and _required(field):
            values[field.name] = _value(field)
    return model._default_manager.create(**values)


def _required(field: Any) -> bool:
    return not (field.null or field.has_default() or (field.blank and field.empty_strings_allowed))


def _value(field: Any) -> Any:
    number = next(_numbers)
    if field.is_relation:
        target = field.remote_field.model
        kept = target._default_manager.first() if not hasattr(target, "history") else None
        return kept or make(target)
    if field.choices:
        return field.flatchoices[number % len(field.flatchoices) if field.unique else 0][0]
    for kind, value in _values(field, number):
        if isinstance(field, kind):
            return value
    raise TypeError(f"No value for {field}")


def _values(field: Any, number: int) -> list[tuple[Any, Any]]:
    text = f"{field.name}-{number}"[-(field.max_length or 200) :]
    return [
        (models.EmailField, f"person{number}@example.org"),
        ((models.CharField, models.TextField), text),
        (models.DateTimeField, NOON),
        (models.DateField, date(2026, 11, 17)),
        (models.TimeField, time(9)),
        (models.BooleanField, False),
        (models.IntegerField, 1000 + number),
        (models.FloatField, 1.0),
        (models.JSONField, {}),
        (models.BinaryField, b"x"),
        (models.UUIDField, uuid.uuid4()),
    ]
