"""Doors for beat and the doorbell: look now. What is due is decided by rows, never by these tasks."""

from __future__ import annotations

from celery import current_app, shared_task
from django.conf import settings

from portal.audit.decorators import as_system
from portal.dashboard import heartbeat, sweeping, watchdog
from portal.lib import clock
from portal.notify import services as notify

SEND = "portal.notify.tasks.send"
RING_EXPIRES = 4  # seconds: the next tick rings again


@shared_task(name="portal.dashboard.tasks.sweep", ignore_result=True)
@as_system("sweep")
def sweep() -> None:
    """Fire what is due."""
    sweeping.sweep_deadlines(now=clock.database_now)


@shared_task(name="portal.dashboard.tasks.ring_lanes", ignore_result=True)
def ring_lanes() -> None:
    """Ring a sender for each lane in which something is due: in a storm this is rung several times a second.

    Lanes have workers of their own, so that a hung server delays no sweep.
    """
    for lane in notify.waiting_lanes(at=clock.database_now()):
        current_app.send_task(SEND, args=[lane], expires=RING_EXPIRES, ignore_result=True, retry=False)


@shared_task(name="portal.dashboard.tasks.contact_sheet", ignore_result=True)
@as_system("contact sheet")
def contact_sheet() -> None:
    """Take the contact sheet off the machine, once each night."""
    sweeping.take_sheet_away(now=clock.database_now)


@shared_task(name="portal.dashboard.tasks.watch", ignore_result=True)
@as_system("watchdog")
def watch() -> None:
    """Look after the engine itself, and ping the watcher outside."""
    watchdog.watch(at=clock.database_now(), ping=heartbeat.configured(settings.HEARTBEAT_URL))
