"""What a message says to somebody who may not read what it is about: that there is a restricted record, and no more.

This is decided as a message is sent and as an inbox is read, so that it holds for whoever queued it, for a repeat of
what was queued before the record was restricted, and for whoever is granted the record later.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models

from portal.lib.visibility import hidden_among, restricted_among
from portal.notify.models import Message
from portal.notify.outbox import DRILL

SENTENCE = "This is about something that only its members may read. Sign in to see whether you are one of them."


def as_sent(message: Message) -> Message:
    """Return the message as its recipient may have it: itself, or a copy that names nothing of a restricted record.

    A channel is read by many, so that nothing restricted is ever named there but what somebody wrote for it.
    """
    model = _model_of(message)
    if model is None or not restricted_among(model, [str(message.about_id)]) or _is_told(model, message):
        return message
    return _unlinked(message) if _is_meant(model, message) else _veiled(message, model)


def is_open_to_all(message: Message) -> bool:
    """Tell whether a message is about no restricted record, so that anybody may be told its title."""
    model = _model_of(message)
    return model is None or not restricted_among(model, [str(message.about_id)])


def as_read(messages: Sequence[Message], user: Any) -> list[Message]:
    """Return the messages of somebody's inbox as they may read them now. One query where any is about such a kind."""
    about: dict[type[models.Model], set[int]] = defaultdict(set)
    for message in messages:
        model = _model_of(message)
        if model is not None and message.about_id is not None:
            about[model].add(message.about_id)
    hidden = {model: hidden_among(model, ids, user) for model, ids in about.items()}
    return [_as_one_reads(message, hidden) for message in messages]


def _as_one_reads(message: Message, hidden: dict[type[models.Model], set[str]]) -> Message:
    model = _model_of(message)
    if model is None or str(message.about_id) not in hidden[model]:
        return message
    return _unlinked(message) if _is_meant(model, message) else _veiled(message, model)


def _model_of(message: Message) -> type[models.Model] | None:
    """Return the model of what a message is about, where that keeps records from some readers."""
    if message.about_type_id is None:
        return None
    model = ContentType.objects.get_for_id(message.about_type_id).model_class()
    return model if hasattr(model, "hidden_from") else None


def _is_told(model: type[Any], message: Message) -> bool:
    """Ask the model, which may know people without an account; else the account of the recipient is asked for."""
    if hasattr(model, "told_to"):
        return bool(model.told_to(message.about_id, message.contact))
    user = message.contact.user if message.contact is not None else None
    return user is not None and not hidden_among(model, [message.about_id], user)


def _is_meant(model: type[Any], message: Message) -> bool:
    """Tell whether somebody who reads the record wrote the message for its recipient: its words are theirs to give.

    A model says which kinds of messages are such with `meant_as_written`.
    """
    return message.kind in getattr(model, "meant_as_written", ())


def _unlinked(message: Message) -> Message:
    """Return the message as it was written, without a way to the record, which its recipient may not open."""
    written = copy.copy(message)
    written.url_path, written.action_path = "", ""
    return written


def _veiled(message: Message, model: type[models.Model]) -> Message:
    veiled = copy.copy(message)
    drill = DRILL if message.is_drill else ""
    name = f"{drill}A restricted {model._meta.verbose_name}"
    veiled.title = f"{name}, {message.about_reference}: sign in" if message.about_reference else f"{name}: sign in"
    veiled.body, veiled.action_path = SENTENCE, ""
    return veiled
