"""Doors of the message workers: send what waits in one lane, now."""

from __future__ import annotations

from celery import shared_task

from portal.audit.decorators import as_system
from portal.lib.clock import database_now
from portal.notify import services

MOST_BATCHES = 50


@shared_task(name="portal.notify.tasks.send", ignore_result=True)
@as_system("messages")
def send(lane: str) -> None:
    """Send what waits in `lane`, batch after batch."""
    for _ in range(MOST_BATCHES):
        if not services.send_lane(lane, now=database_now):
            return
