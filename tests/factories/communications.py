"""Communications for tests: lists of audiences, rules and drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.communications import drafting
from incidents.enums import Audience
from incidents.models import AudienceMember, Communication, CommunicationRule, Incident
from portal.audit.actor import By
from portal.directory.models import Channel, Contact, Severity, Team
from tests.factories.directory import NOON


def list_member(audience: str, member: Contact | Team | Channel, **fields: Any) -> AudienceMember:
    """Somebody on the list of an audience."""
    kind = {Contact: "contact", Team: "team", Channel: "channel"}[type(member)]
    return AudienceMember.objects.create(audience=audience, **{kind: member}, **fields)


def set_rule(audience: str, *, needs_approval: bool, severity: Severity | None = None) -> CommunicationRule:
    """Whether messages to this audience need an approval, replacing the loaded rule."""
    row = CommunicationRule.objects.filter(audience=audience, severity=severity).first()
    row = row or CommunicationRule(audience=audience, severity=severity)
    row.needs_approval = needs_approval
    row.save()
    return row


def make_draft(
    incident: Incident,
    *,
    audience: str = Audience.CUSTOMERS,
    subject: str = "Mail is late",
    text: str = "Mail is late. Nothing is lost.",
    by: By = "system: tests",
    at: datetime = NOON,
    **more: Any,
) -> Communication:
    """A draft to an audience."""
    return drafting.draft(incident, audience=audience, subject=subject, text=text, by=by, at=at, **more)
