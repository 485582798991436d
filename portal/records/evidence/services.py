"""The verbs of evidence: collect, view, download, describe, hand over, receive, seal, release.

Each is told by a custody event in its own transaction. The file comes first and its row after it, so that a crash
between the two leaves a file that no row names, and never a row without a file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.contenttypes.models import ContentType
from django.db import Error, IntegrityError, models, transaction

from portal.accounts.models import User
from portal.audit import trail
from portal.audit.actor import By, acting, actor_of, current, gesture_of
from portal.audit.enums import Action
from portal.audit.tables import Difference
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.records import services as records
from portal.records.evidence import policy, storing
from portal.records.evidence.enums import Kind
from portal.records.evidence.incoming import Incoming
from portal.records.evidence.models import CustodyEvent, Evidence, EvidenceCheck, EvidenceObject
from portal.records.evidence.policy import NotYours, Refused

__all__ = [
    "NotYours", "Refused", "collect", "describe", "done", "download", "end_handover", "hand_over", "holds",
    "is_receiver", "leads", "receive", "release", "seal", "tell", "view",
]  # fmt: skip

LEAD = "records.lead_evidence"
NOTE = "evidence"
_ACTIONS = {Kind.VIEWED: Action.READ, Kind.DOWNLOADED: Action.EXPORTED}


def collect(
    subject: models.Model,
    incoming: Incoming,
    *,
    source: str,
    acquired_at: datetime,
    description: str = "",
    collector: Contact | None = None,
    most: int,
    by: By,
    at: datetime,
) -> Evidence:
    """Keep a file that came in as evidence of `subject`. Refused says what does not fit; then nothing was kept.

    `most` is how many bytes it may have. Without a `collector` it is whoever acts. Sent again with the same gesture it
    is the same item.
    """
    policy.check_size(incoming.draft.size, most=most)
    policy.check_acquired(acquired_at, at)
    words = {"source": source, "description": description, "acquired_at": min(acquired_at, at)}
    try:
        with storing.holding():
            storing.keep(incoming.draft)
            return _collected(subject, incoming, collector=collector, by=by, at=at, **words)
    except _Again as again:
        return again.item
    except storing.NoRoom as problem:
        raise Refused(policy.NO_ROOM) from problem
    except storing.Damaged as problem:
        raise Refused(policy.DAMAGED) from problem
    except Error as problem:
        if storing.is_full(problem):
            raise Refused(policy.NO_ROOM) from problem
        raise


class _Again(Exception):
    """The same form came in twice."""

    def __init__(self, item: Evidence) -> None:
        super().__init__()
        self.item = item


@transaction.atomic
def _collected(
    subject: models.Model, incoming: Incoming, *, collector: Contact | None, by: By, at: datetime, **words: Any
) -> Evidence:
    with acting(by=by, at=at) as context:
        reference = records.next_reference(policy.PREFIX)  # from here on the second of two submits waits for the first
        before = CustodyEvent.objects.filter(gesture=context.gesture, kind=Kind.COLLECTED).first()
        if before is not None:
            raise _Again(before.evidence)
        holder = _contact_of(by, at)
        item = Evidence.objects.create(
            reference=reference,
            subject_type=ContentType.objects.get_for_model(subject),
            subject_id=subject.pk,
            stored=_object(incoming.draft.digest, incoming.draft.size, at),
            original_name=incoming.named.told,
            file_name=incoming.named.file,
            content_type=incoming.content_type,
            cautions=[caution.value for caution in incoming.cautions],
            collector=collector or holder,
            holder=holder,
            collected_at=at,
            collected_by=actor_of(by).name,
            **words,
        )
        tell(item, Kind.COLLECTED, by=by, at=at, to=collector if collector not in {None, holder} else None)
        _note(item, f"collected evidence {item.reference}, {item.original_name}", by=by, at=at)
    return item


def _object(digest: str, size: int, at: datetime) -> EvidenceObject:
    """Return the row of a content, made when it is new here. Of two who bring it at once, the second finds it."""
    found: EvidenceObject | None = EvidenceObject.objects.filter(digest=digest).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            made = EvidenceObject(digest=digest, size=size, stored_at=at)
            made.save()
            EvidenceCheck.objects.create(stored=made)
            return made
    except IntegrityError:
        again: EvidenceObject = EvidenceObject.objects.get(digest=digest)
        return again


def _contact_of(by: By, at: datetime) -> Contact:
    """Return the entry in the directory of whoever acts. ValueError is raised for a part of the system."""
    actor = actor_of(by)
    if actor.contact_id is not None:
        return Contact.objects.get(pk=actor.contact_id)
    if actor.user_id is None:
        raise ValueError(f"{actor.name} is nobody who could hold evidence.")
    return directory.contact_for_user(actor.user_id, by=by, at=at)


@contextmanager
def _gesture(item: Evidence, verb: str, *, by: By, at: datetime, reason: str = "") -> Iterator[Evidence]:
    """Open one atomic gesture on the locked, freshly read row that `verb` fits."""
    policy.check_reason(verb, reason)
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        held = Evidence.objects.select_for_update(of=("self",)).get(pk=item.pk)
        held.state = policy.next_state(verb, held.state, sealed=held.is_sealed)
        yield held


def view(item: Evidence, *, by: By, at: datetime, how: str = "") -> None:
    """Tell that somebody opened the page of an item; `how` says as what, such as "as a report"."""
    with _gesture(item, "view", by=by, at=at) as held:
        tell(held, Kind.VIEWED, by=by, at=at, how=how)


def download(item: Evidence, *, by: By, at: datetime) -> BinaryIO:
    """Return the file, opened and read through, and tell that it leaves the portal before any of it does.

    Refused is raised when it is not what was collected: then nothing is handed out.
    """
    file = _whole(storing.path_of(item.stored.digest), item.stored)
    try:
        with _gesture(item, "download", by=by, at=at) as held:
            tell(held, Kind.DOWNLOADED, by=by, at=at)
    except BaseException:
        file.close()
        raise
    return file


def _whole(path: Path, stored: EvidenceObject) -> BinaryIO:
    """Open a stored file and read it through: what was altered is never handed out as evidence."""
    try:
        file = path.open("rb")
    except OSError as problem:
        raise Refused(policy.UNREADABLE) from problem
    if storing.read_through(file) != (stored.size, stored.digest):
        file.close()
        raise Refused(policy.UNREADABLE)
    file.seek(0)
    return file


def describe(item: Evidence, *, source: str, description: str, by: By, at: datetime, reason: str) -> Evidence:
    """Put down more exactly where it comes from and what it shows, while it is not sealed. History keeps both."""
    with _gesture(item, "describe", by=by, at=at, reason=reason) as held:
        _check_holder(held, "describe", by)
        held.source, held.description = source, description
        held.save()
    return held


def hand_over(item: Evidence, *, to: Contact, by: By, at: datetime, reason: str) -> Evidence:
    """Give an item into somebody's hands. It stays with its holder until they confirm the receipt."""
    with _gesture(item, "hand over", by=by, at=at, reason=reason) as held:
        _check_holder(held, "hand over", by)
        if to.pk == held.holder_id:
            raise Refused(policy.SAME_PERSON.format(holder=to))
        if to.user is None or not (to.active and to.user.is_active):
            raise Refused(policy.NO_ACCOUNT.format(receiver=to))
        held.offered_to = to
        held.save()
        tell(held, Kind.HANDED_OVER, by=by, at=at, to=to)
        _note(held, f"handed evidence {held.reference} over to {to}", by=by, at=at)
    return held


