"""What people call the kinds, fields and values that the trail names by their code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.urls import reverse

from portal.audit.models import TrailRow

REFERENCE = re.compile(r"[A-Z]{2,6}-\d{4,}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_KEYED = re.compile(r"(.+) \((\d{1,18})\)", re.DOTALL)
_CODE = re.compile(r" \([^()]*\)$")
_KEY = re.compile(r" \(\d+\)(?=, |$)")


@cache
def kind_of(label: str) -> str:
    """Return what people call a model: "severity level"; its label when it is not known any more."""
    model = model_of(label)
    return str(model._meta.verbose_name) if model is not None else label or "record"


@cache
def kinds_of(label: str) -> str:
    """Return what people call many of them: "severity levels"."""
    model = model_of(label)
    return str(model._meta.verbose_name_plural) if model is not None else label


@cache
def model_of(label: str) -> Any:
    """Return the model of that label, or nothing when it is not known any more."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


@cache
def field_of(label: str, name: str) -> Any:
    """Return the field of that model, or nothing when it is not known any more."""
    model = model_of(label)
    try:
        return model._meta.get_field(name) if model is not None else None
    except FieldDoesNotExist:
        return None


@cache
def field_label(label: str, name: str) -> str:
    """Return what people call a field: "response time"; its own name when it is not known any more."""
    return str(getattr(field_of(label, name), "verbose_name", "") or name.replace("_", " "))


def without_keys(text: str) -> str:
    """Return names without the keys that the trail keeps beside them: "Amara Okafor" of "Amara Okafor (12)"."""
    return _KEY.sub("", text)


def without_code(text: str) -> str:
    """Return a choice without the code that the trail keeps beside it: "Waiting" of "Waiting (w)"."""
    return _CODE.sub("", text)


def moment_in(text: str) -> datetime | None:
    """Return the moment that a value tells in UTC, or nothing when it tells none."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it is read: a moment in the reader's zone, a link to what was pointed at, or words."""

    text: str
    moment: datetime | None = None
    url: str = ""


def value_of(model: str, name: str, text: str | None) -> Value | None:
    """Return a value of the trail as it is read; nothing for nothing."""
    if text is None:
        return None
    if (moment := moment_in(text)) is not None:
        return Value(text, moment)
    field = field_of(model, name)
    if getattr(field, "many_to_many", False):
        return Value(without_keys(text))
    match = _KEYED.fullmatch(text)
    if match and field is not None and getattr(field, "many_to_one", False):
        return Value(match[1], url=story_address(field.related_model._meta.label_lower, match[2]))
    return Value(text)


def story_address(model: str, key: str) -> str:
    """Return the address of the life of an object; none for what has no key."""
    if not key or not model or model_of(model) is None:
        return ""
    return reverse("assurance:story", args=[model, key])


def label_of(row: TrailRow) -> str:
    """Return what an object is called in a sentence: its reference, else its name, else its key."""
    if REFERENCE.fullmatch(row.reference):
        return row.reference
    return row.name or (f"number {row.object_id}" if row.object_id else "")


def title_of(row: TrailRow) -> str:
    """Return what an object is called where it stands alone: "INC-000418", "severity level SEV-3"."""
    label = label_of(row)
    if REFERENCE.fullmatch(label) or not row.model:
        return label
    return with_kind(kind_of(row.model), label)


def with_kind(kind: str, label: str) -> str:
    """Return a label with the kind of its object before it, unless it begins with that anyway."""
    return label if label.lower().startswith(kind.lower()) else f"{kind} {label}".strip()
