"""`manage.py sweep`: fire what is due, send what waits and make exports, once or for ever, without Redis."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.audit.actor import acting
from portal.dashboard import sweeping
from portal.dashboard.loops import run_loops
from portal.lib import clock


class Command(BaseCommand):
    """Sweep by hand, or as a service beside the portal or in place of its worker and beat."""

    help = (
        "Fire due deadlines, send waiting messages and make exports. With --loop until it is ended; it needs no Redis."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --loop, --only and --interval."""
        parser.add_argument("--loop", action="store_true", help="Go on until SIGTERM or Ctrl-C.")
        parser.add_argument(
            "--only", choices=["deadlines", "messages", "exports"], default="", help="Leave the others out."
        )
        parser.add_argument("--interval", type=_seconds, default=2.0, help="Seconds between two looks (2).")

    def handle(self, *args: Any, loop: bool, only: str, interval: float, **options: Any) -> None:
        """Sweep and say what was done."""
        if loop:
            run_loops(only=only, interval=interval)
            return
        with acting(by="system: sweep", origin="command"):
            done = sweeping.sweep_once(now=clock.database_now, only=only)
        figures = f"{done['deadlines']} deadlines, tried {done['messages']} messages, took {done['exports']} exports"
        self.stdout.write(f"Settled {figures}.")


def _seconds(raw: str) -> float:
    value = float(raw)
    if not 0.05 <= value <= 3600:
        raise ValueError(raw)
    return value
