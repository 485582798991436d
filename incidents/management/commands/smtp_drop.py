"""`manage.py smtp_drop`: take mails for intake addresses of the kind email until it is ended."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from incidents.intake.smtp import controller
from portal.lib import clock

USUAL = "127.0.0.1:2525"


class Command(BaseCommand):
    """The drop of mails. `manage.py portal` starts it when INTAKE_SMTP is set."""

    help = "Take mails for intake addresses of the kind email, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address to listen on; INTAKE_SMTP is the default."""
        host, _, port = (settings.INTAKE_SMTP or USUAL).rpartition(":")
        parser.add_argument("--host", default=host, help=f"Where to listen ({host}).")
        parser.add_argument("--port", type=int, default=int(port), help=f"And at which port ({port}).")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """Listen; CommandError says why that is not possible."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        server = controller(host.strip("[]"), port, now=clock.database_now)
        try:
            server.start()
        except (OSError, TimeoutError) as problem:
            raise CommandError(f"No mail can be taken at {host}:{port} ({problem}). Choose another --port.") from None
        self.stdout.write(f"Mails are taken at {host}:{port}.")
        self.stdout.flush()
        while not stop.wait(1.0):  # woken each second, so that signals reach the main thread on every platform
            pass
        server.stop()
