"""Legal holds: placed and lifted by a named person, each with a reason, both in the trail."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal.audit.actor import By, acting
from portal.audit.holds import LegalHold
from portal.audit.retention.rules import (
    LIFTED,
    NO_KIND,
    NO_ROWS,
    NO_TITLE,
    TRAIL,
    Refused,
    known_kind,
    person_of,
    reason_of,
    wait_in_line,
)
from portal.audit.shapes import sources
from portal.audit.tables import TrailRow
from portal.lib.blank import is_blank


@transaction.atomic
def place(
    hold: LegalHold | None = None,
    *,
    title: str,
    model: str = "",
    object_id: str = "",
    by: By,
    at: datetime,
    reason: str,
) -> LegalHold:
    """Place a hold on one object, on all of one kind, or on the whole record.

    `hold` is an unsaved one of a form. Refused is raised for a kind or object that the record does not know: such a
    hold would keep nothing.
    """
    person, why = person_of(by), reason_of(reason)
    if is_blank(title):
        raise Refused(NO_TITLE)
    kind, key = check_covered(model, str(object_id))
    wait_in_line()
    made = hold or LegalHold()
    made.title, made.model, made.object_id = title.strip()[:200], kind, key
    made.placed_at, made.placed_by = at, person.name[:200]
    with acting(by=by, at=at, reason=why):
        made.save()
    return made


@transaction.atomic
def lift(hold: LegalHold, *, by: By, at: datetime, reason: str) -> LegalHold:
    """Lift a hold: what it covered may be removed from now on, by two people as ever. Refused: it was lifted."""
    person, why = person_of(by), reason_of(reason)
    wait_in_line()
    locked: LegalHold = LegalHold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
    if not locked.stands:
        raise Refused(LIFTED)
    locked.lifted_at, locked.lifted_by = at, person.name[:200]
    with acting(by=by, at=at, reason=why):
        locked.save()
    return locked


def check_covered(model: str, object_id: str) -> tuple[str, str]:
    """Return kind and object as the record names them; Refused is raised for what it does not know."""
    kind, key = known_kind(model.strip()) if model.strip() else "", object_id.strip()
    if key and not kind:
        raise Refused(NO_KIND)
    if key and not _is_known(kind, key):
        raise Refused(NO_ROWS)
    return kind, key


def _is_known(kind: str, key: str) -> bool:
    """Tell whether the record holds anything about an object, or about parts of it."""
    rows = TrailRow.objects.all()
    if rows.filter(model=kind, object_id=key).exists() or rows.filter(root_model=kind, root_id=key).exists():
        return True
    source = next((model for model in sources() if model._meta.label_lower == kind and kind != TRAIL), None)
    return source is not None and key.isdecimal() and source._base_manager.filter(pk=key).exists()
