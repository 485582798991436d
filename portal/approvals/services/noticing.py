"""Noticing what changed. Nothing below pushes: the sweep sees it within a minute, and whoever may decide or ask sooner.

Looking at a page writes nothing: it says that the request is out of date, see `out_of_date`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.approvals import policy, registry
from portal.approvals.models import ApprovalRequest
from portal.approvals.registry import Approvable
from portal.approvals.services.common import SYSTEM, Held, locked
from portal.approvals.services.reassigning import follow_implementer
from portal.approvals.services.voiding import changes_of, void_if_changed


def notice(request: ApprovalRequest, *, at: datetime) -> ApprovalRequest:
    """Look whether the record of a request was changed or has another implementer; return the request as it stands."""
    if not request.is_live:
        return request
    with locked(request, by=SYSTEM, at=at, reason="The record was looked at again.") as held:
        notice_held(held, at=at)
        return held.request


def notice_held(held: Held, *, at: datetime) -> str:
    """Void a locked request whose record was changed, or begin anew with the implementer whom the record names now.

    Return the sentence that says so; "" when all stands as it was shown.
    """
    return void_if_changed(held.request, held.kind, held.subject, at=at) or follow_implementer(held, at=at)


def out_of_date(request: ApprovalRequest, kind: Approvable, subject: Any | None) -> str:
    """Return, without a lock, the sentence of what `notice` would find; "" when it would find nothing."""
    if not request.is_live:
        return ""
    if subject is None or kind.digest(subject) != request.digest:
        return policy.changed(changes_of(request, kind, subject))
    implementer = kind.implementer(subject)
    if implementer is None or implementer.pk == request.implementer_id:
        return ""
    return policy.restarted(old=request.implementer_name, new=str(implementer))


def notice_all(*, at: datetime) -> int:
    """Look at the record of every live request, kind by kind; return how many were found changed."""
    found = 0
    for kind in registry.kinds():
        requests = list(ApprovalRequest.objects.live().filter(kind=kind.kind).order_by("pk"))
        subjects = kind.rows().in_bulk([request.subject_id for request in requests]) if requests else {}
        for request in requests:
            if out_of_date(request, kind, subjects.get(request.subject_id)):
                notice(request, at=at)
                found += 1
    return found
