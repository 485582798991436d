"""A verification that came to its end: its run, and the row of the trail that tells it."""

from __future__ import annotations

from datetime import datetime

from portal.audit import trail
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.models import Difference, Verification


def make_verification(at: datetime, *, rows: int = 9, found: int = 0) -> Verification:
    """Write what a verification of these rows that ended at this moment leaves behind."""
    told = {"rows": f"{rows:,}", "position": f"{rows:,}", "findings": f"{found:,}"}
    with acting(by="system: verification", at=at):
        trail.record(
            Action.EVENT,
            event="Verified the record",
            model="audit.verification",
            object_id=rows,
            differences=[Difference(name, None, value) for name, value in told.items()],
        )
    return Verification.objects.create(
        started_at=at, started_by="test", finished_at=at, position=rows, rows=rows, seconds=24, found=found
    )
