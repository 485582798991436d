"""What proves the record, kept going: rows are sealed, heads signed and taken away, and all is verified nightly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from portal.audit import anchors, sealing, verifying

Clock = Callable[[], datetime]


def seal(*, now: Clock) -> int:
    """Seal what was written since; return how many rows were."""
    return sealing.seal(at=now())


def anchor(*, now: Clock) -> int:
    """Sign the head of the chain when it is time, and take anchors off the machine; return how many were tried."""
    anchors.anchor_when_due(at=now())
    return anchors.deliver(now=now)


def verify_tonight(*, now: Clock) -> int:
    """Verify the whole record once a night; return how many rows were read."""
    if not verifying.is_due(at=now()):
        return 0
    report = verifying.run(now=now, nightly=True)
    return report.rows if report is not None else 0
