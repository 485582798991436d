"""A whole portal for one journey: `manage.py portal` on its own data folder, and a mail server that keeps mails."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 240


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(look: Callable[[], Any], seconds: float) -> Any:
    """What `look` finds, as soon as it finds something; its last answer when the time is over."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


class Mailbox:
    """A mail server that keeps each mail with the moment of its arrival."""

    def __init__(self) -> None:
        self.mails: list[tuple[float, str, EmailMessage]] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.url = f"smtp://127.0.0.1:{self.controller.port}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the name that aiosmtpd calls
        """Take one mail."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((time.monotonic(), envelope.rcpt_tos[0], message))
        return "250 kept"

    def to(self, address: str) -> list[tuple[float, EmailMessage]]:
        """The mails that one person got, the first one first."""
        return [(moment, mail) for moment, rcpt, mail in self.mails if rcpt == address]

    def wait_for(self, address: str, seconds: float) -> tuple[float, EmailMessage]:
        """The first mail to this person, with the moment of its arrival."""
        found = until(lambda: self.to(address), seconds)
        assert found, f"no mail to {address} within {seconds} s; there are {[rcpt for _, rcpt, _ in self.mails]}"
        return found[0]


class Portal:
    """Web, workers, beat and broker as `manage.py portal` starts them, with no demo company."""

    def __init__(self, data: Path, *, mail: str) -> None:
        self.data, self.port = data, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.out = data.with_suffix(".out")
        dropped = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PORTAL_URL", "HEARTBEAT_URL"}
        self.environment = {name: value for name, value in os.environ.items() if name not in dropped}
        self.environment |= {"PORTAL_ENV_FILE": "", "PORTAL_DATA": str(data), "EMAIL_URL": mail}

    def start(self) -> None:
        """Start everything and wait until the engine keeps time."""
        command = ["manage.py", "portal", "--no-demo", "--port", str(self.port), "--data", str(self.data)]
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=CHECKOUT, env=self.environment, stdout=out, stderr=out
            )
        assert until(lambda: self.process.poll() is not None or self.healthy(), START_SECONDS), self.out.read_text()
        assert self.process.poll() is None, self.out.read_text()

    def healthy(self) -> bool:
        """Whether /healthz/ answers 200."""
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"{self.url}/healthz/", timeout=5).status == 200
        return False

    def manage(self, *arguments: str) -> str:
        """What a command of this portal says."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def post(self, address: str, payload: dict[str, Any]) -> int:
        """Post JSON and return the status of the answer."""
        body = json.dumps(payload).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status

    def rows(self, query: str, *values: Any) -> list[Any]:
        """What the portal's own database holds, read beside it."""
        with contextlib.closing(sqlite3.connect(self.data / "watchbook.sqlite3", timeout=10)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query, values).fetchall()

    def stop(self) -> int:
        """End it as Ctrl-C does, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()
