"""Drafts: what a message says and to whom, before it becomes a row of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from portal.directory.models import Channel, Contact, ContactMethod

INBOX = "inbox"
ACTION_LINK = "{action_link}"
CODE = "{code}"


class About(NamedTuple):
    """The record that a message concerns: its content type, id and reference, and whether it is an exercise.

    What concerns a drill says so with its first word; the outbox sees to it, see `portal.notify.outbox`.
    """

    type_id: int
    pk: int
    reference: str
    is_drill: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be queued. `key` becomes its idempotency key.

    `about` is the record that it concerns. `action_path` such as ``/a/`` asks for a
    single-use link in each delivery, where the body says ``{action_link}``. `repeat_seconds` repeats it until stopped.
    It leaves `delay` seconds after it was queued. `gathers` lets it leave with others of its kind, when it is no page.
    """

    key: str
    kind: str
    lane: str
    title: str
    body: str
    contact_id: int | None = None
    method_id: int | None = None
    channel_id: int | None = None
    address: str = ""
    about: About | None = None
    generation: int = 0
    urgent: bool = False
    gathers: bool = False
    waits_while_quiet: bool = False
    delay: int = 0
    repeat_seconds: int | None = None
    url_path: str = ""
    action_path: str = ""


def drafts_for(contact: Contact, methods: Sequence[ContactMethod], **common: Any) -> list[Draft]:
    """Return the drafts of one message to one person: to the portal's inbox, and over the first of `methods`.

    `common` holds key, kind, title, body and what else a Draft knows. Only the message that leaves the portal repeats.
    """
    return page_drafts(contact, [(method, 0) for method in methods[:1]], **common)


def page_drafts(contact: Contact, ways: Sequence[tuple[ContactMethod, int]], **common: Any) -> list[Draft]:
    """Return the drafts of one page: to the portal's inbox at once, and over each way after its seconds."""
    key = common.pop("key")
    drafts = []
    if contact.user_id is not None:
        inside = {**common, "repeat_seconds": None, "action_path": ""}
        drafts.append(Draft(key=f"{key}:{INBOX}", lane=INBOX, contact_id=contact.pk, **inside))
    drafts += [
        Draft(
            key=f"{key}:{method.pk}",
            lane=method.kind,
            contact_id=contact.pk,
            method_id=method.pk,
            address=method.address,
            delay=seconds,
            **common,
        )
        for method, seconds in ways
    ]
    return drafts


def draft_for_channel(channel: Channel, **common: Any) -> Draft:
    """Return the draft of a message to a shared channel. It carries no secret link: several people read it."""
    key = common.pop("key")
    return Draft(
        key=f"{key}:channel-{channel.pk}",
        lane=channel.kind,
        channel_id=channel.pk,
        address=channel.address,
        **{**common, "action_path": ""},
    )
