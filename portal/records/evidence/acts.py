"""The verbs of an item as the pages offer them: their words, their form and their service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from portal.records.evidence import policy, services
from portal.records.evidence.enums import State
from portal.records.evidence.forms import DescribeForm, EvidenceForm, HandOverForm, ReasonForm, ReceiveForm, ReleaseForm
from portal.records.evidence.models import Evidence


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `rule` is its name in the table of policy."""

    slug: str
    rule: str
    label: str
    title: str
    about: str
    icon: str
    form: type[EvidenceForm]
    service: Callable[..., Any]
    said: str
    danger: bool = False


ACTS = {
    act.slug: act
    for act in (
        Act(
            "receive", "receive", "Confirm receipt", "Confirm that you have it",
            "From now on you hold it, and answer for it.", "circle-check", ReceiveForm, services.receive,
            "You hold it now.",
        ),
        Act(
            "end-handover", "end the handover of", "End handover", "End the handover",
            "It stays with whoever holds it.", "undo-2", ReasonForm, services.end_handover, "The handover is ended.",
        ),
        Act(
            "hand-over", "hand over", "Hand over", "Hand it over",
            "Whoever you give it to confirms the receipt with an account of their own.", "handshake", HandOverForm,
            services.hand_over, "It is handed over once the receipt is confirmed.",
        ),
        Act(
            "describe", "describe", "Describe", "Describe it more exactly",
            "The file itself is never changed.", "pencil", DescribeForm, services.describe, "Your words are kept.",
        ),
        Act(
            "seal", "seal", "Seal", "Seal it",
            "Its words are never changed again. It can still be handed over, downloaded and released.", "lock",
            ReasonForm, services.seal, "It is sealed.",
        ),
        Act(
            "release", "release", "Release", "End its custody",
            "The file and its custody stay here and can be read. Nothing else is done with it.", "archive",
            ReleaseForm, services.release, "Its custody has ended.", danger=True,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb that fits now, and the address of its form."""

    act: Act
    url: str


def offers(item: Evidence, user: Any) -> list[Offer]:
    """Return what `user` may do with an item now, the most likely first."""
    return [
        Offer(act, reverse("evidence:act", args=[item.reference, act.slug]))
        for act in ACTS.values()
        if policy.can(act.rule, item.state, sealed=item.is_sealed) and may(act, item, user)
    ]


def may(act: Act, item: Evidence, user: Any) -> bool:
    """Tell whether an act is one that `user` has a part in: as holder, as receiver, or in the holder's place."""
    receives = item.state == State.OFFERED and services.is_receiver(item, user)
    if act.slug == "receive":
        return receives
    own = user.has_perm("records.change_evidence") and (services.holds(item, user) or services.leads(user))
    return own or (act.slug == "end-handover" and receives)
