"""Words in the timeline of a change, and what it has to do with other records."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model

from changes.models import Change
from changes.policy import Refused
from changes.services.common import locked, say
from portal.audit.actor import By
from portal.lib.blank import is_blank
from portal.records import linking
from portal.records.models import Note

TEXT_LIMIT = 4000
KINDS = {"fixes": "fixes", "caused": "caused", "suspect": "is suspected of", "carries_out": "carries out"}
"""How a change is linked with what went wrong or was planned: kind of link, and its words from the change's side."""


def add_note(
    change: Change, *, text: str, by: By, at: datetime, event_at: datetime | None = None, reason: str = ""
) -> Note:
    """Write down what was seen or done, at `event_at` when that was earlier. Refused is raised for nothing said."""
    if is_blank(text):
        raise Refused("Write what happened, in a sentence or two.")
    if len(text) > TEXT_LIMIT:
        raise Refused(f"That is {len(text)} characters; {TEXT_LIMIT} fit. Shorten it.")
    if event_at is not None and event_at > at:
        raise Refused("That time lies in the future. Give the time when it happened.")
    with locked(change, by=by, at=at, reason=reason) as row:
        return say(row, "note", "noted", by=by, at=at, event_at=event_at, detail=text.strip())


def relate(change: Change, other: Model, *, kind: str, by: By, at: datetime, reason: str = "") -> None:
    """Say that a change fixes, caused, or is suspected of another record: shown on both.

    Refused is raised for another kind, for one that does not fit the record, and for what is said already.
    """
    if kind not in KINDS:
        raise Refused("Say whether it fixes it, caused it, is suspected, or carries it out.")
    if kind not in linking.takes(other):
        raise Refused(
            f"A change {KINDS[kind]} no such record as {getattr(other, 'reference', other)}. Choose what fits."
        )
    with locked(change, by=by, at=at, reason=reason) as row:
        try:
            linking.link(row, other, kind=kind, words=KINDS[kind], by=by, at=at, reason=reason)
        except ValueError as problem:
            raise Refused(str(problem)) from None


def unrelate(change: Change, other: Model, *, kind: str, by: By, at: datetime, reason: str) -> None:
    """Take back what `relate` said. Refused is raised without a reason, and when it was never said."""
    if is_blank(reason):
        raise Refused("Say in a sentence why it no longer holds. The reason is kept.")
    with locked(change, by=by, at=at, reason=reason) as row:
        try:
            linking.unlink(row, other, kind=kind, by=by, at=at, reason=reason)
        except ValueError as problem:
            raise Refused(str(problem)) from None
