"""What goes over the wire: a message of the outbox as one delivery, with the links and codes made for it alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from portal.directory.enums import BY_TWILIO, MethodKind
from portal.notify import links, verification
from portal.notify.channels import Parcel
from portal.notify.compose import ACTION_LINK, CODE
from portal.notify.models import Message
from portal.notify.outbox import DRILL
from portal.notify.telling import as_sent

NAMED = 3  # records in the title of a bundle
LISTED = 5  # pages that a bundle lists in a short message, each with its link
LISTED_IN_MAIL = 25


def parcel_of(delivery: Sequence[Message], *, at: datetime) -> Parcel:
    """Return one delivery: of one message, or of several that leave as one.

    Whoever may not read what one is about is told only that there is something.
    """
    delivery = [as_sent(message) for message in delivery]
    return _one(delivery[0], at=at) if len(delivery) == 1 else _bundle(delivery, at=at)


def _one(message: Message, *, at: datetime) -> Parcel:
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
        key=message.bundle or message.idempotency_key,
        address=message.address,
        title=message.title,
        text=text,
        html=html,
        thread=message.about_reference,
        urgent=message.urgent,
    )


def _bundle(delivery: Sequence[Message], *, at: datetime) -> Parcel:
    """Return several pages, or news, as one message: the worst first, each with its own link as far as it is listed.

    Their titles begin with the severity, so that their order is that of the severities.
    """
    pages, first = sorted(delivery, key=lambda message: message.title), delivery[0]
    listed = pages[: LISTED_IN_MAIL if first.lane == MethodKind.EMAIL else LISTED]
    items = [(message.title, _link(message, at)) for message in listed]
    more = len(pages) - len(items)
    title, url = _title(pages), f"{settings.PORTAL_URL}/"
    lines = [line for words, link in items for line in ("", words, link) if line or link]
    lines += ["", f"And {more} more. All of them stand in the portal." if more else "All of them stand in the portal."]
    text, html = "\n".join(lines).strip(), ""
    if first.lane in BY_TWILIO:
        text = "Sign in to the portal to answer." if first.lane == MethodKind.VOICE else url
    if first.lane == MethodKind.EMAIL:
        values: dict[str, Any] = {"title": title, "lines": lines, "items": items, "more": more, "url": url}
        values |= {"message": {"urgent": first.urgent}, "company": settings.PORTAL_COMPANY}
        text, html = render_to_string("notify/mail.txt", values), render_to_string("notify/mail.html", values)
    return Parcel(key=first.bundle, address=first.address, title=title, text=text, html=html, urgent=first.urgent)


def _link(message: Message, at: datetime) -> str:
    if message.action_path:
        return links.make_link(message, at=at)
    return f"{settings.PORTAL_URL}{message.url_path}" if message.url_path else ""


def _title(pages: Sequence[Message]) -> str:
    """Return how many there are, and the first of them by name. What is of drills is gathered by itself."""
    mark = DRILL if all(message.is_drill for message in pages) else ""
    names = list(dict.fromkeys(message.about_reference for message in pages if message.about_reference))
    if not names:
        return f"{mark}{len(pages)} messages of the portal"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    what = "pages" if pages[0].urgent else "updates"
    return f"{mark}{len(pages)} {what}: {', '.join(names[:NAMED])}{more}"


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
