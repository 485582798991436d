"""One post to an intake address: read, kept, and turned into what happens to an incident, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import InterfaceError, OperationalError, transaction

from incidents.enums import DeliveryResult, IntakeKind, Signing
from incidents.intake import heartbeats, kinds, pagerduty, reading, settling, signing, statements, subscriptions, tokens
from incidents.intake.posts import Answer, Post
from incidents.intake.report import Report
from incidents.models import IntakeDelivery
from portal.audit.actor import acting

log = logging.getLogger(__name__)

UNKNOWN = "No source is known at this address, or it was revoked. Ask an administrator for a new one."
AGAIN = "The portal could not take this in just now. Send it again."
QUIET = ("heard", "paused")  # pings that say nothing new are counted, not kept
KEPT_REJECTED = 200  # refused bodies that are kept for each address; the oldest go
KEPT_OF_TOO_LARGE = 16 * 1024  # bytes of a body over the limit that are kept


def receive(secret: str, body: bytes, *, content_type: str, address: str, at: datetime) -> Answer:
    """Take in one post to the address with this secret; an unknown or revoked one is answered 404 and kept nowhere.

    What is answered 2xx has been written. OperationalError and InterfaceError of the database go to the caller, who
    answers 503.
    """
    token = tokens.find(secret)
    if token is None:
        return Answer(404, "unknown", UNKNOWN)
    return take(Post(token, body, content_type=content_type, address=address, at=at))


def take(post: Post) -> Answer:
    """Take in one post of a known source."""
    with acting(by=post.by, at=post.at, origin="api", address=post.address, reason=f"Alert of {post.token.name}"):
        try:
            if post.token.kind != IntakeKind.EMAIL:  # the door of mails has a limit of its own
                reading.check_size(post.body)
            signed = signing.check(post)
            if post.token.kind == IntakeKind.HEARTBEAT:
                return _accept(post, signed, partial(heartbeats.ping, post), quiet=QUIET)
            if post.token.kind == IntakeKind.SNS:
                subscriptions.admit(post)
            report = _read(post)
            return _accept(post, signed, partial(_settle, post, report), first=partial(_again, post, report))
        except reading.Unreadable as refusal:
            failed = refusal.status >= 500
            answer = Answer(refusal.status, "failed" if failed else "refused", refusal.sentence)
            _keep(post, answer, DeliveryResult.FAILED if failed else DeliveryResult.REJECTED)
            return answer
        finally:
            if post.token.signing != Signing.NONE:
                signing.forget(at=post.at)


def _read(post: Post) -> Report:
    if post.is_change:
        return pagerduty.parse_change(reading.read_json(post.body), post.token.name)
    return kinds.read(post.token, post.body).report


def _again(post: Post, report: Report) -> Answer | None:
    """Answer what says nothing new, without a transaction of several statements; nothing for everything else.

    What is signed is remembered with what it did, so that it takes the longer way.
    """
    if post.token.signing != Signing.NONE or len(post.body) > reading.BODY_LIMIT:
        return None
    answer = settling.counted_at_once(post, report, content_type=reading.line(post.content_type, 100))
    return None if answer is None else replace(answer, key=report.key)


def _settle(post: Post, report: Report) -> Answer:
    return replace(settling.SETTLE[report.stance](post, report), key=report.key)


def _accept(
    post: Post,
    signed: signing.Signed | None,
    settle: Callable[[], Answer],
    quiet: Collection[str] = (),
    first: Callable[[], Answer | None] = lambda: None,
) -> Answer:
    """Settle a post and keep it, in one transaction; an answer of which nothing need be known is not kept.

    `first` may settle and keep it at once; when it returns nothing, it has done nothing.
    """
    try:
        if (done := first()) is not None:
            return done
        with transaction.atomic():
            signing.remember(post, signed)
            answer = settle()
            if answer.status not in quiet:
                _keep(post, answer, DeliveryResult.ACCEPTED)
    except (OperationalError, InterfaceError, reading.Unreadable):
        raise
    except Exception:
        # A source repeats what was answered 5xx: a fault of ours must neither lose the alert nor say that it came in.
        log.exception("An alert of source %s could not be taken in", post.token.name)
        answer = Answer(503, "failed", AGAIN)
        _keep(post, answer, DeliveryResult.FAILED)
    return answer


@transaction.atomic(savepoint=False)
def _keep(post: Post, answer: Answer, result: DeliveryResult) -> None:
    body = post.body if len(post.body) <= reading.BODY_LIMIT else post.body[:KEPT_OF_TOO_LARGE]
    content_type = reading.line(post.content_type, 100)
    statements.keep(post, answer, result, content_type=content_type, body=body)
    if result != DeliveryResult.ACCEPTED:
        not_accepted = IntakeDelivery.objects.filter(token=post.token).exclude(result=DeliveryResult.ACCEPTED)
        old = list(not_accepted.order_by("-id").values_list("pk", flat=True)[KEPT_REJECTED : KEPT_REJECTED * 2])
        if old:
            IntakeDelivery.objects.filter(pk__in=old).delete()
