"""The doors of the worker that may take long."""

from __future__ import annotations

from celery import shared_task

from portal.audit.decorators import as_system
from portal.lib.clock import database_now
from portal.records.evidence import sweeps

LIMIT_SECONDS = 3 * 3600


# Acknowledged as soon as it begins: a large file takes longer than the broker waits, and the next ring goes on.
@shared_task(
    name="portal.records.tasks.read_evidence",
    ignore_result=True,
    acks_late=False,
    soft_time_limit=LIMIT_SECONDS - 60,
    time_limit=LIMIT_SECONDS,
)
@as_system("evidence")
def read_evidence() -> None:
    """Read stored evidence again that is due."""
    sweeps.sweep_evidence(now=database_now)
