"""The engine without Celery: one loop for deadlines, one for each message lane and one for exports, in one process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial

import structlog
from django.conf import settings
from django.db import Error, close_old_connections, connections

from portal.assurance.services import proving, reconciliation
from portal.audit.actor import acting
from portal.dashboard import heartbeat, sweeping, watchdog
from portal.lib import clock
from portal.notify import services as notify
from portal.records.evidence.sweeps import sweep_evidence

log = structlog.get_logger(__name__)
LONGEST_WAIT = 5.0
WATCH_SECONDS = 15.0
ANCHOR_SECONDS = 30.0
VERIFY_SECONDS = 60.0
EVIDENCE_SECONDS = 60.0
RECONCILE_SECONDS = 15.0  # between two slices of it, and between two looks whether the night has come
LEAVE_SECONDS = 15.0


def run_loops(*, only: str = "", interval: float = 2.0) -> None:
    """Run until SIGTERM or SIGINT, then finish the step at hand. A message lane that hangs delays no other loop.

    `only` is "deadlines", "messages" or "exports" to leave out the others; `interval` is in seconds.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [
        threading.Thread(target=repeat, args=(step, stop, seconds), name=name, daemon=True)
        for name, step, seconds in _steps(only, interval)
    ]
    for thread in threads:
        thread.start()
    log.info("The sweep loop runs.", loops=", ".join(thread.name for thread in threads))
    while not stop.wait(1.0):  # woken each second, so that signals reach the main thread on every platform
        pass
    for thread in threads:
        thread.join(LEAVE_SECONDS)
    log.info("The sweep loop has ended.")


def _steps(only: str, interval: float) -> list[tuple[str, Callable[[], object], float]]:
    steps: list[tuple[str, Callable[[], object], float]] = []
    if only in {"", "deadlines"}:
        steps.append(("deadlines", partial(sweeping.sweep_deadlines, now=clock.database_now), interval))
        steps.append(("sealing", partial(proving.seal, now=clock.database_now), interval))
        steps.append(("watchdog", _watch, WATCH_SECONDS))
    if only in {"", "messages"}:
        steps.extend(
            (lane, partial(sweeping.send_messages, now=clock.database_now, lanes=[lane]), interval)
            for lane in notify.lanes()
        )
    if only in {"", "exports"}:
        steps.append(("exports", partial(sweeping.make_exports, now=clock.database_now), interval))
        steps.append(("anchors", partial(proving.anchor, now=clock.database_now), ANCHOR_SECONDS))
        steps.append(("verification", partial(proving.verify_tonight, now=clock.database_now), VERIFY_SECONDS))
        steps.append(("evidence", partial(sweep_evidence, now=clock.database_now), EVIDENCE_SECONDS))
        steps.append(("reconciliation", partial(reconciliation.nightly, now=clock.database_now), RECONCILE_SECONDS))
    return steps


def _watch() -> object:
    return watchdog.watch(at=clock.database_now(), ping=heartbeat.configured(settings.HEARTBEAT_URL))


def repeat(step: Callable[[], object], stop: threading.Event, seconds: float) -> None:
    """Take `step` every so many seconds until `stop` is set. A database that went away is awaited patiently."""
    wait = seconds
    try:
        while not stop.is_set():
            wait = seconds if _one(step) else min(max(wait, 0.5) * 2, LONGEST_WAIT)
            stop.wait(wait)
    finally:
        connections.close_all()


def _one(step: Callable[[], object]) -> bool:
    close_old_connections()
    try:
        with acting(by="system: sweep", origin="command"):
            step()
    except Error as problem:
        log.warning("The database did not answer; trying again.", problem=f"{type(problem).__name__}: {problem}")
        connections.close_all()
        return False
    except Exception:
        log.exception("A step of the sweep loop failed; the loop goes on.")
        return False
    return True
