"""The words of the messages that approvals send, rendered from templates/notify/, and to whom they go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from portal.approvals.models import ApprovalRequest
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render

ASKED = "approval_asked"
REMINDER = "approval_reminder"
VOIDED = "approval_voided"
ASKING = (ASKED, REMINDER)
"""What asks for a decision: pointless once nothing is left to decide."""


def tell(
    request: ApprovalRequest, contacts: Iterable[Contact], *, kind: str, key: str, at: datetime, **more: Any
) -> None:
    """Queue one message of this kind about a request to each of these people, in their zone.

    `key` sets it apart from others of its kind about the same request. `more` is what the words need besides.
    """
    people = {contact.pk: contact for contact in contacts}
    methods = directory.sending_methods(people) if people else {}
    drafts: list[Draft] = []
    for contact in people.values():
        with timezone.override(zone_or_utc(contact.time_zone)):
            context = {"request": request, "contact_name": contact.name, **more}
            title, body = render(kind, context)
        drafts += drafts_for(
            contact, methods.get(contact.pk, []), key=f"a{request.pk}:{kind}:{request.round}:{key}:c{contact.pk}",
            kind=kind, title=title, body=body, generation=request.round, url_path=request.get_absolute_url(),
            about=About(
                ContentType.objects.get_for_model(ApprovalRequest).pk, request.pk, request.reference, request.is_drill
            ),
        )  # fmt: skip
    notify.queue(drafts, at=at)


def stop_asking(request: ApprovalRequest, *, at: datetime) -> None:
    """Take back what still waits to be sent and asks for a decision."""
    notify.cancel_unsent(about=request, at=at, kinds=ASKING)
