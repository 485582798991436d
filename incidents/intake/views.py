"""POST /intake/<token>/: where alerts come in. Every answer is JSON with a sentence; none writes the secret."""

from __future__ import annotations

from typing import Protocol

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from incidents.intake import reading, tokens
from incidents.intake.receiving import AGAIN, UNKNOWN, Answer, Post, take
from portal.accounts.second import not_needed_for
from portal.lib import clock

CHUNK = 64 * 1024
RETRY_AFTER = "15"  # seconds
NO_LENGTH = "The request says neither how long its body is nor sends it in chunks. Send Content-Length."


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


@not_needed_for
@csrf_exempt
@never_cache
def intake(request: HttpRequest, secret: str) -> JsonResponse:
    """Take in one alert; 503 asks the source to send it again when the database is out of reach."""
    if request.method != "POST":
        return _respond(Answer(405, "refused", "Alerts come in by POST. There is nothing to read here."), Allow="POST")
    try:
        return _respond(_answer(request, secret))
    except (OperationalError, InterfaceError):
        return _respond(Answer(503, "failed", AGAIN), **{"Retry-After": RETRY_AFTER})


def _answer(request: HttpRequest, secret: str) -> Answer:
    token = tokens.find(secret)
    if token is None:  # before the body is read: a stranger costs one query
        return Answer(404, "unknown", UNKNOWN)
    stream = _stream(request)
    if stream is None:
        return Answer(411, "refused", NO_LENGTH)
    try:
        body = _read(stream)
    except OSError:  # the sender went away
        return Answer(400, "refused", "The body broke off before its end.")
    return take(
        Post(
            token,
            body,
            content_type=request.headers.get("Content-Type", ""),
            address=request.META.get("REMOTE_ADDR", ""),
            at=clock.database_now(),
        )
    )


def _stream(request: HttpRequest) -> _Stream | None:
    """Return where the body is read from. Django knows no chunked body; the server's own stream ends by itself."""
    if request.headers.get("Transfer-Encoding", "").casefold() != "chunked":
        return request
    if request.META.get("wsgi.input_terminated"):
        stream: _Stream = request.META["wsgi.input"]
        return stream
    return None


def _read(stream: _Stream) -> bytes:
    """Return the body up to one byte over the limit; no more is ever read, whatever Content-Length says."""
    parts, left = [], reading.BODY_LIMIT + 1
    while left > 0 and (part := stream.read(min(CHUNK, left))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _respond(answer: Answer, **headers: str) -> JsonResponse:
    response = JsonResponse(answer.as_json(), status=answer.status_code, headers=headers)
    # Django would log the path of a 4xx or 5xx answer, and the path holds the secret.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
