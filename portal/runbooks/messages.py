"""What keepers of a runbook are told: that its review comes, and that it is overdue."""

from __future__ import annotations

from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import About, Draft, drafts_for
from portal.notify.wording import render
from portal.runbooks.models import Runbook

SOON = "runbook_review_soon"
DUE = "runbook_review_due"


def keepers_of(runbook: Runbook) -> list[Contact]:
    """Return who keeps a runbook true: the active people of its team, else the administrators."""
    team = runbook.keeper
    people = list(team.members.filter(active=True).order_by("pk")) if team is not None else []
    return people or directory.administrators()


def tell(runbook: Runbook, *, kind: str, key: str, due: datetime, at: datetime) -> None:
    """Queue one message of this kind about a runbook to each of its keepers, in their zone."""
    people = keepers_of(runbook)
    methods = directory.sending_methods([contact.pk for contact in people]) if people else {}
    drafts: list[Draft] = []
    for contact in people:
        with timezone.override(zone_or_utc(contact.time_zone)):
            title, body = render(kind, {"runbook": runbook, "contact_name": contact.name, "due": due, "now": at})
        drafts += drafts_for(
            contact, methods.get(contact.pk, []), key=f"r{runbook.pk}:{kind}:{key}:c{contact.pk}", kind=kind,
            title=title, body=body, url_path=runbook.get_absolute_url(),
            about=About(ContentType.objects.get_for_model(Runbook).pk, runbook.pk, runbook.reference),
        )  # fmt: skip
    notify.queue(drafts, at=at)
