"""Templates of standard changes: revoked for good, and what an edit means."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from changes.models import ChangeTemplate
from changes.policy import Refused
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp


def revoke_template(template: ChangeTemplate, *, by: By, at: datetime, reason: str) -> ChangeTemplate:
    """Let no further change be made from a template, nor carried on that has not started yet.

    Refused is raised for one that was revoked already.
    """
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        held: ChangeTemplate = ChangeTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)
        if held.revoked_at is not None:
            raise Refused(f"It was revoked already, by {held.revoked_by}.")
        stamp(held, "revoked", by=by, at=at)
        held.save()
    return held


def new_template_version(template: ChangeTemplate, *, by: By, at: datetime, reason: str) -> ChangeTemplate:
    """Count an edit of a template: it is approved anew before it is used again."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        held: ChangeTemplate = ChangeTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)
        held.version += 1
        held.save()
    return held
