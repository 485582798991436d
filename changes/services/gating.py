"""Deployment prerequisites: reported with evidence by people and CI systems; approval by the portal alone."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from changes.enums import GateResult, GateSource, Status
from changes.gates import GateLine, judged
from changes.models import Change, Gate, GateReport, GateToken
from changes.policy import Refused
from changes.services.common import locked, say
from portal.audit.actor import By, acting, actor_of, current
from portal.audit.stamping import stamp
from portal.lib.blank import is_blank
from portal.lib.digests import digest

COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
USED_EVERY = timedelta(hours=1)


def report_gate(
    change: Change, gate: Gate, *, result: str, by: By, at: datetime, commit: str = "", url: str = "", note: str = "",
    reason: str = "",
) -> GateReport:  # fmt: skip
    """Keep what was found of one prerequisite. The newest report counts.

    Refused is raised for the approval, which only the portal ticks; for a report that says nothing new; for one
    without evidence; and once the change is under way or over.
    """
    with locked(change, by=by, at=at, reason=reason) as row:
        if gate.source == GateSource.PORTAL:
            raise Refused(f"“{gate.name}” is ticked by the portal alone, when the last stage has approved.")
        if not gate.active:
            raise Refused(f"“{gate.name}” is asked no more.")
        if row.status not in _OPEN:
            raise Refused(f"This change is {row.get_status_display().lower()}. Its gates stand as they are.")
        if result not in GateResult.values:
            raise Refused("Say whether it passed or failed.")
        if commit and not COMMIT.fullmatch(commit):
            raise Refused("A commit is named by 7 to 64 hexadecimal digits.")
        if not commit and not url and is_blank(note):
            raise Refused("Name what shows it: a commit, an address or a few words.")
        last = GateReport.objects.filter(change=row, gate=gate).order_by("pk").last()
        if last is not None and (last.result, last.commit, last.url, last.note) == (result, commit, url, note):
            raise Refused(f"“{gate.name}” was reported so already, by {last.reported_by}.")
        context = current()
        made: GateReport = GateReport.objects.create(
            change=row, gate=gate, result=result, commit=commit, url=url, note=note[:500], reported_at=at,
            reported_by=actor_of(by).name, origin=context.origin if context else "",
            gesture=context.gesture if context else None,
        )  # fmt: skip
        say(row, "gate", f"reported “{gate.name}” as {made.get_result_display().lower()}", by=by, at=at,
            detail=" ".join(filter(None, [f"Commit {commit}." if commit else "", note, url])))  # fmt: skip
    return made


_OPEN = (Status.DRAFT, Status.SUBMITTED, Status.ASSESSED, Status.APPROVED, Status.SCHEDULED)


def _lines(change: Change) -> list[GateLine]:
    reports = GateReport.objects.filter(change=change).order_by("pk")
    return judged(change, Gate.objects.filter(active=True), reports)


def unmet(change: Change) -> list[str]:
    """Return the prerequisites that are not met, each in words; the approval is the portal's own word."""
    return [line.lacking for line in _lines(change) if line.state != "met"]


def check_gates(change: Change) -> None:
    """Refuse while a prerequisite is not met; the sentence names all of them."""
    lacking = unmet(change)
    if lacking:
        raise Refused(f"Not met yet: {', '.join(lacking)}. Report each with what shows it, then start.")


def hand_out_token(name: str, *, by: By, at: datetime, reason: str) -> tuple[GateToken, str]:
    """Make a token for a CI system and return it with its secret, which is shown this once."""
    secret = secrets.token_urlsafe(32)
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        token = GateToken(name=name.strip()[:80], digest=digest(secret))
        stamp(token, "created", by=by, at=at)
        token.save()
    return token, secret


def revoke_token(token: GateToken, *, by: By, at: datetime, reason: str) -> GateToken:
    """Let a token count no more. Refused is raised for one that was revoked already."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        held = GateToken.objects.select_for_update().get(pk=token.pk)
        if held.revoked_at is not None:
            raise Refused(f"It was revoked already, by {held.revoked_by}.")
        stamp(held, "revoked", by=by, at=at)
        held.save()
    return held


def token_used(token: GateToken, *, at: datetime) -> None:
    """Keep when a token was last used, once an hour: a row of history for each report would say nothing more."""
    if token.last_used_at is None or token.last_used_at <= at - USED_EVERY:
        token.last_used_at = at
        token.save()


def token_of(secret: str) -> GateToken | None:
    """Return the token with this secret, unless it was revoked."""
    found: GateToken | None = GateToken.objects.filter(digest=digest(secret), revoked_at=None).first()
    return found
