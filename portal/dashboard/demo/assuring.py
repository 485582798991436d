"""What the demo company's auditor may read: without an engagement the role opens nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG
from portal.assurance.enums import Register
from portal.assurance.services import engagements
from portal.audit.actor import By
from portal.notify import services as notify

REASON = "The yearly surveillance audit"
LASTS = timedelta(days=90)


def engage(*, by: By, at: datetime, now: datetime) -> None:
    """Grant the auditor an engagement for everything. Without logins there is nobody to grant it to."""
    people = User.objects.filter(is_active=True)
    auditor = people.filter(groups__name=BY_SLUG["auditor"].name).first()
    if auditor is None:
        return
    granter = people.filter(groups__name=BY_SLUG["administrator"].name).first()
    made = engagements.grant(
        auditor, title="Surveillance audit", starts=at, ends=now + LASTS, registers=Register.values,
        by=granter or by, at=at, reason=REASON,
    )  # fmt: skip
    notify.cancel_unsent(about=made, at=at)
