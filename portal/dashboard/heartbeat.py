"""The heartbeat to a watcher outside: it alarms when our pings stop, also when this whole machine is gone."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from functools import partial
from http.client import HTTPException
from typing import Any

import structlog

log = structlog.get_logger(__name__)
MOST_SECONDS = 5.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A heartbeat goes where the operator said, and nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the answer then counts as a failure."""


_opener = urllib.request.build_opener(_NoRedirects)


def ping(url: str, *, seconds: float = MOST_SECONDS) -> bool:
    """Ask for `url` and tell whether it answered within `seconds`. Nothing is raised: the engine goes on either way.

    The request runs in a thread of its own, because a socket's timeout starts anew with every byte of a slow answer.
    """
    answered: list[int] = []
    thread = threading.Thread(target=_ask, args=(url, seconds, answered), name="heartbeat", daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answered)


def _ask(url: str, seconds: float, answered: list[int]) -> None:
    try:
        with _opener.open(url, timeout=seconds) as answer:
            answered.append(answer.status)
    except (OSError, HTTPException, ValueError) as problem:
        log.warning("The heartbeat address did not take the ping.", problem=type(problem).__name__)


def configured(url: str) -> Callable[[], object] | None:
    """Return what pings `url`, or nothing when no heartbeat is configured."""
    return partial(ping, url) if url else None
