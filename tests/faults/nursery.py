"""Forks sweepers, senders and exporters on demand, so that a test can kill and replace them quickly.

Reads a role a line (`sweeper`, `sender`, `exporter` or `collector`) from standard input, and answers with the process
id of the new child. `exporter 180` has a clock that is 180 seconds ahead; `impatient` is an exporter whose lease is
short.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from importlib import import_module

import django

PAUSE = 0.05
SHORT_LEASE = timedelta(seconds=3)


def work(role: str, ahead: str = "0") -> None:
    """Be one sweeper, sender or exporter until killed."""
    from portal.audit.actor import acting  # noqa: PLC0415 - after django.setup()
    from portal.dashboard import sweeping  # noqa: PLC0415
    from portal.lib.clock import database_now  # noqa: PLC0415

    if role in {"exporter", "impatient"}:
        in_small_steps(impatient=role == "impatient")
    with acting(by=f"system: {role}", origin="task"):
        while True:
            if role == "collector":
                collect_once()
            elif role == "sweeper":
                sweeping.sweep_deadlines(now=database_now)
            elif role == "sender":
                sweeping.send_messages(now=database_now, lanes=["email"])
            else:
                sweeping.make_exports(now=lambda: database_now() + timedelta(seconds=int(ahead)))
            time.sleep(PAUSE)


def in_small_steps(*, impatient: bool) -> None:
    """Let an exporter tell of its progress every few records, so that it is killed in the middle of its work."""
    from portal.assurance.exporting import policy, sources, sweeps  # noqa: PLC0415
    from portal.assurance.packets import chain  # noqa: PLC0415

    sources.BATCH = chain.BATCH = 20
    if impatient:
        policy.LEASE, policy.TRIES = SHORT_LEASE, 1000
        sweeps.WAIT_AFTER_ERROR = timedelta(seconds=0.2)


def collect_once() -> None:
    """Take a file in, piece by piece, and keep it as evidence of the first incident."""
    from incidents.models import Incident  # noqa: PLC0415 - after django.setup()
    from portal.accounts.models import User  # noqa: PLC0415
    from portal.audit.actor import acting  # noqa: PLC0415
    from portal.lib.clock import database_now  # noqa: PLC0415
    from portal.records.evidence import policy, services  # noqa: PLC0415
    from portal.records.evidence.incoming import Incoming  # noqa: PLC0415

    by, now = User.objects.get(username="ada"), database_now()
    with Incoming("disk.img") as incoming, acting(by=by, anew=True):
        for _ in range(10):
            incoming.write(os.urandom(8192))
            time.sleep(0.001)
        services.collect(
            Incident.objects.get(), incoming, source="db", acquired_at=now, most=policy.MEGABYTE, by=by, at=now
        )


def main() -> None:
    """Fork a child for each line, until the input ends; then end them all."""
    django.setup()
    import_module("portal.records.evidence.services")  # once here, or each collector begins with it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    children: list[int] = []
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(*line.split())
            finally:
                os._exit(1)
        children.append(child)
        print(child, flush=True)  # noqa: T201
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()
