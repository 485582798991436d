"""The look that tells people about their duty, twice a minute, and managers about what will go wrong, once a week."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from portal.accounts.roles import BY_SLUG
from portal.audit.actor import acting
from portal.dashboard.duty import notices
from portal.dashboard.duty.notices import Notice
from portal.deadlines import services as deadlines
from portal.deadlines.models import Sweep
from portal.directory import readiness
from portal.directory import services as directory
from portal.directory.models import Contact, ContactMethod, Team
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.models import Message
from portal.notify.wording import render

LOOK = "duty"  # the name under which the pulse of this look is kept
LOOK_EVERY = timedelta(seconds=30)
KEEPERS = ("manager", "security-lead")  # who keeps the schedules
DIGEST_AT = time(8)
MOST_SAID = 25


def look(*, at: datetime) -> int:
    """Tell what is to be told, twice a minute however often it is called; return how many messages that were."""
    last = Sweep.objects.filter(name=LOOK).values_list("at", flat=True).first()
    if last is not None and at - LOOK_EVERY < last <= at:
        return 0
    deadlines.mark_sweep(LOOK, at=at)
    with acting(by="system: on-call", origin="task", at=at):
        teams = Team.objects.filter(active=True)
        return tell([*notices.of_handoffs(teams, at=at), *notices.of_swaps(at=at), *digest(at=at)], at=at)


def tell(found: Collection[Notice], *, at: datetime) -> int:
    """Queue what nobody has been told yet; return how many messages that were."""
    told = _told(found)
    new = [notice for notice in found if _key(notice) not in told]
    if not new:
        return 0
    methods = directory.sending_methods({notice.contact.pk for notice in new})
    return notify.queue((draft for notice in new for draft in _drafts(notice, methods)), at=at)


def _told(found: Iterable[Notice]) -> set[str]:
    """Return the keys that stand already, whichever way the message went."""
    wanted = {_key(notice) for notice in found}
    if not wanted:
        return set()
    named = Q()
    for key in wanted:
        named |= Q(idempotency_key__startswith=f"{key}:")
    keys = Message.objects.filter(named, kind__in=notices.KINDS).values_list("idempotency_key", flat=True)
    return {key.rpartition(":")[0] for key in keys}


def _key(notice: Notice) -> str:
    return f"{notice.key}:c{notice.contact.pk}"


def _drafts(notice: Notice, methods: dict[int, list[ContactMethod]]) -> list[Draft]:
    contact = notice.contact
    with timezone.override(zone_or_utc(contact.time_zone)):
        title, body = render(notice.kind, {"contact_name": contact.name, **notice.values})
    return drafts_for(
        contact,
        methods.get(contact.pk, []),
        key=_key(notice),
        kind=notice.kind,
        title=title,
        body=body,
        url_path=notice.path,
    )


# The digest.


def digest(*, at: datetime) -> list[Notice]:
    """Return this week's digest for those who keep the schedules, from Monday at eight; none when all is well."""
    week = digest_week(at)
    if week is None:
        return []
    key = f"{notices.DIGEST}:{week}"
    if Message.objects.filter(kind=notices.DIGEST, idempotency_key__startswith=f"{key}:").exists():
        return []
    holes = [hole for hole in readiness.holes(at=at) if hole.kind in {"team", "contact"}]
    if not holes:
        return []
    values = {"holes": holes[:MOST_SAID], "more": max(len(holes) - MOST_SAID, 0)}
    return [Notice(notices.DIGEST, key, person, "/on-call/", values) for person in keepers()]


def digest_week(at: datetime) -> str | None:
    """Return the week whose digest is due, such as "2026W48"; nothing before eight on a Monday of the company."""
    zone = zone_or_utc(directory.company_calendar().time_zone)
    local = at.astimezone(zone)
    if local.weekday() == 0 and local.time() < DIGEST_AT:
        return None
    year, week, _ = local.isocalendar()
    return f"{year}W{week:02d}"


def keepers() -> list[Contact]:
    """Return the people whose role keeps the schedules; the administrators where nobody has it."""
    names = [BY_SLUG[slug].name for slug in KEEPERS]
    rows = Contact.objects.filter(active=True, user__is_active=True, user__groups__name__in=names)
    return list(rows.order_by("name", "pk").distinct()) or directory.administrators()
