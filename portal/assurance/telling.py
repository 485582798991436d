"""What a gesture of privileged changes did, in one line. It reads names of models, and no rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from portal.audit.enums import Action

LONGEST = 300
SHOWN_FIELDS = 3
_VERBS = {Action.CREATED: "Added", Action.CHANGED: "Changed", Action.DELETED: "Removed"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a summary needs of one row of the trail."""

    action: str
    model: str
    name: str
    event: str
    fields: str
    root_model: str
    root_id: str


def summary(rows: Sequence[Told]) -> str:
    """Return what the rows of one gesture did: "Changed severity level SEV-3 Medium: response time"."""
    if len(rows) == 1:
        return _one(rows[0])[:LONGEST]
    first = rows[0]
    if len({(row.root_model, row.root_id) for row in rows}) == 1:
        head = next((row for row in rows if row.model == row.root_model), first)
        verb = _VERBS.get(Action(head.action), "Changed") if head.action in Action.values else "Changed"
        return f"{verb} {kind_of(head.root_model)} {head.name}, {len(rows)} rows"[:LONGEST]
    counted = Counter(kind_of(row.model) for row in rows).most_common()
    parts = ", ".join(f"{number} of {kind}" for kind, number in counted[:4])
    more = f" and {len(counted) - 4} more kinds" if len(counted) > 4 else ""
    return f"{len(rows)} changes: {parts}{more}"[:LONGEST]


def _one(row: Told) -> str:
    verb = _VERBS.get(Action(row.action), "") if row.action in Action.values else ""
    what = f"{kind_of(row.model)} {row.name}".strip()
    if row.event:
        return f"{row.event}: {what}" if row.name and row.name not in row.event else row.event
    names = row.fields.split() if row.action == Action.CHANGED else []
    told = ", ".join(_field(row.model, name) for name in names[:SHOWN_FIELDS])
    more = f" and {len(names) - SHOWN_FIELDS} more" if len(names) > SHOWN_FIELDS else ""
    return f"{verb or 'Changed'} {what}: {told}{more}" if told else f"{verb or 'Changed'} {what}"


@cache
def kind_of(label: str) -> str:
    """Return what people call a model: "severity level"; its label when it is not known any more."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label or "record"


@cache
def _field(label: str, name: str) -> str:
    try:
        return str(getattr(apps.get_model(label)._meta.get_field(name), "verbose_name", name))
    except (LookupError, ValueError, FieldDoesNotExist):  # gone since: it keeps the name that the trail gave it
        return name.replace("_", " ")
