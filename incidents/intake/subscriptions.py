"""Topics of SNS at an address: what they send is believed once an administrator confirmed the topic, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents.enums import TopicState
from incidents.intake import certificates, presets, reading, sns
from incidents.intake.certificates import NotSigned, OutOfReach
from incidents.intake.posts import Post
from incidents.intake.reading import Unreadable
from incidents.models import IntakeToken, TopicSubscription
from incidents.policy import Refused
from portal.audit.actor import By, acting, actor_of

MOST_TOPICS = 20
KEPT = ("Type", "TopicArn", "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "SignatureVersion",
        "Signature", "SigningCertURL")  # fmt: skip
NOT_CONFIRMED = "The topic {} is not confirmed at this address. An administrator confirms it under Sources."
TOO_MANY = f"This address has {MOST_TOPICS} topics already. Make another address."
NO_CERTIFICATE = "The certificate of the signature could not be fetched. Send it again."
NOT_REACHED = (
    "AWS could not be reached ({}). Open the address in AWS yourself, or run aws sns confirm-subscription, then mark "
    "the topic as confirmed by hand."
)


def admit(post: Post) -> None:
    """Believe what a confirmed topic signed, and write down a topic that asks; Unreadable refuses everything else.

    A certificate may be fetched for a confirmed topic, so this stands outside any transaction.
    """
    data = reading.read_json(post.body)
    try:
        kind, topic = sns.type_of(data), sns.topic_of(data)
    except Unreadable as refusal:
        raise presets.advised(refusal, data, post.token.kind) from None
    if kind == sns.CONFIRMATION:
        _ask(post, topic, data)
        return
    known = TopicSubscription.objects.filter(token=post.token, topic=topic, state=TopicState.CONFIRMED).first()
    if known is None:
        raise Unreadable(403, NOT_CONFIRMED.format(reading.line(topic, 300)))
    try:
        certificates.verify(data, certificate_of(known, data), at=post.at)
    except NotSigned as problem:
        raise Unreadable(403, str(problem)) from None
    except OutOfReach:
        raise Unreadable(503, NO_CERTIFICATE) from None
    if kind == sns.UNSUBSCRIBED:
        end(known, by=post.by, at=post.at, reason="AWS says that the topic no longer posts here")


def certificate_of(topic: TopicSubscription, data: Mapping[str, object]) -> str:
    """Return the certificate that vouches for an envelope: the pinned one, else what stands at its address."""
    return topic.certificate or certificates.certificate_at(data.get("SigningCertURL"))


@transaction.atomic
def _ask(post: Post, topic: str, data: Mapping[str, object]) -> None:
    """Write down that a topic asks; what AWS sent is kept for the administrator, and nothing is fetched."""
    IntakeToken.objects.select_for_update(of=("self",)).get(pk=post.token.pk)
    row = TopicSubscription.objects.filter(token=post.token, topic=topic).first()
    if row is None:
        if TopicSubscription.objects.filter(token=post.token).count() >= MOST_TOPICS:
            raise Unreadable(409, TOO_MANY)
        row = TopicSubscription(token=post.token, topic=topic)
    row.envelope = {name: _kept(data[name]) for name in KEPT if name in data}
    row.asked_at = post.at
    if row.state == TopicState.ENDED:
        row.state, row.confirmed_at, row.confirmed_by = TopicState.WAITING, None, ""
    row.save()


def _kept(value: object) -> str:
    return value.replace("\x00", "")[:4000] if isinstance(value, str) else ""


@transaction.atomic
def end(topic: TopicSubscription, *, by: By, at: datetime, reason: str) -> TopicSubscription:
    """Believe a topic no longer, or turn one away that asks. Whoever asks anew waits anew."""
    row = TopicSubscription.objects.select_for_update(of=("self",)).get(pk=topic.pk)
    if row.state == TopicState.ENDED:
        raise Refused("It is ended already.")
    row.state = TopicState.ENDED
    with acting(by=by, at=at, reason=reason):
        row.save()
    return row


def confirm(topic: TopicSubscription, *, by: By, at: datetime, reason: str) -> TopicSubscription:
    """Check what AWS sent, open the address in it, and believe the topic from now on. Refused says what is wrong.

    AWS is asked outside any transaction: its answer may take seconds.
    """
    sent: dict[str, Any] = topic.envelope
    if not certificates.confirms(sent.get("SubscribeURL"), topic.topic):
        raise Refused(f"The address in it confirms no subscription of {topic.topic} at SNS, so it was not opened.")
    try:
        certificates.verify(sent, certificate_of(topic, sent), at=at)
        certificates.fetch(str(sent["SubscribeURL"]))
    except NotSigned as problem:
        raise Refused(str(problem)) from None
    except OutOfReach as problem:
        raise Refused(NOT_REACHED.format(problem)) from None
    return mark_confirmed(topic, by=by, at=at, reason=reason)


@transaction.atomic
def mark_confirmed(topic: TopicSubscription, *, by: By, at: datetime, reason: str) -> TopicSubscription:
    """Believe a topic that was confirmed in AWS by hand. What it signs is checked all the same."""
    row = TopicSubscription.objects.select_for_update(of=("self",)).get(pk=topic.pk)
    row.state, row.confirmed_at, row.confirmed_by = TopicState.CONFIRMED, at, actor_of(by).name
    with acting(by=by, at=at, reason=reason):
        row.save()
    return row


@transaction.atomic
def pin(topic: TopicSubscription, certificate: str, *, by: By, at: datetime, reason: str) -> TopicSubscription:
    """Check signatures of this topic by a certificate that is given here, and fetch none. Empty takes it off."""
    if certificate.strip():
        try:
            certificates.read(certificate.strip())
        except NotSigned as problem:
            raise Refused(str(problem)) from None
    row = TopicSubscription.objects.select_for_update(of=("self",)).get(pk=topic.pk)
    if row.certificate == certificate.strip():
        raise Refused("That changes nothing.")
    row.certificate = certificate.strip()
    with acting(by=by, at=at, reason=reason):
        row.save()
    return row
