"""The two things that only one portal can have: its port and its data folder."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Taken(RuntimeError):
    """Somebody else has the port or the folder; the message says what to do."""


def check_port(host: str, port: int) -> None:
    """Raise Taken when `port` cannot be listened on. A port whose last connections are still closing is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise Taken(_sentence(host, port, problem)) from problem


def _sentence(host: str, port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return (
            f"port {port} is in use. Stop what uses it, or choose another port: "
            f"python3 manage.py portal --port {port + 1 if port < 65535 else 8000}"
        )
    if problem.errno == errno.EACCES:
        return f"port {port} is reserved for root. Choose one above 1023: python3 manage.py portal --port 8000"
    return f"{host} is not an address of this machine. Leave --host out, or use 0.0.0.0 for all addresses."


@contextmanager
def only_portal_of(data: Path) -> Iterator[None]:
    """Hold the data folder; raise Taken when another portal holds it. The hold goes with the process."""
    path = data / "portal.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Taken(
                f"another portal (process {holder}) uses the data folder {data}. Stop it, or choose another folder: "
                "python3 manage.py portal --data FOLDER"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
