"""The verbs of an export: ask for it, take it under a lease, finish, fail, fetch it, let its file expire.

What is asked for is a row, so that nothing is lost with a worker or a broker. A worker holds it by a token: whoever
lost the lease settles nothing, so that no file is finished twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Min, Q

from portal.accounts.models import User
from portal.assurance.exporting import messages, policy, registry, rights, storing
from portal.assurance.exporting.enums import ExportFormat, ExportState
from portal.assurance.exporting.policy import Refused
from portal.assurance.exporting.sources import Made
from portal.assurance.models.exports import Export, ExportRule
from portal.audit import trail
from portal.audit.enums import Action
from portal.audit.reasons import one_line
from portal.audit.tables import Difference
from portal.lib.doorbell import ring_on_commit
from portal.lib.zones import zone_or_utc

__all__ = [
    "RING", "Held", "Refused", "ask", "expire", "fail", "fetch", "finish", "give_up", "put_back", "sign_of_life",
    "take", "take_out", "waiting_since",
]  # fmt: skip

RING = "portal.assurance.tasks.make_exports"
NO_REASON = "Say why you take this out of the portal. The reason is kept in the trail."
TOO_MANY = "{count} of your exports wait already. Ask again when one of them has arrived."
DIED = "Its worker stopped {tries} times before the file was ready. Narrow it, or tell whoever runs the portal."
LOST = "The file is not where it was put, or not as it was made. Ask for the export again, and tell whoever runs it."


@dataclass(frozen=True, slots=True)
class Held:
    """An export that a worker holds, and the token of its lease."""

    export: Export
    token: uuid.UUID


@transaction.atomic
def ask(
    *,
    source: str,
    format: str,  # noqa: A002 - the word of the field
    parameters: Mapping[str, Any],
    by: User,
    at: datetime,
    reason: str,
    token: uuid.UUID | None = None,
    asked_by: str = "",
) -> Export:
    """Write down what `by` wants to take out and why, and ring a worker. Refused says what does not fit.

    The same thing asked for again while it waits is the same export. With `token` the caller makes it at once, by
    itself: it begins under the caller's lease. `asked_by` says who asks where that is not the account `by`, with whose
    eyes it is made: the terminal.
    """
    why = one_line(reason)[:300]
    if not why:
        raise Refused(NO_REASON)
    found = registry.source(source)
    wanted = _format(found.formats, format)
    found.check(by, parameters)
    zone = zone_or_utc(by.time_zone)
    mine = Export.objects.filter(requester=by).unmade()
    kept = found.settled(parameters, zone=zone)
    same = {"source": source, "format": wanted.value, "parameters": kept, "reason": why}
    if token is None and (standing := mine.filter(**same).first()) is not None:
        return standing
    if token is None and mine.count() >= policy.MOST_WAITING:
        raise Refused(TOO_MANY.format(count=policy.MOST_WAITING))
    held = {} if token is None else _lease(token, by, at) | {"attempts": 1}
    export = Export.objects.create(
        **same,
        title=found.title(kept, zone=zone)[:200],
        requester=by,
        asked_at=at,
        asked_by=(asked_by or str(by))[:200],
        zone=zone.key,
        **held,
    )
    trail.record(Action.EVENT, event=f"Asked for an export: {export.title}, {wanted.label}", subject=export, reason=why)
    if token is None:
        ring_on_commit(RING)
    return export


def _format(offered: tuple[ExportFormat, ...], wanted: str) -> ExportFormat:
    found = next((choice for choice in offered if choice.value == wanted), None)
    if found is None:
        raise Refused(f"It cannot be had as “{wanted[:20]}”. Choose {', '.join(choice.label for choice in offered)}.")
    return found


def _lease(token: uuid.UUID, user: User, at: datetime) -> dict[str, Any]:
    """Return what changes with the beginning of the work: the rights are kept that it is done with."""
    held = {"lease_token": token, "lease_until": at + policy.LEASE, "started_at": at}
    return {"state": ExportState.WORKING, "rights": sorted(rights.of(user)), **held}


@transaction.atomic
def take(*, at: datetime) -> Held | None:
    """Take the oldest export that waits, or whose worker has died, under a new lease; None when there is none.

    One that has outlived too many workers fails instead, so that it does not take all of them.
    """
    ready = Q(state=ExportState.WAITING) & (Q(not_before=None) | Q(not_before__lte=at))
    due = Export.objects.filter(ready | Q(state=ExportState.WORKING, lease_until__lte=at))
    while (
        export := due.select_for_update(of=("self",), skip_locked=True).order_by("asked_at", "pk").first()
    ) is not None:
        if export.attempts >= policy.TRIES:
            _fail(export, DIED.format(tries=export.attempts), at=at)
            continue
        policy.next_state("take", export.state)
        token = uuid.uuid4()
        changes = _lease(token, export.requester, at) | {
            "attempts": export.attempts + 1,
            "done": 0,
            "total": None,
            "not_before": None,
        }
        # SQLite ignores the row lock; its one writer at a time makes this transaction as good.
        Export.objects.filter(pk=export.pk).update(**changes)
        export.refresh_from_db()
        return Held(export, token)
    return None


def sign_of_life(held: Held, *, done: int, total: int | None, at: datetime) -> bool:
    """Write down how far it is and renew the lease; tell whether the worker still holds it."""
    kept = _kept(held).update(done=done, total=total, lease_until=at + policy.LEASE)
    return bool(kept)


def _kept(held: Held) -> Any:
    return Export.objects.filter(pk=held.export.pk, state=ExportState.WORKING, lease_token=held.token)


@transaction.atomic
def finish(held: Held, made: Made, *, size: int, digest: str, at: datetime) -> bool:
    """Put the file in its place, write down its figures and tell who asked; False when the lease was lost.

    `size` and `digest` are measured before: reading a large file must not keep other writers waiting.
    """
    export = _kept(held).select_for_update(of=("self",)).first()
    if export is None:
        return False
    export.state = policy.next_state("finish", export.state)
    export.size, export.digest = size, digest
    export.rows = export.done = export.total = made.rows
    export.settled_at, export.expires_at = at, ExportRule.expiry(at=at)
    export.lease_token = export.lease_until = None
    export.save()
    trail.record(Action.EVENT, event="File of an export made", subject=export, differences=_figures(export))
    messages.tell(export, at=at)
    storing.keep(made.path, export)  # last: what fails before leaves no file, and what fails after is put back
    return True


@transaction.atomic
def put_back(held: Held, *, wait: timedelta, at: datetime, tried: bool = True) -> bool:
    """Let it wait again, as after a database that went away; False when the lease was lost.

    Unless it was `tried`, this time does not count among the tries that it has.
    """
    changes = {
        "state": policy.next_state("put back", ExportState.WORKING),
        "attempts": held.export.attempts - (not tried),
        "lease_token": None,
        "lease_until": None,
        "not_before": at + wait,
    }
    if not _kept(held).update(**changes):
        return False
    storing.discard(held.export)
    return True


@transaction.atomic
def fail(held: Held, sentence: str, *, at: datetime) -> bool:
    """Give the export up with a sentence and tell who asked; False when the lease was lost."""
    export = _kept(held).select_for_update(of=("self",)).first()
    if export is None:
        return False
    _fail(export, sentence, at=at)
    return True


def _fail(export: Export, sentence: str, *, at: datetime) -> None:
    export.state = policy.next_state("fail", export.state)
    export.error, export.settled_at = sentence, at
    export.lease_token = export.lease_until = None
    export.save()
    storing.discard(export)
    trail.record(Action.EVENT, event="An export failed", subject=export, reason=sentence)
    messages.tell(export, at=at)


def fetch(export: Export, *, by: User, at: datetime) -> Path:
    """Return the file for whoever asked for it, and tell in the trail that it was taken out, with its figures.

    Refused is raised for everybody else, while there is no file, when the reader may no longer see such records, and
    when the file is not what was made.
    """
    policy.check_fetch(export.state, is_requester=export.requester_id == by.pk)
    registry.source(export.source).check(by, export.parameters)
    policy.check_rights(export.rights, rights.of(by))
    if export.expires_at is not None and export.expires_at <= at:
        policy.check_fetch(ExportState.EXPIRED, is_requester=True)
    path = storing.path_of(export)
    if not path.is_file() or storing.measure(path) != (export.size, export.digest):
        raise Refused(LOST)
    _tell_of_leaving(export, "Fetched")
    return path


@transaction.atomic
def take_out(export: Export, hand_over: Callable[[], object]) -> None:
    """Hand the file over at a terminal; the trail tells that it left the portal, or nothing happens."""
    _tell_of_leaving(export, "Took out")
    hand_over()


@transaction.atomic
def give_up(export: Export, sentence: str, *, at: datetime) -> None:
    """Give up an export that waits, with a sentence."""
    found = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    _fail(found, sentence, at=at)


def _tell_of_leaving(export: Export, verb: str) -> None:
    """Tell in the trail that the file left the portal: how many rows, which bytes."""
    event = f"{verb} an export: {export.title}, {export.kind.label}"
    trail.record(Action.EXPORTED, event=event, subject=export, reason=export.reason, differences=_figures(export))


def _figures(export: Export) -> list[Difference]:
    """Return what the trail tells of a file: how it was narrowed, and which bytes it is."""
    narrowing = registry.source(export.source).narrowing(export.parameters, zone=zone_or_utc(export.zone))
    figures = (("narrowed by", narrowing), ("rows", export.rows), ("size", export.size), ("digest", export.digest))
    return [Difference(name, None, str(value)) for name, value in figures if value != ""]


def expire(*, at: datetime, most: int = 100) -> int:
    """Remove the files whose time is over, and return how many. The rows stay."""
    due = Export.objects.filter(state=ExportState.DONE, expires_at__lte=at).order_by("expires_at", "pk")
    return sum(_expire(pk, at) for pk in due.values_list("pk", flat=True)[:most])


@transaction.atomic
def _expire(pk: int, at: datetime) -> int:
    export = Export.objects.select_for_update(of=("self",)).filter(pk=pk, state=ExportState.DONE).first()
    if export is None:
        return 0
    storing.discard(export)
    after = policy.next_state("expire", export.state)
    Export.objects.filter(pk=pk).update(state=after, expired_at=at)
    trail.record(Action.EVENT, event="File of an export expired", subject=export)
    return 1


def waiting_since(*, at: datetime) -> timedelta | None:
    """Return for how long nobody has gone on with the export that was asked for first; None when none waits.

    None as well while a worker makes another one: then those that wait have their turn.
    """
    unmade = Export.objects.unmade()
    if unmade.filter(lease_until__gt=at).exists():
        return None
    asked = unmade.aggregate(oldest=Min("asked_at"))["oldest"]
    return None if asked is None else at - asked
