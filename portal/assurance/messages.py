"""The words of the messages that engagements and reviews send, rendered from templates/notify/."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from portal.assurance.models import Engagement, Review
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render

GRANTED = "engagement_granted"
ENDED = "engagement_ended"
OPENED = "review_opened"
REMINDER = "review_reminder"
OVERDUE = "review_overdue"
QUESTION = "review_question"
ANSWER = "review_answer"
SETTLED = "review_settled"
ASKING = (OPENED, REMINDER, OVERDUE)
"""What asks reviewers to go on: pointless once the review is over."""


def tell(
    subject: Engagement | Review,
    contacts: Iterable[Contact],
    *,
    kind: str,
    key: str,
    at: datetime,
    path: str = "",
    **more: Any,
) -> None:
    """Queue one message of this kind to each of these people, in their zone. `more` is what its words need.

    `key` sets it apart from others of its kind about the same engagement or review; `path` is where it leads.
    """
    people = {contact.pk: contact for contact in contacts}
    methods = directory.sending_methods(people) if people else {}
    about = About(ContentType.objects.get_for_model(type(subject)).pk, subject.pk, subject.reference)
    drafts: list[Draft] = []
    for contact in people.values():
        with timezone.override(zone_or_utc(contact.time_zone)):
            title, body = render(kind, {"subject": subject, "contact_name": contact.name, **more})
        drafts += drafts_for(
            contact,
            methods.get(contact.pk, []),
            key=f"{subject.reference}:{kind}:{key}:c{contact.pk}",
            kind=kind,
            title=title,
            body=body,
            about=about,
            url_path=path or subject.get_absolute_url(),
        )
    notify.queue(drafts, at=at)


def stop_asking(review: Review, *, at: datetime) -> None:
    """Take back what still waits to be sent and asks reviewers to go on."""
    notify.cancel_unsent(about=review, at=at, kinds=ASKING)
