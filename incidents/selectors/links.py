"""What the page behind a link in a message shows. Looking changes nothing: mail scanners follow links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType

from incidents.models import Incident
from portal.directory.models import Contact
from portal.lib.digests import digest
from portal.notify import services as notify
from portal.notify.models import ActionLink


@dataclass(frozen=True, slots=True)
class Answering:
    """A link as its page shows it. `refusal` says why the link does nothing any more; then nobody can answer by it."""

    incident: Incident | None
    contact: Contact | None
    refusal: str
    used_at: datetime | None

    @property
    def can_answer(self) -> bool:
        """Whether the button is shown."""
        return not self.refusal and self.incident is not None and self.contact is not None and self.incident.is_open


def answering(secret: str, *, at: datetime) -> Answering:
    """Return what stands behind a secret. A used link still tells its incident, an expired or unknown one does not."""
    refusal = ""
    try:
        link: ActionLink | None = notify.peek(secret, at=at)
    except notify.LinkRefused as refused:
        refusal = str(refused)
        used = ActionLink.objects.filter(digest=digest(secret), used_at__isnull=False, expires_at__gt=at)
        link = used.select_related("message__contact").first()
    if link is None:
        return Answering(None, None, refusal, None)
    contact = link.message.contact
    if not refusal and contact is not None and not contact.active:
        refusal = has_left(contact)
    return Answering(incident_of(link), link.message.contact, refusal, link.used_at)


def has_left(contact: Contact) -> str:
    """Return the sentence for a link of somebody who is not there any more."""
    return f"{contact} has left, so this link does nothing any more. Sign in and open the incident instead."


def incident_of(link: ActionLink) -> Incident | None:
    """Return the incident that the message of a link is about; a restricted one only for its members."""
    if link.message.about_type_id != ContentType.objects.get_for_model(Incident).pk:
        return None
    rows = Incident.objects.select_related("severity").prefetch_related("systems")
    found = rows.filter(pk=link.message.about_id).first()
    if found is None or (found.restricted and not Incident.told_to(found.pk, link.message.contact)):
        return None
    return found
