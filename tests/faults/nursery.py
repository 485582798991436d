"""Forks sweepers and senders on demand, so that a test can kill and replace them quickly.

Reads a role a line (`sweeper` or `sender`) from standard input, and answers with the process id of the new child.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import django

PAUSE = 0.05


def work(role: str) -> None:
    """Be one sweeper or one sender until killed."""
    from portal.audit.actor import acting  # noqa: PLC0415 - after django.setup()
    from portal.dashboard import sweeping  # noqa: PLC0415
    from portal.lib.clock import database_now  # noqa: PLC0415

    with acting(by=f"system: {role}", origin="task"):
        while True:
            if role == "sweeper":
                sweeping.sweep_deadlines(now=database_now)
            else:
                sweeping.send_messages(now=database_now, lanes=["email"])
            time.sleep(PAUSE)


def main() -> None:
    """Fork a child for each line, until the input ends; then end them all."""
    django.setup()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    children: list[int] = []
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(line.strip())
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