def receive(item: Evidence, *, by: By, at: datetime, reason: str = "") -> Evidence:
    """Confirm the receipt: whoever it was given to holds it from now on."""
    with _gesture(item, "receive", by=by, at=at, reason=reason) as held:
        if not _is(held.offered_to_id, by):
            raise NotYours(policy.NOT_THE_RECEIVER.format(receiver=held.offered_to))
        before, receiver = held.holder, held.offered_to
        assert receiver is not None  # noqa: S101 - the database says so of what is being handed over
        held.holder, held.offered_to = receiver, None
        held.save()
        tell(held, Kind.RECEIVED, by=by, at=at, to=receiver)
        _note(held, f"confirmed the receipt of evidence {held.reference} from {before}", by=by, at=at)
    return held


def end_handover(item: Evidence, *, by: By, at: datetime, reason: str) -> Evidence:
    """Take a handover back, or decline it: it stays with its holder."""
    with _gesture(item, "end the handover of", by=by, at=at, reason=reason) as held:
        if not (_is(held.offered_to_id, by) or holds(held, by) or leads(by)):
            raise NotYours(policy.NOT_IN_IT.format(holder=held.holder, receiver=held.offered_to))
        receiver, held.offered_to = held.offered_to, None
        held.save()
        tell(held, Kind.NOT_RECEIVED, by=by, at=at, to=receiver)
    return held


