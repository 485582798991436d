"""The verbs of a source as its pages and the admin offer them: what each is called, asks for, and calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from incidents.enums import IntakeKind, TopicState
from incidents.intake import heartbeats, signing, subscriptions, tokens
from incidents.intake.forms import PinForm
from incidents.models import IntakeSecret, IntakeToken, TopicSubscription
from portal.audit.asking import ReasonForm

UNSIGNED = (IntakeKind.EMAIL, IntakeKind.HEARTBEAT, IntakeKind.SNS)


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `part` is the model of the secret or topic that it is about, when it is not about the source itself.

    `service` is called with the source, or with the part, and by=, at=, reason= and what else the form asks; a text
    that it returns is a secret, shown once. `confirmed` asks who is there before.
    """

    slug: str
    label: str
    about: str
    said: str
    icon: str
    service: Callable[..., Any]
    part: type[Any] | None = None
    form: type[ReasonForm] = ReasonForm
    danger: bool = False
    confirmed: bool = False


ACTS = MappingProxyType(
    {
        act.slug: act
        for act in (
            Act(
                "revoke", "Revoke address",
                "What is posted to it is answered 404 from then on. A revoked address never comes back.",
                "The address is revoked.", "ban", tokens.revoke, danger=True,
            ),
            Act(
                "pause", "Pause heartbeat", "Nothing is expected of it until it is resumed.",
                "Nothing is expected of it until it is resumed.", "pause", heartbeats.pause,
            ),
            Act(
                "resume", "Resume heartbeat", "Its next ping is expected within one interval and its grace.",
                "Its next ping is expected.", "play", heartbeats.resume,
            ),
            Act(
                "add-secret", "Make a signing secret",
                "It is shown once. Two may be in use, so that the source can change to the new one before the old one "
                "is retired.",
                "A signing secret is made.", "key-round", signing.add_secret, confirmed=True,
            ),
            Act(
                "retire-secret", "Retire secret", "What is signed with it is refused from then on.",
                "The secret is retired.", "ban", signing.retire_secret, part=IntakeSecret, danger=True,
            ),
            Act(
                "confirm-topic", "Confirm subscription",
                "The portal checks the signature of AWS, then opens the address that AWS sent. From then on alarms "
                "that this topic signs come in.",
                "The topic is confirmed.", "check", subscriptions.confirm, part=TopicSubscription, confirmed=True,
            ),
            Act(
                "mark-confirmed", "Mark as confirmed by hand",
                "For a portal that does not reach AWS: confirm the subscription in AWS yourself first. Nothing is "
                "opened from here.",
                "The topic is confirmed.", "check", subscriptions.mark_confirmed, part=TopicSubscription,
                confirmed=True,
            ),
            Act(
                "end-topic", "End topic",
                "What it sends is refused from then on. When it asks anew, it waits to be confirmed. In AWS the "
                "subscription stands until you remove it there.",
                "The topic is ended.", "ban", subscriptions.end, part=TopicSubscription, danger=True,
            ),
            Act(
                "pin-certificate", "Pin certificate",
                "Signatures of this topic are checked by this certificate, and none is fetched.",
                "The certificate is kept.", "pin", subscriptions.pin, part=TopicSubscription, form=PinForm,
                confirmed=True,
            ),
        )
    }
)  # fmt: skip


def of_source(token: IntakeToken, *, secrets_in_use: int = 0) -> list[Act]:
    """Return the verbs that fit a source itself as it stands."""
    if token.revoked_at is not None:
        return []
    found = []
    if token.kind == IntakeKind.HEARTBEAT:
        found.append("pause" if token.paused_at is None else "resume")
    if token.kind not in UNSIGNED and secrets_in_use < len(signing.SLOTS):
        found.append("add-secret")
    return [ACTS[slug] for slug in (*found, "revoke")]


def of_topic(topic: TopicSubscription) -> list[Act]:
    """Return the verbs that fit a topic as it stands."""
    waits, ended = topic.state == TopicState.WAITING, topic.state == TopicState.ENDED
    found = [
        *(("confirm-topic", "mark-confirmed") if waits else ()),
        "pin-certificate",
        *(() if ended else ("end-topic",)),
    ]
    return [ACTS[slug] for slug in found]
