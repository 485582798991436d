"""What the inbox says of an export that is ready, or failed."""

from __future__ import annotations

from datetime import datetime

from django.contrib.contenttypes.models import ContentType

from portal.assurance.exporting.enums import ExportState
from portal.assurance.models.exports import Export
from portal.directory.models import Contact
from portal.notify import services as notify
from portal.notify.compose import INBOX, About, Draft
from portal.notify.wording import render

DONE = "export_done"
FAILED = "export_failed"


def tell(export: Export, *, at: datetime) -> None:
    """Put it into the inbox of whoever asked. An account without an entry in the directory has no inbox."""
    contact = Contact.objects.filter(user_id=export.requester_id, active=True).first()
    if contact is None:
        return
    kind = DONE if export.state == ExportState.DONE else FAILED
    title, body = render(kind, {"export": export})
    about = About(ContentType.objects.get_for_model(Export).pk, export.pk, export.reference)
    draft = Draft(
        key=f"export:{export.pk}:{INBOX}",
        kind=kind,
        lane=INBOX,
        title=title,
        body=body,
        contact_id=contact.pk,
        about=about,
        url_path=export.get_absolute_url(),
    )
    notify.queue([draft], at=at)
