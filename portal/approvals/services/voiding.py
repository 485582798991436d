"""Voiding a request whose record is no longer what was shown: whoever was asked is told what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from portal.approvals import messages
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import changed
from portal.approvals.registry import Approvable
from portal.approvals.services.common import SYSTEM, close_stages, move
from portal.approvals.services.people import asked_people, contacts_of
from portal.approvals.shown import Moved, differences
from portal.audit.actor import acting


def changes_of(request: ApprovalRequest, kind: Approvable, subject: Any | None) -> list[Moved]:
    """Return what of a record differs from what the request shows; everything when the record is gone."""
    return differences(request.shown, kind.shown(subject) if subject is not None else "")


def void_if_changed(request: ApprovalRequest, kind: Approvable, subject: Any | None, *, at: datetime) -> str:
    """Void a locked request whose locked record was changed, tell everybody, and return the sentence that says so.

    "" is returned, and nothing done, when the record stands as it was shown or the request is over.
    """
    moved = changes_of(request, kind, subject) if request.is_live else []
    if not moved:
        return ""
    sentence = changed(moved)
    with acting(by=SYSTEM, at=at, reason=sentence):
        move(request, "void", by=SYSTEM, at=at, outcome=sentence)
        close_stages(request)
        messages.stop_asking(request, at=at)
        tell_all(request, kind=messages.VOIDED, at=at, moved=moved)
    return sentence


def tell_all(
    request: ApprovalRequest, *, kind: str, at: datetime, key: str = "all", moved: Sequence[Moved] = ()
) -> None:
    """Tell whoever asked, whoever was asked and whoever decided."""
    people = [*contacts_of([request.requester_id]), *asked_people(request)]
    messages.tell(request, people, kind=kind, key=key, at=at, moved=moved)
