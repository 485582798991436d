"""What machines call with a token: a JSON object in, and one out that always has a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.dateparse import parse_datetime

from portal.lib.bodies import TooLong, read_within
from portal.lib.moments import YEARS

LONGEST: Final = 16 * 1024  # bytes of a body
RETRY_AFTER: Final = "15"  # seconds


class Unfit(Exception):
    """A call that is answered with a status and a sentence instead of being taken."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, headers


def answer(status: int, sentence: str, **headers: str) -> JsonResponse:
    """Return an answer with its sentence: {"ok": true, "message": "..."}."""
    return JsonResponse({"ok": status < 300, "message": sentence}, status=status, headers=headers)


def posted(only_post: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Return a decorator of views that take a call by POST alone; `only_post` is what any other method is told.

    Unfit is answered as it says. A database that is out of reach is a 503 that asks for the same call again.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                return answer(405, only_post, Allow="POST")
            try:
                return view(request, *args, **kwargs)
            except Unfit as unfit:
                return answer(unfit.status, str(unfit), **unfit.headers)
            except (OperationalError, InterfaceError):
                return answer(503, "The database is out of reach. Send it again.", **{"Retry-After": RETRY_AFTER})

        inner.only_post = only_post  # type: ignore[attr-defined]  # a rule looks for it
        return inner

    return decorate


def object_of(request: HttpRequest, *, fields: set[str], unreadable: str, may_be_empty: bool = False) -> dict[str, Any]:
    """Return the JSON object of a call, which has no other fields than these.

    Unfit is raised with 413 for more than 16 KiB, and with 422 and the sentence `unreadable` for anything else, before
    which stands the name of a field that nobody knows.
    """
    try:
        raw = read_within(request, LONGEST)
        body = {} if may_be_empty and not raw.strip() else json.loads(raw)
    except TooLong:
        raise Unfit(413, "That is more than a report needs. Send at most 16 KiB.") from None
    except (ValueError, RecursionError):
        raise Unfit(422, unreadable) from None
    if not isinstance(body, dict):
        raise Unfit(422, unreadable)
    if unknown := sorted(set(body) - fields):
        raise Unfit(422, f"Nobody knows the field “{unknown[0][:40]}”. {unreadable}")
    return body


def moment_of(body: dict[str, Any], field: str, *, unreadable: str) -> datetime | None:
    """Return the moment of a field, with its zone; nothing where none is given. Unfit with 422 for anything else."""
    given = body.get(field)
    if given is None:
        return None
    try:
        found = parse_datetime(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year not in YEARS:
        raise Unfit(422, f"{field} is no moment with its zone. {unreadable}")
    return found
