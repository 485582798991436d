"""POST /intake/<token>/: where alerts come in. Every answer is JSON with a sentence; none writes the secret.

POST /v2/enqueue is the door for tools that know nothing but PagerDuty's Events API: the secret is their routing key.
POST /v2/change/enqueue takes its change events, which are kept and open nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from incidents.enums import IntakeKind
from incidents.intake import pagerduty, reading, tokens
from incidents.intake.posts import Answer, Post
from incidents.intake.receiving import AGAIN, UNKNOWN, take
from incidents.models import IntakeToken
from portal.accounts.second import not_needed_for
from portal.lib import clock

CHUNK = 64 * 1024
LATER = {"Retry-After": "15"}  # seconds
NO_LENGTH = "The request says neither how long its body is nor sends it in chunks. Send Content-Length."


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


PINGS = ("GET", "HEAD")  # whatever a cron has at hand; nothing but a heartbeat takes them
NO_KEY = "routing_key is not known here, or was revoked. Use the key of an address of the kind pagerduty."
ONLY_POST = "Alerts come in by POST. There is nothing to read here."


@not_needed_for
@csrf_exempt
@never_cache
def intake(request: HttpRequest, secret: str) -> JsonResponse:
    """Take in one alert; 503 asks the source to send it again when the database is out of reach."""
    if request.method not in {"POST", *PINGS}:
        return _respond(Answer(405, "refused", ONLY_POST), headers={"Allow": "POST"})
    try:
        token = tokens.find(secret)
        if request.method in PINGS and (token is None or token.kind != IntakeKind.HEARTBEAT):
            return _respond(Answer(405, "refused", ONLY_POST), headers={"Allow": "POST"})
        if token is None:  # before the body is read: a stranger costs one query
            return _respond(Answer(404, "unknown", UNKNOWN))
        body = _body(request)
        answer = body if isinstance(body, Answer) else _take(request, token, body)
    except (OperationalError, InterfaceError):
        return _respond(Answer(503, "failed", AGAIN), headers=LATER)
    return _as_events_api(answer) if token.kind == IntakeKind.PAGERDUTY else _respond(answer)


@not_needed_for
@csrf_exempt
@never_cache
def enqueue(request: HttpRequest, *, is_change: bool = False) -> JsonResponse:
    """Take in one event of PagerDuty's Events API v2, whose routing key is the secret of an address."""
    if request.method != "POST":
        return _respond(Answer(405, "refused", ONLY_POST), headers={"Allow": "POST"})
    body = _body(request)
    if isinstance(body, Answer):
        return _as_events_api(body)
    try:
        token = _routed(body)
        answer = _take(request, token, body, is_change=is_change)
        return _as_events_api(answer, pagerduty.accepted_change() if is_change else None)
    except reading.Unreadable as refusal:
        return _as_events_api(Answer(refusal.status, "refused", refusal.sentence))
    except (OperationalError, InterfaceError):
        return _respond(Answer(503, "failed", AGAIN), headers=LATER)


def _routed(body: bytes) -> IntakeToken:
    """Return the address that the routing key in the body names; reading.Unreadable is raised for none."""
    key = reading.read_json(body).get("routing_key")
    token = tokens.find(key) if isinstance(key, str) else None
    if token is None or token.kind != IntakeKind.PAGERDUTY:
        raise reading.Unreadable(400, NO_KEY)
    return token


def _take(request: HttpRequest, token: IntakeToken, body: bytes, *, is_change: bool = False) -> Answer:
    return take(
        Post(
            token,
            body,
            content_type=request.headers.get("Content-Type", ""),
            address=request.META.get("REMOTE_ADDR", ""),
            at=clock.database_now(),
            headers={name.casefold(): value for name, value in request.headers.items()},
            is_change=is_change,
        )
    )


def _as_events_api(answer: Answer, accepted: Mapping[str, object] | None = None) -> JsonResponse:
    """Return the answer so that a client of the Events API understands it: 202 or 400, and our own words beside."""
    if answer.status_code == 200:
        return _respond(replace(answer, status_code=202), accepted or pagerduty.accepted(answer.key))
    if answer.status_code < 500:
        status = 400 if answer.status_code == 422 else answer.status_code
        return _respond(replace(answer, status_code=status), pagerduty.refused(answer.sentence))
    return _respond(answer, headers=LATER)


def _body(request: HttpRequest) -> bytes | Answer:
    """Return the body, or the refusal of one that cannot be taken."""
    stream = _stream(request)
    if stream is None:
        return Answer(411, "refused", NO_LENGTH)
    try:
        return _read(stream)
    except OSError:  # the sender went away
        return Answer(400, "refused", "The body broke off before its end.")


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


def _respond(
    answer: Answer, words: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    """Return the answer as JSON; `words` are put over its own."""
    response = JsonResponse(
        {**answer.as_json(), **(words or {})}, status=answer.status_code, headers=dict(headers or {})
    )
    # Django would log the path of a 4xx or 5xx answer, and the path holds the secret.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
