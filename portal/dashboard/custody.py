"""The look that tells people that evidence is given into their hands: it waits for their receipt.

Evidence and messages know nothing of one another, so that this looks for what is being handed over. The custody event
is the key: each handover is told once, whoever looks and however often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from portal.directory import services as directory
from portal.directory.models import ContactMethod
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.models import Message
from portal.notify.wording import render
from portal.records.evidence.enums import Kind
from portal.records.evidence.models import CustodyEvent, Evidence

HANDED = "evidence_handed"
LATELY = timedelta(days=1)  # what waited longer than that stands on the page of the evidence


def look(*, at: datetime) -> int:
    """Tell receivers what they were handed and nobody has told them; return how many messages that were."""
    waiting = Evidence.objects.filter(offered_to__isnull=False).select_related("offered_to", "holder").in_bulk()
    if not waiting:
        return 0
    events = CustodyEvent.objects.filter(evidence__in=waiting, kind=Kind.HANDED_OVER, at__gt=at - LATELY, at__lte=at)
    newest = {event.evidence_id: event for event in events.order_by("at", "id")}
    told = _told([event.pk for event in newest.values()])
    new = [event for event in newest.values() if event.pk not in told]
    if not new:
        return 0
    methods = directory.sending_methods({waiting[event.evidence_id].offered_to_id for event in new})
    return notify.queue(
        (draft for event in new for draft in _drafts(waiting[event.evidence_id], event, methods)), at=at
    )


def _told(ids: Sequence[int]) -> set[int]:
    """Return the handovers that were told, whichever way the message went."""
    found = set()
    for pk in ids:
        if Message.objects.filter(idempotency_key__startswith=f"handed:{pk}:", kind=HANDED).exists():
            found.add(pk)
    return found


def _drafts(item: Evidence, event: CustodyEvent, methods: dict[int, list[ContactMethod]]) -> list[Draft]:
    contact = item.offered_to
    assert contact is not None  # noqa: S101 - only what is being handed over is looked for
    with timezone.override(zone_or_utc(contact.time_zone)):
        title, body = render(HANDED, {"contact_name": contact.name, "item": item, "event": event})
    about = ContentType.objects.get_for_model(Evidence).pk, item.pk, item.reference
    return drafts_for(
        contact, methods.get(contact.pk, []), key=f"handed:{event.pk}:c{contact.pk}", kind=HANDED, title=title,
        body=body, url_path=item.get_absolute_url(),
        about=About(*about, is_drill=bool(getattr(item.subject, "is_drill", False))),
    )  # fmt: skip
