"""Who may read a restricted incident: restricting it, opening it by name, taking that back, and breaking the glass."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from incidents import messages
from incidents.enums import IncidentType
from incidents.models import AccessGrant, Incident, TypeRule
from incidents.models.incidents import SECURITY_LEAD
from incidents.policy import Refused
from incidents.services.common import locked, say
from portal.accounts.models import User
from portal.audit.actor import By, actor_of
from portal.directory import services as directory
from portal.directory.models import Contact
from portal.lib.blank import is_blank
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify
from portal.notify.compose import Draft, drafts_for
from portal.notify.wording import render

MEMBERS = "Its commander, its responders, whoever was called or declared it, and the security leads read it."


def restricts(kind: str) -> bool:
    """Tell whether incidents of this type are restricted by default."""
    return TypeRule.objects.filter(type=kind, restricted=True).exists()


def may_read_demand(payload: dict[str, Any], user: Any) -> bool:
    """Tell whether somebody may read what an incident is asked for, before there is one that has members."""
    return SECURITY_LEAD in getattr(user, "role_names", ()) or not restricts(str(payload.get("type", "")))


def restrict_as_its_type(row: Incident, *, by: By, at: datetime) -> None:
    """Restrict an incident whose type asks for it; the caller holds its lock and saves it."""
    if row.restricted or not restricts(row.type):
        return
    row.restricted = True
    kind = IncidentType(row.type).label.lower()
    say(row, "restricted", "restricted it", by=by, at=at, detail=f"As every {kind} incident is. {MEMBERS}")


def restrict(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Let only members read it, and whoever is granted it by name. It needs a reason."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        if row.restricted:
            raise Refused("It is restricted already. Open it to somebody by name, or take that back.")
        if is_blank(reason):
            raise Refused("Say why only its members may read it. The reason is kept.")
        row.restricted = True
        row.save()
        say(row, "restricted", "restricted it", by=by, at=at, reason=reason, detail=MEMBERS)
    return row


def lift_restriction(incident: Incident, *, by: By, at: datetime, reason: str = "") -> Incident:
    """Let everybody who reads incidents read it again, with all that was written into it. It needs a reason."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        if not row.restricted:
            raise Refused("It is not restricted. Everybody who reads incidents reads it.")
        if is_blank(reason):
            raise Refused("Say why everybody may read it now. The reason is kept.")
        row.restricted = False
        row.save()
        detail = "Everybody who reads incidents reads it now, with all that was written before."
        say(row, "restricted", "lifted the restriction", by=by, at=at, reason=reason, detail=detail)
    return row


def standing_grants(incident: Incident, *, at: datetime) -> list[AccessGrant]:
    """Return who may read it by name at this moment."""
    rows = AccessGrant.objects.filter(Q(until=None) | Q(until__gt=at), incident=incident, revoked_at=None)
    return list(rows.select_related("user"))


def grant_access(
    incident: Incident, *, account: User, by: By, at: datetime, reason: str = "", until: datetime | None = None
) -> AccessGrant:
    """Let one account read a restricted incident, until a moment or until it is taken back. It needs a reason."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        _check_grant(row, account, until=until, at=at, reason=reason)
        if actor_of(by).user_id == account.pk:
            raise Refused("You cannot open it to yourself. A member opens it to you.")
        made = _grant(row, account, by=by, at=at, reason=reason, until=until)
        ends = f" until {timezone.localtime(until):%d %b %Y, %H:%M %Z}" if until is not None else ""
        say(row, "access", f"opened it to {account}{ends}", by=by, at=at, reason=reason)
    return made


def _check_grant(row: Incident, user: User, *, until: datetime | None, at: datetime, reason: str) -> None:
    if not row.restricted:
        raise Refused("It is not restricted. Everybody who reads incidents reads it.")
    if is_blank(reason):
        raise Refused("Say why. The reason is kept for good.")
    if not user.is_active:
        raise Refused(f"The account of {user} is closed. Choose somebody who is still here.")
    if until is not None and until <= at:
        raise Refused("That moment has passed. Choose a later one, or none.")
    if SECURITY_LEAD in user.role_names:
        raise Refused(f"{user} is a security lead and reads it already.")


def _grant(
    row: Incident, user: User, *, by: By, at: datetime, reason: str, until: datetime | None, glass: bool = False
) -> AccessGrant:
    """Write a grant; one that stands is taken back first, so that the last word holds."""
    for standing in AccessGrant.objects.filter(incident=row, user=user, revoked_at=None):
        _revoke(standing, by=by, at=at)
    return AccessGrant.objects.create(
        incident=row, user=user, until=until, why=" ".join(reason.split())[:500], broke_glass=glass,
        granted_at=at, granted_by=actor_of(by).name,
    )  # fmt: skip


def _revoke(grant: AccessGrant, *, by: By, at: datetime) -> None:
    grant.revoked_at, grant.revoked_by = at, actor_of(by).name
    grant.save()


def revoke_access(incident: Incident, *, grant: AccessGrant, by: By, at: datetime, reason: str = "") -> AccessGrant:
    """Take back what was opened by name. It needs a reason."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        standing = AccessGrant.objects.filter(pk=grant.pk, incident=row, revoked_at=None).first()
        if standing is None:
            raise Refused("That access was taken back already.")
        if is_blank(reason):
            raise Refused("Say why. The reason is kept for good.")
        _revoke(standing, by=by, at=at)
        say(row, "access", f"took back that {standing.user} may read it", by=by, at=at, reason=reason)
    return standing


def break_glass(incident: Incident, *, by: User, at: datetime, reason: str) -> AccessGrant:
    """Open a restricted incident to oneself, past its members: the security leads are told at once. It needs a reason.

    The caller has checked that this account may break the glass.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        _check_grant(row, by, until=None, at=at, reason=reason)
        made = _grant(row, by, by=by, at=at, reason=reason, until=None, glass=True)
        told = _tell_security_leads(row, by=by, at=at, reason=reason)
        detail = f"Told: {', '.join(told)}." if told else "No security lead could be told: nobody has that role."
        say(row, "glass", "broke the glass to read it", by=by, at=at, reason=reason, detail=detail)
    return made


def _tell_security_leads(row: Incident, *, by: User, at: datetime, reason: str) -> list[str]:
    role = Q(user__groups__name=SECURITY_LEAD, user__is_active=True)
    leads = list(Contact.objects.filter(role, active=True).order_by("name", "pk").distinct())
    methods = directory.sending_methods([lead.pk for lead in leads])
    drafts: list[Draft] = []
    for lead in leads:
        with timezone.override(zone_or_utc(lead.time_zone)):
            context = messages.facts(row, contact_name=lead.name, who=str(by), at=at, reason=reason)
            title, body = render(messages.GLASS, context)
        drafts += drafts_for(
            lead, methods.get(lead.pk, []), key=f"i{row.pk}:glass:{by.pk}:{at.isoformat()}:c{lead.pk}",
            kind=messages.GLASS, title=title, body=body, about=messages.about(row), generation=row.generation,
            url_path=context["url"], urgent=True,
        )  # fmt: skip
    notify.queue(drafts, at=at)
    return [lead.name for lead in leads]
