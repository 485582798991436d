"""Daily routine is not ticked by hand: the job that does it says so itself, with the token of its plan."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction

from maintenance.enums import Source, State
from maintenance.models import Occurrence, Plan, PlanToken
from maintenance.policy import Refused
from maintenance.services.common import locked_plan
from maintenance.services.completing import complete
from maintenance.services.opening import open_next
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.lib.blank import is_blank
from portal.lib.digests import digest

USED_EVERY = timedelta(hours=1)
MOST_TOKENS = 10


def hand_out_token(plan: Plan, name: str, *, by: By, at: datetime, reason: str) -> tuple[PlanToken, str]:
    """Make a token for the job of a plan and return it with its secret, which is shown this once."""
    if is_blank(name):
        raise Refused("Say which job it is given to.")
    secret = secrets.token_urlsafe(32)
    with locked_plan(plan, by=by, at=at, reason=reason) as row:
        if row.tokens.filter(revoked_at=None).count() >= MOST_TOKENS:
            raise Refused(f"This plan has {MOST_TOKENS} tokens already. Revoke one first.")
        token = PlanToken(plan=row, name=name.strip()[:80], digest=digest(secret))
        stamp(token, "created", by=by, at=at)
        token.save()
    return token, secret


def revoke_token(token: PlanToken, *, by: By, at: datetime, reason: str) -> PlanToken:
    """Let a token count no more. Refused is raised for one that was revoked already."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        held = PlanToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
        if held.revoked_at is not None:
            raise Refused(f"It was revoked already, by {held.revoked_by}.")
        stamp(held, "revoked", by=by, at=at)
        held.save()
    return held


def token_of(secret: str) -> PlanToken | None:
    """Return the token with this secret, unless it was revoked."""
    rows = PlanToken.objects.filter(digest=digest(secret), revoked_at=None).select_related("plan")
    found: PlanToken | None = rows.first()
    return found


def report_done(
    token: PlanToken, *, by: By, at: datetime, done_at: datetime | None = None, found: str = ""
) -> tuple[Occurrence, bool]:
    """Record what a job says: the task of its plan is done. Return the occurrence, and whether it is news.

    A job that reports twice is told that it counted already. Refused is raised for a plan that is not in force, for a
    moment that cannot be, and for a token that was revoked since it was read.
    """
    moment = done_at or at
    with locked_plan(token.plan, by=by, at=at, reason=f"Reported by {token.name}") as plan:
        held = PlanToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
        if held.revoked_at is not None:
            raise Refused(f"This token was revoked by {held.revoked_by}. Ask for a new one.")
        if held.last_used_at is None or held.last_used_at <= at - USED_EVERY:
            held.last_used_at = at
            held.save()
        occurrence = open_next(plan, at=at)
        if occurrence is None:
            raise Refused(f"The plan {plan.reference} is not in force, so that nothing is due.")
        last = plan.occurrences.filter(state=State.COMPLETED).order_by("-number").first()
        if occurrence.state == State.TO_SIGN:
            return occurrence, False
        if last is not None and moment < occurrence.starts_at:
            return last, False
        done = complete(
            occurrence, by=by, at=at, done_at=moment, found=found, source=Source.JOB,
            late_because="The job reported it later.",
        )  # fmt: skip
    return done, True
