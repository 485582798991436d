"""What goes over the wire: a message of the outbox as one delivery, with the links and codes made for it alone."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from portal.directory.enums import BY_TWILIO, MethodKind
from portal.notify import links, verification
from portal.notify.channels import Parcel
from portal.notify.compose import ACTION_LINK, CODE
from portal.notify.models import Message


def parcel_of(message: Message, *, at: datetime) -> Parcel:
    """Return one delivery of the message, with the link or the code made for it alone."""
    url = f"{settings.PORTAL_URL}{message.url_path}" if message.url_path else ""
    action_link = links.make_link(message, at=at) if message.action_path else ""
    body = message.body
    if message.kind == verification.KIND and message.method is not None:
        body = body.replace(CODE, verification.make_code(message.method, at=at))
    text = body.replace(ACTION_LINK, action_link or url)
    html = ""
    if message.lane in BY_TWILIO:
        text = _by_telephone(message, text, action_link or url)
    if message.lane == MethodKind.EMAIL:
        values = _mail_values(message, text, action_link, url)
        text, html = render_to_string("notify/mail.txt", values), render_to_string("notify/mail.html", values)
    return Parcel(
        key=message.idempotency_key,
        address=message.address,
        title=message.title,
        text=text,
        html=html,
        thread=message.about_reference,
        urgent=message.urgent,
    )


def _mail_values(message: Message, text: str, action_link: str, url: str) -> dict[str, Any]:
    return {
        "title": message.title,
        "lines": text.strip().splitlines(),
        "action_link": action_link,
        "action_in_body": bool(action_link) and action_link in text,
        "url": url,
        "message": message,
        "company": settings.PORTAL_COMPANY,
    }


def _by_telephone(message: Message, text: str, link: str) -> str:
    """Return the little that is read on a telephone, or heard: a text message costs by its length."""
    if message.kind == verification.KIND:
        first = text.partition("\n\n")[0]
        return re.sub(r"[0-9]{6}", lambda code: " ".join(code[0]), first) if message.lane == MethodKind.VOICE else first
    if message.lane == MethodKind.VOICE:
        return "Sign in to the portal to answer."
    return link or text