def seal(item: Evidence, *, by: By, at: datetime, reason: str) -> Evidence:
    """Close the words of an item for good. Custody goes on."""
    with _gesture(item, "seal", by=by, at=at, reason=reason) as held:
        _check_holder(held, "seal", by)
        held.sealed_at, held.sealed_by = at, actor_of(by).name
        held.save()
        tell(held, Kind.SEALED, by=by, at=at)
        _note(held, f"sealed evidence {held.reference}", by=by, at=at)
    return held


def release(item: Evidence, *, by: By, at: datetime, reason: str, to: str = "") -> Evidence:
    """End the custody of an item: to whom and why. The file and all that was told of it stay."""
    with _gesture(item, "release", by=by, at=at, reason=reason) as held:
        _check_holder(held, "release", by)
        held.released_at, held.released_by = at, actor_of(by).name
        held.save()
        tell(held, Kind.RELEASED, by=by, at=at, to=to)
        _note(held, f"released evidence {held.reference}{f' to {to}' if to else ''}", by=by, at=at)
    return held


def holds(item: Evidence, by: By) -> bool:
    """Tell whether somebody holds an item."""
    return _is(item.holder_id, by)


def is_receiver(item: Evidence, by: By) -> bool:
    """Tell whether an item is being given into the hands of somebody."""
    return _is(item.offered_to_id, by)


def leads(by: By) -> bool:
    """Tell whether somebody may act in the place of whoever holds an item."""
    return isinstance(by, User) and by.is_active and by.has_perm(LEAD)


def done(once: uuid.UUID, by: By) -> bool:
    """Tell whether the form with this one-time key was carried out already for them."""
    return CustodyEvent.objects.filter(gesture=gesture_of(once, by)).exists()


def _is(contact_id: int | None, by: By) -> bool:
    actor = actor_of(by)
    if contact_id is None:
        return False
    if actor.contact_id is not None:
        return actor.contact_id == contact_id
    return actor.user_id is not None and Contact.objects.filter(pk=contact_id, user_id=actor.user_id).exists()


def _check_holder(held: Evidence, verb: str, by: By) -> None:
    if not (holds(held, by) or leads(by)):
        raise NotYours(policy.NOT_THE_HOLDER.format(holder=held.holder, verb=verb))


def tell(
    held: Evidence, kind: Kind, *, by: By, at: datetime, to: Contact | str | None = None, result: str = "",
    how: str = "", reason: str = "",
) -> None:  # fmt: skip
    """Write one custody event and its row of the trail."""
    context, actor = current(), actor_of(by)
    assert context is not None  # noqa: S101 - every verb opens one
    words = ". ".join(part for part in (reason or context.reason, how) if part)
    CustodyEvent(
        evidence=held,
        kind=kind,
        at=at,
        actor_name=actor.name[:200],
        actor_user_id=actor.user_id,
        actor_contact_id=actor.contact_id,
        origin=context.origin,
        address=context.address,
        gesture=context.gesture,
        to_name=str(to or "")[:200],
        to_contact_id=to.pk if isinstance(to, Contact) else None,
        result=result,
        digest=held.stored.digest,
        reason=words,
    ).save()
    figures = (("to whom", to), ("result", result), ("size", held.stored.size), ("SHA-256", held.stored.digest))
    trail.record(
        _ACTIONS.get(kind, Action.EVENT),
        event=f"{kind.label} evidence {held}{f', {how}' if how else ''}",
        subject=held,
        reason=reason,
        differences=[Difference(name, None, str(value)) for name, value in figures if value],
    )


def _note(held: Evidence, text: str, *, by: By, at: datetime) -> None:
    """Write a line into the timeline of the record that it is evidence of."""
    context = current()
    if held.subject is None:
        return
    records.write_note(
        held.subject, kind=NOTE, text=text, by=by, at=at, reason=context.reason if context else "",
        data={"evidence": held.reference},
    )  # fmt: skip
