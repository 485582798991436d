"""Noticing what changed. Nothing below pushes: it is seen when somebody looks or decides, and by the sweep."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.approvals import registry
from portal.approvals.models import ApprovalRequest
from portal.approvals.registry import Approvable
from portal.approvals.services.common import SYSTEM, locked
from portal.approvals.services.reassigning import follow_implementer
from portal.approvals.services.voiding import void_if_changed


def notice(request: ApprovalRequest, *, at: datetime) -> ApprovalRequest:
    """Look whether the record of a request was changed or has another implementer; return the request as it stands."""
    if not request.is_live:
        return request
    with locked(request, by=SYSTEM, at=at, reason="The record was looked at again.") as held:
        if not void_if_changed(held.request, held.kind, held.subject, at=at):
            follow_implementer(held, at=at)
        return held.request


def is_stale(request: ApprovalRequest, kind: Approvable, subject: Any | None) -> bool:
    """Tell, without a lock, whether `notice` would find something."""
    if not request.is_live:
        return False
    if subject is None or kind.digest(subject) != request.digest:
        return True
    implementer = kind.implementer(subject)
    return implementer is not None and implementer.pk != request.implementer_id


def notice_all(*, at: datetime) -> int:
    """Look at the record of every live request, kind by kind; return how many were found changed."""
    found = 0
    for kind in registry.kinds():
        requests = list(ApprovalRequest.objects.live().filter(kind=kind.kind).order_by("pk"))
        subjects = kind.rows().in_bulk([request.subject_id for request in requests]) if requests else {}
        for request in requests:
            if is_stale(request, kind, subjects.get(request.subject_id)):
                notice(request, at=at)
                found += 1
    return found
