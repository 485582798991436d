"""Rings a task through the broker, so that work which stands in the database is looked at now and not at the next tick.

A ring may be lost without harm: the sweep comes by every two seconds anyway. So nobody ever waits for the broker: a
thread of its own sends the rings, forgets them when the broker cannot be reached, and then rests.
"""

import logging
import os
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction

REST_SECONDS = 5.0
EXPIRES_SECONDS = 10

log = logging.getLogger(__name__)


class Doorbell:
    """The rings that wait in this process and the thread that sends them."""

    def __init__(self, rest_seconds: float = REST_SECONDS) -> None:
        self._rest_seconds = rest_seconds
        self._waiting: dict[str, None] = {}
        self._changed = threading.Condition()
        self._resting_until = 0.0
        self._process = 0

    def ring(self, task_name: str) -> None:
        """Send the task soon. Returns at once, raises nothing; while the broker is away the ring is forgotten."""
        with self._changed:
            if time.monotonic() < self._resting_until:
                return
            self._waiting[task_name] = None
            if self._process != os.getpid():  # the first ring of this process; threads do not survive a fork
                self._process = os.getpid()
                threading.Thread(target=self._serve, name="doorbell", daemon=True).start()
            self._changed.notify()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                names, self._waiting = list(self._waiting), {}
            self._send(names)

    def _send(self, names: list[str]) -> None:
        try:
            for name in names:
                current_app.send_task(name, ignore_result=True, expires=EXPIRES_SECONDS, retry=False)
        except Exception as problem:  # noqa: BLE001 - whatever the broker does, the caller's work stands
            log.warning("The broker cannot be reached, sweeps go on by the clock: %s", problem)
            with self._changed:
                self._resting_until = time.monotonic() + self._rest_seconds
                self._waiting = {}


_doorbell = Doorbell()


def ring(task_name: str) -> None:
    """Send the task soon; see Doorbell.ring."""
    _doorbell.ring(task_name)


def ring_on_commit(task_name: str) -> None:
    """Send the task once the open transaction has committed, or at once without one. Several rings become one."""
    transaction.on_commit(partial(ring, task_name), robust=True)
