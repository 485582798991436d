"""The first of two people: which sealed rows a law makes go, and why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from portal.audit import trail
from portal.audit.actor import By, acting
from portal.audit.enums import Action
from portal.audit.holds import TombstoneRequest
from portal.audit.retention.rules import (
    MOST_ROWS,
    NO_ROWS,
    NOT_SEALED,
    TOO_MANY,
    TRAIL,
    Refused,
    check_free,
    check_seals,
    known_kind,
    person_of,
    reason_of,
    wait_in_line,
)
from portal.audit.seals import Seal
from portal.audit.shapes import sources
from portal.audit.tables import TrailRow


def positions_of(model: str, object_id: str, *, until: datetime | None = None, parts: bool = False) -> list[int]:
    """Return where the rows about an object are sealed, those that a tombstone has replaced already left out.

    Of `until` and later no row is taken; with `parts`, also rows about what belongs to the object. A row of a table of
    facts, such as records.note, is its own object. Refused is raised when there are none, when one has no seal yet, and
    for more than one request takes.
    """
    kind, source = known_kind(model), TRAIL
    if kind in {str(known._meta.label_lower) for known in sources()}:
        source, ids = kind, [int(object_id)] if object_id.isdecimal() and len(object_id) < 19 else []
        there = next(known for known in sources() if known._meta.label_lower == kind)
        ids = list(there._base_manager.filter(pk__in=ids).values_list("pk", flat=True))
    else:
        about = Q(model=kind, object_id=object_id)
        rows = TrailRow.objects.filter(about | Q(root_model=kind, root_id=object_id) if parts else about)
        if until is not None:
            rows = rows.filter(at__lt=until)
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[: 10 * MOST_ROWS])
    if not ids:
        raise Refused(NO_ROWS)
    if len(ids) > MOST_ROWS:
        raise Refused(TOO_MANY.format(rows=len(ids)))
    seals = Seal.objects.filter(source=source, row_id__in=ids).order_by("position").values_list("position", "salt")
    if len(seals) < len(ids):
        raise Refused(NOT_SEALED.format(rows=len(ids) - len(seals)))
    left = [position for position, salt in seals if salt is not None]
    if not left:
        raise Refused("A tombstone has replaced all of these rows already.")
    return left


@transaction.atomic
def ask(*, positions: Collection[int], by: By, at: datetime, reason: str) -> TombstoneRequest:
    """Ask that the words at these positions go. Nothing happens until somebody else confirms it, within 30 days.

    Refused is raised while a hold covers one of them, and for what is tombstoned, unsealed or needed.
    """
    person, why, wanted = person_of(by), reason_of(reason), sorted(set(positions))
    if not wanted:
        raise Refused(NO_ROWS)
    if len(wanted) > MOST_ROWS:
        raise Refused(TOO_MANY.format(rows=len(wanted)))
    wait_in_line()
    seals = list(Seal.objects.filter(position__in=wanted).order_by("position"))
    check_seals(wanted, seals)
    check_free(seals)
    made = TombstoneRequest(
        reason=why, positions=wanted, asked_at=at, asked_by=person.name[:200], asked_by_id=person.user_id
    )
    made.save()
    with acting(by=by, at=at, reason=why):
        many = "1 sealed row" if len(wanted) == 1 else f"{len(wanted):,} sealed rows"
        event = f"Asked for a tombstone over {many}: request {made.pk}"
        trail.record(Action.EVENT, event=event, model="audit.tombstonerequest", object_id=made.pk, privileged=True)
    return made
