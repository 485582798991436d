"""Ways off this machine: a file, a mail, a web address. Each raises when it fails."""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any

from django.core.mail import EmailMessage

MOST_SECONDS = 10.0
LONGEST_REST = timedelta(hours=1)


def tried(send: Callable[[], None]) -> str:
    """Send, and return what went wrong; "" when nothing did."""
    try:
        send()
    except (OSError, HTTPException, ValueError) as problem:
        return f"{type(problem).__name__}: {problem}"[:500]
    return ""


def rest(attempts: int) -> timedelta:
    """Return how long to rest after so many attempts: a minute, then twice as long each time, at most an hour."""
    return min(timedelta(minutes=1) * 2 ** min(attempts, 6), LONGEST_REST)


def append(target: str, line: str) -> None:
    """Write a line at the end of a file, and see it on the disk."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(descriptor, "a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def replace(target: str | Path, content: str) -> None:
    """Put a file in the place of another, for its owner's eyes alone: all of it or none."""
    place = Path(target)
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def mail(target: str, subject: str, body: str, *, attached: tuple[str, str, str] | None = None) -> None:
    """Mail it; `attached` is a file's name, content and type. OSError is raised by whatever the mail server does."""
    message = EmailMessage(subject, body, to=[target])
    if attached is not None:
        message.attach(*attached)
    if not message.send():
        raise OSError("The mail was not accepted.")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """It goes where the operator said, and nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the answer then counts as a failure."""


_opener = urllib.request.build_opener(_NoRedirects)


def post(target: str, content: bytes, content_type: str) -> None:
    """Post it in a thread of its own, because a socket's time limit starts anew with every byte of an answer."""
    outcome: list[str] = []

    def send() -> None:
        request = urllib.request.Request(target, content, {"Content-Type": content_type})  # noqa: S310 - the settings check it
        try:
            with _opener.open(request, timeout=MOST_SECONDS) as answer:
                outcome.append("" if 200 <= answer.status < 300 else f"It answered {answer.status}.")
        except urllib.error.HTTPError as problem:
            outcome.append(f"It answered {problem.code}.")
        except (OSError, HTTPException, ValueError) as problem:
            outcome.append(type(problem).__name__)

    thread = threading.Thread(target=send, name="away", daemon=True)
    thread.start()
    thread.join(MOST_SECONDS)
    if not outcome or outcome[0]:
        raise OSError(outcome[0] if outcome else f"It did not answer within {MOST_SECONDS:.0f} seconds.")
