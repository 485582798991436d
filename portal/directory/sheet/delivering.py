"""The contact sheet off this machine, each night: a row for each way says when it went out and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.conf import settings

from portal.audit import away
from portal.audit.seals import Way
from portal.directory.models import SheetDelivery
from portal.directory.sheet import making
from portal.lib.inserting import insert_many

NIGHT = 1  # the hour (UTC) from which a new day's sheet goes out
LATE = timedelta(hours=30)  # a way by which none has gone out for so long is an alarm
NAME, TYPE = "contact-sheet.html", "text/html; charset=utf-8"
Clock = Callable[[], datetime]


def ways() -> list[tuple[Way, str]]:
    """Return where the sheet is taken to: always a file, and a mail address and a web address where they are set."""
    named = [
        (Way.FILE, str(settings.CONTACT_SHEET_FILE)),
        (Way.MAIL, settings.CONTACT_SHEET_MAIL),
        (Way.URL, settings.CONTACT_SHEET_URL),
    ]
    return [(way, target) for way, target in named if target]


def nightly(*, now: Clock) -> int:
    """Take the sheet off the machine once a night by each way; return how many deliveries were tried.

    Each is claimed by counting its attempt before it is tried, and pushed back: two senders never try it at once. A
    newer day's sheet takes the place of one that never went out.
    """
    day = _ask(now())
    tried = 0
    waiting = SheetDelivery.objects.filter(day=day, delivered_at=None)
    for delivery in waiting.filter(next_attempt_at__lte=now()).order_by("pk"):
        at = now()
        claim = waiting.filter(pk=delivery.pk, attempts=delivery.attempts)
        if not claim.update(attempts=delivery.attempts + 1, next_attempt_at=at + away.rest(delivery.attempts)):
            continue
        tried += 1
        error = away.tried(lambda one=delivery, at=at: _send(one, at))  # type: ignore[misc]
        row = SheetDelivery.objects.filter(pk=delivery.pk)
        row.update(error=error) if error else row.update(error="", delivered_at=now())
    return tried


def _ask(at: datetime) -> date:
    """Write a row for each way that this day's sheet is to go; return the newest day that there is a sheet for."""
    newest: date | None = SheetDelivery.objects.order_by("-day").values_list("day", flat=True).first()
    if newest is not None and (newest >= at.date() or at.hour < NIGHT):
        return newest
    rows = [SheetDelivery(day=at.date(), way=way, target=target, next_attempt_at=at) for way, target in ways()]
    insert_many(rows, ignore_conflicts=True)
    return at.date()


def _send(delivery: SheetDelivery, at: datetime) -> None:
    content = making.as_file(at=at)
    if delivery.way == Way.FILE:
        away.replace(delivery.target, content)
    elif delivery.way == Way.MAIL:
        body = f"The contact sheet of {settings.PORTAL_URL} is attached. Keep it for when the portal is down.\n"
        away.mail(delivery.target, "Watchbook contact sheet", body, attached=(NAME, content, "text/html"))
    else:
        away.post(delivery.target, content.encode(), TYPE)


def newest() -> list[SheetDelivery]:
    """Return the newest delivery of each way, whether it went out or not."""
    found: dict[str, SheetDelivery] = {}
    for delivery in SheetDelivery.objects.order_by("-day", "pk")[:20]:
        found.setdefault(delivery.way, delivery)
    return list(found.values())


def late(*, at: datetime) -> list[SheetDelivery]:
    """Return the newest delivery of each way by which no sheet has gone out for too long."""
    went = SheetDelivery.objects.filter(delivered_at__gt=at - LATE)
    fresh = set(went.values_list("way", flat=True))
    began = SheetDelivery.objects.order_by("day").values_list("day", flat=True).first()
    young = began is None or datetime(began.year, began.month, began.day, tzinfo=at.tzinfo) > at - LATE
    return [] if young else [one for one in newest() if one.way not in fresh]
