"""Which processes make up the portal, and how each is started."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.celery import EXPORTS, LANES, SWEEPS
from portal.supervisor.child import Child

WEB_PROCESSES = 2
WEB_THREADS = 8
SWEEP_WORKERS = 2  # when one dies, the other goes on without a pause
SWEEP_PROCESSES = 1
LANE_PROCESSES = 4
EXPORT_PROCESSES = 1


@dataclass(frozen=True)
class Place:
    """Where a portal lives: its checkout, its data folder, and the host and port of its pages.

    `smtp` is where its drop of mails listens, as host:port; without it there is none.
    """

    checkout: Path
    data: Path
    host: str
    port: int
    smtp: str = ""


def web(place: Place) -> list[str]:
    """Return the command line of the web server."""
    bind = f"[{place.host}]:{place.port}" if ":" in place.host else f"{place.host}:{place.port}"
    return [
        *(sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--bind", bind, "--no-control-socket"),
        *("--worker-class", "gthread", "--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS)),
        *("--timeout", "60", "--graceful-timeout", "5", "--keep-alive", "5", "--log-level", "warning"),
    ]


def worker(queue: str, processes: int, number: int = 1) -> list[str]:
    """Return the command line of the `number`th worker that hears this queue."""
    return [
        *(sys.executable, "-m", "celery", "-A", "portal.celery", "worker", "-Q", queue, "-n", f"{queue}{number}@%h"),
        *("--pool", "prefork", "--concurrency", str(processes), "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def beat() -> list[str]:
    """Return the command line of the one clock that rings the sweeps; it keeps nothing on disk."""
    return [
        *(sys.executable, "-m", "celery", "-A", "portal.celery", "beat"),
        *("-S", "celery.beat:Scheduler", "--loglevel", "INFO"),
    ]


def smtp_drop(place: Place) -> list[str]:
    """Return the command line of the drop of mails."""
    return [sys.executable, str(place.checkout / "manage.py"), "smtp_drop"]


def child(place: Place, name: str, argv: Sequence[str]) -> Child:
    """Return a process of this portal. It finds the data folder where the supervisor has it."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_DATA": str(place.data.resolve()),
        "PYTHONUNBUFFERED": "1",
        "MIGRATION_DATABASE_URL": "",  # what serves pages need not know the owner of the tables
    }
    log = place.data / "logs" / f"{name.replace(' ', '-')}.log"
    return Child(name, argv, log=log, folder=place.checkout, environment=environment)


def children(place: Place) -> list[Child]:
    """Return everything but the broker, in the order in which it is started."""
    sweepers = [
        child(place, f"sweep worker {number}", worker(SWEEPS, SWEEP_PROCESSES, number))
        for number in range(1, SWEEP_WORKERS + 1)
    ]
    return [
        child(place, "web", web(place)),
        *sweepers,
        child(place, "message worker", worker(LANES, LANE_PROCESSES)),
        child(place, "export worker", worker(EXPORTS, EXPORT_PROCESSES)),
        child(place, "beat", beat()),
        *([child(place, "mail drop", smtp_drop(place))] if place.smtp else []),
    ]
