"""What approvals add to the admin page of a record that can be approved: how it stands, and the button to ask."""

from __future__ import annotations

from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from portal.approvals import registry, services
from portal.approvals.enums import Stands
from portal.approvals.looks import STANDING_LOOKS
from portal.audit.admin import Verb
from portal.audit.beside import Mark
from portal.lib import times

FREE = {Stands.NOT, Stands.CHANGED}
"""How a record stands whose approval can be asked for."""


def verbs(request: HttpRequest, obj: models.Model) -> list[Verb]:
    """Offer to ask for the approval of a record that is neither approved as it stands nor asked for."""
    kind = registry.of_subject(obj)
    if kind is None or not kind.lasting or not kind.may_ask(request.user) or services.standing(obj).stands not in FREE:
        return []
    return [Verb("Ask for approval", reverse("approvals:ask", args=[kind.kind, obj.pk]), post=False, icon="file-check")]


def marks(request: HttpRequest, obj: models.Model) -> list[Mark]:
    """Say whether a record is approved as it stands, and by whom."""
    if registry.of_subject(obj) is None or not request.user.has_perm("approvals.view_approvalrequest"):
        return []
    found = services.standing(obj)
    tone, icon = STANDING_LOOKS[found.stands]
    names = ", ".join(found.by)
    text = f"{times.exact(found.at)} by {names}" if found.at is not None and found.stands == Stands.APPROVED else ""
    if found.request is None:
        return [Mark(found.word, tone, icon)]
    return [Mark(found.word, tone, icon, text, found.request.get_absolute_url(), found.request.reference)]
