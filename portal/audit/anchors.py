"""Anchors: signed heads of the chain, taken where the portal's administrators cannot reach them.

An anchor that somebody else has kept proves that everything up to its position stood so at that time and that nothing
is missing since. How a way off the machine failed is kept in a row, tried again, and seen while it lasts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction

from portal.audit import away, trail
from portal.audit.canonical import BEGINNING, compact
from portal.audit.enums import Action
from portal.audit.seals import Anchor, AnchorDelivery, Seal, SigningKey, Way
from portal.audit.signing import is_signed, keep_public_key, key_id, signer

FORMAT = "watchbook-anchor-1"
AT_ONCE = 20  # deliveries of one look
LATE = timedelta(hours=2)  # an anchor that has not left the machine for so long is an alarm
Clock = Callable[[], datetime]


class Unreadable(ValueError):
    """A file or line holds no anchor; the message says which and why."""


@dataclass(frozen=True)
class Signed:
    """An anchor as somebody kept it: what it says, and its line for those who check the signature."""

    position: int
    head: str
    signed_at: str
    key_id: str
    public_key: str
    statement: dict[str, Any]
    signature: str

    def is_genuine(self) -> bool:
        """Tell whether the signature is that of the key which the line names."""
        text = compact(self.statement).encode()
        return key_id(self.public_key) == self.key_id and is_signed(text, self.signature, self.public_key)


def anchor(*, at: datetime, using: str = DEFAULT_DB_ALIAS) -> Anchor:
    """Sign the head of the chain as it stands, keep it, and queue it for every way off the machine.

    ValueError is raised while nothing is sealed.
    """
    own = signer()
    keep_public_key(at=at)
    with transaction.atomic(using=using):
        last = Seal.objects.using(using).order_by("-position").first()
        if last is None:
            raise ValueError("Nothing is sealed yet, so that there is no head to sign.")
        previous = Anchor.objects.using(using).order_by("-position", "-id").first()
        made = Anchor(
            position=last.position,
            head=bytes(last.digest).hex(),
            previous=previous.position if previous is not None else None,
            portal=settings.PORTAL_URL[:200],
            signed_at=at,
            key_id=own.key_id,
            public_key=own.public_key,
        )
        made.signature = own.sign(compact(made.statement()).encode())
        made.save(using=using)
        if not SigningKey.objects.using(using).filter(key_id=own.key_id).exists():
            SigningKey(key_id=own.key_id, public_key=own.public_key, first_used_at=at).save(using=using)
            event = f"Heads of the record are signed with key {own.key_id} from now on"
            trail.record(Action.EVENT, event=event, model="audit.signingkey", object_id=own.key_id)
        AnchorDelivery.objects.using(using).bulk_create(
            AnchorDelivery(anchor=made, way=way, target=target, next_attempt_at=at) for way, target in ways()
        )
    return made


def anchor_when_due(*, at: datetime, using: str = DEFAULT_DB_ALIAS) -> Anchor | None:
    """Sign the head when the last one is older than ANCHOR_MINUTES and the chain has grown since."""
    newest = Anchor.objects.using(using).order_by("-position", "-id").first()
    last = Seal.objects.using(using).order_by("-position").values_list("position", flat=True).first()
    if last is None or (
        newest is not None and (newest.position == last or at - newest.signed_at < settings.ANCHOR_EVERY)
    ):
        return None
    return anchor(at=at, using=using)


def ways() -> list[tuple[Way, str]]:
    """Return where anchors are taken to: always a file, and a mail address and a web address where they are set."""
    named = [(Way.FILE, str(settings.ANCHOR_FILE)), (Way.MAIL, settings.ANCHOR_MAIL), (Way.URL, settings.ANCHOR_URL)]
    return [(way, target) for way, target in named if target]


# Off the machine.


def deliver(*, now: Clock, using: str = DEFAULT_DB_ALIAS) -> int:
    """Take what is due off the machine; return how many deliveries were tried.

    Each is claimed by counting its attempt before it is tried, and pushed back: two senders never try it at once.
    """
    tried = 0
    waiting = AnchorDelivery.objects.using(using).filter(delivered_at__isnull=True)
    for delivery in waiting.filter(next_attempt_at__lte=now()).select_related("anchor").order_by("pk")[:AT_ONCE]:
        at, attempts = now(), delivery.attempts
        claim = waiting.filter(pk=delivery.pk, attempts=attempts)
        if not claim.update(attempts=attempts + 1, next_attempt_at=at + away.rest(attempts)):
            continue
        tried += 1
        error = _tried(delivery)
        row = AnchorDelivery.objects.using(using).filter(pk=delivery.pk)
        row.update(error=error) if error else row.update(error="", delivered_at=now())
    return tried


def _tried(delivery: AnchorDelivery) -> str:
    """Try one delivery; return what went wrong, "" when nothing did."""
    send = {Way.FILE: _to_file, Way.MAIL: _by_mail, Way.URL: _to_address}[Way(delivery.way)]
    return away.tried(lambda: send(delivery.target, delivery.anchor))


def _to_file(target: str, made: Anchor) -> None:
    away.append(target, made.line())


def _by_mail(target: str, made: Anchor) -> None:
    subject = f"Watchbook anchor: {made.position} rows sealed"
    away.mail(target, subject, f"Keep this mail. It proves what the record of {made.portal} held.\n\n{made.line()}\n")


def _to_address(target: str, made: Anchor) -> None:
    away.post(target, made.line().encode(), "application/json")


def late(*, at: datetime, using: str = DEFAULT_DB_ALIAS) -> list[AnchorDelivery]:
    """Return the oldest delivery of each way that has failed for too long."""
    waiting = AnchorDelivery.objects.using(using).filter(delivered_at__isnull=True, anchor__signed_at__lte=at - LATE)
    oldest: dict[str, AnchorDelivery] = {}
    for delivery in waiting.select_related("anchor").order_by("-pk")[:AT_ONCE]:
        oldest[delivery.way] = delivery
    return list(oldest.values())


# What somebody kept.


def kept_in(path: Path) -> list[Signed]:
    """Return the anchors that a file holds: one, or one a line. Unreadable is raised when a line is none."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as problem:
        raise Unreadable(f"{path} cannot be read ({type(problem).__name__}).") from problem
    try:
        lines: Iterable[str] = [json.dumps(json.loads(text))]
    except ValueError:
        lines = text.splitlines()
    found = [read(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise Unreadable(f"{path} holds no anchor.")
    return found


def read(line: str, where: str = "The line") -> Signed:
    """Return the anchor that a line holds. Unreadable is raised when it holds none."""
    try:
        found = json.loads(line)
        signature = found.pop("signature")
        if found["format"] != FORMAT:
            raise Unreadable(f"{where} is of the format {found['format']}, which this version does not know.")
        bytes.fromhex(found["head"]), bytes.fromhex(found["public_key"]), bytes.fromhex(signature)
        position = int(found["position"])
        return Signed(
            position, found["head"], str(found["signed_at"]), found["key"], found["public_key"], found, signature
        )
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        if isinstance(problem, Unreadable):
            raise
        raise Unreadable(f"{where} is no anchor.") from problem


def head_at(position: int, using: str = DEFAULT_DB_ALIAS) -> str | None:
    """Return the digest of a position in hexadecimal; nothing when the chain does not reach so far."""
    if position == 0:
        return BEGINNING.hex()
    digest = Seal.objects.using(using).filter(position=position).values_list("digest", flat=True).first()
    return bytes(digest).hex() if digest is not None else None
