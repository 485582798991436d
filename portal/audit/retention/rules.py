"""What holds and tombstones refuse, with the sentence that says so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections, models

from portal.audit.actor import By, actor_of
from portal.audit.holds import REASON_LENGTH, REQUEST_LASTS, LegalHold, Tombstone, TombstonedRow, TombstoneRequest
from portal.audit.reading import fetch
from portal.audit.reasons import one_line
from portal.audit.seals import Seal
from portal.audit.shapes import sources
from portal.audit.tables import TrailRow
from portal.lib.refusals import Refusal

MOST_ROWS = 5_000  # of one request: a person confirms what they can look through
NAMED = 5
TRAIL = str(TrailRow._meta.label_lower)
PROOF = frozenset(str(model._meta.label_lower) for model in (TombstoneRequest, Tombstone, TombstonedRow))
_LOCK = 0x70B5  # of PostgreSQL, within one database

NOBODY = "Holds and tombstones need a named person. Say who you are with --by."
NO_REASON = "Say why. The reason is kept for good, so name nobody in it whose words are to go."
LONG_REASON = f"Keep the reason under {REASON_LENGTH:,} characters."
SAME_PERSON = (
    "You asked for this tombstone yourself. Another administrator confirms it: that is what two people are for."
)
TOO_OLD = "Request {pk} is older than {days} days. Ask again, so that somebody looks at it anew."
DONE = "Request {pk} was confirmed already: see tombstone {tombstone}."
HELD = "The legal hold “{hold}” covers this. Nothing of it is removed until the hold is lifted."
NOT_SEALED = "{rows} of these rows have no seal yet. Wait a minute, then ask again."
GONE = "{positions} replaced by a tombstone already. Ask for the others alone."
NO_ROWS = "The record holds no such rows. Check the kind and the number of the object."
TOO_MANY = f"These are {{rows:,}} rows; one request takes {MOST_ROWS:,}. Ask for fewer, up to a day."
NO_POSITION = "The chain has no position {position}. Check the number."
PROOFS = "Position {position} proves the record itself ({source}). It stays."
UNKNOWN_KIND = "The portal keeps no record of a kind “{model}”. Write it as in an address, such as directory.contact."
NEEDED = "Position {position} belongs to {needed}. Sign it off or call it off first."
ALTERED = (
    "Position {position} ({source} {row}) is not as it was sealed. Nothing was removed: it may be evidence. Run "
    "manage.py audit verify, and tell an auditor."
)
LIFTED = "This hold was lifted already."
NO_TITLE = "Say what the hold is for, such as the name of a case."
NO_KIND = "Name the kind of the object too, such as directory.contact."
OWNER = (
    "The portal's own role may not remove words from the record. Run this where MIGRATION_DATABASE_URL is set "
    "(docs/operator.md): python3 manage.py audit tombstone confirm {pk} --by USERNAME"
)


class Refused(Refusal):
    """A hold or a tombstone does not fit. The sentence is shown to whoever asked."""


class NotTheOwner(Refused):
    """The connection does not act as the owner of the tables, who alone may remove words."""


class Person(NamedTuple):
    """A named person: name and account."""

    name: str
    user_id: int


def person_of(by: By) -> Person:
    """Return who acts; Refused is raised for a part of the system."""
    found = actor_of(by)
    if found.user_id is None:
        raise Refused(NOBODY)
    return Person(found.name, found.user_id)


def reason_of(text: str) -> str:
    """Return a reason as it is kept; Refused is raised for none, and for one that is too long."""
    why = one_line(text)
    if not why or len(why) > REASON_LENGTH:
        raise Refused(LONG_REASON if why else NO_REASON)
    return why


def wait_in_line(using: str = DEFAULT_DB_ALIAS) -> None:
    """Let holds and tombstones follow one another until the transaction ends. On SQLite they do anyway."""
    if connections[using].vendor == "postgresql":
        fetch(connections[using], "SELECT pg_advisory_xact_lock(%s::bigint)::text", [_LOCK])


def check_request(request: TombstoneRequest, person: Person, *, at: datetime) -> None:
    """Refuse a request that is settled or too old, and whoever made it."""
    done = Tombstone.objects.filter(request=request).first()
    if done is not None:
        raise Refused(DONE.format(pk=request.pk, tombstone=done.pk))
    if person.user_id == request.asked_by_id:
        raise Refused(SAME_PERSON)
    if at - request.asked_at > REQUEST_LASTS:
        raise Refused(TOO_OLD.format(pk=request.pk, days=REQUEST_LASTS.days))


def check_seals(positions: Collection[int], seals: Sequence[Seal]) -> None:
    """Refuse positions that the chain does not have, that are tombstoned, or that prove the record."""
    missing = sorted(set(positions) - {seal.position for seal in seals})
    if missing:
        raise Refused(NO_POSITION.format(position=f"{missing[0]:,}"))
    gone = [seal.position for seal in seals if seal.salt is None]
    if gone:
        raise Refused(GONE.format(positions=_some(gone)))
    for seal in seals:
        if seal.source in PROOF or seal.source == "audit.signingkey":
            raise Refused(PROOFS.format(position=f"{seal.position:,}", source=seal.source))


def check_free(seals: Sequence[Seal]) -> None:
    """Refuse while a hold covers one of these rows, or something open still needs its words."""
    about: set[tuple[str, str]] = set()
    for source, rows in rows_of(seals).items():
        for seal, row in rows:
            about |= set(_about(source, row))
            if row.needed_by:
                raise Refused(NEEDED.format(position=f"{seal.position:,}", needed=row.needed_by))
    for hold in LegalHold.objects.standing().order_by("pk"):
        if any(hold.covers(model, key) for model, key in about):
            raise Refused(HELD.format(hold=hold))


def rows_of(seals: Sequence[Seal]) -> dict[str, list[tuple[Seal, Any]]]:
    """Return the rows that these seals cover, by source; those that are gone are left to verification."""
    found: dict[str, list[tuple[Seal, Any]]] = {}
    for model in sources():
        label = str(model._meta.label_lower)
        own = {seal.row_id: seal for seal in seals if seal.source == label}
        rows = model._base_manager.in_bulk(own) if own else {}
        if rows:
            found[label] = [(own[key], row) for key, row in sorted(rows.items())]
    return found


def _about(source: str, row: Any) -> Iterable[tuple[str, str]]:
    """Yield everything that a row is about, as holds name it: itself, its object, its record."""
    yield source, str(row.pk)
    for kind, key in (("model", "object_id"), ("root_model", "root_id")):
        if getattr(row, kind, ""):
            yield getattr(row, kind), str(getattr(row, key))
    if getattr(row, "subject_type_id", None) is not None:
        yield _label(row.subject_type_id), str(row.subject_id)
    for field in row._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.related_model is not ContentType:
            owner = getattr(row, field.name)
            if owner is not None:
                yield str(owner._meta.label_lower), str(owner.pk)
                if getattr(owner, "subject_type_id", None) is not None:
                    yield _label(owner.subject_type_id), str(owner.subject_id)


def _label(type_id: int) -> str:
    kind = ContentType.objects.get_for_id(type_id)
    return f"{kind.app_label}.{kind.model}"


def known_kind(label: str) -> str:
    """Return the label of a model as the record writes it; Refused is raised for a kind that it does not know."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        raise Refused(UNKNOWN_KIND.format(model=label)) from None
    return str(model._meta.label_lower)


def _some(positions: Sequence[int]) -> str:
    named = ", ".join(f"{position:,}" for position in positions[:NAMED])
    if len(positions) == 1:
        return f"Position {named} was"
    more = f" and {len(positions) - NAMED:,} more" if len(positions) > NAMED else ""
    return f"Positions {named}{more} were"
