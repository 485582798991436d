"""POST /changes/<reference>/gates/<gate>/: how a CI system reports a prerequisite. Every answer has its sentence."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from changes import services
from changes.models import Change, Gate, GateToken
from changes.policy import Refused
from portal.accounts.second import not_needed_for
from portal.audit.actor import acting
from portal.lib import clock

LONGEST = 16 * 1024  # bytes of a body
PREFIX = "Bearer "
NO_TOKEN = "Send the token of your CI system: Authorization: Bearer ..."  # noqa: S105 - a sentence
BAD_TOKEN = "This token is not known here, or was revoked. Ask an administrator for a new one."  # noqa: S105
ONLY_POST = "Gates are reported by POST. There is nothing to read here."
UNREADABLE = 'Send a JSON object such as {"commit": "5d1e0a4", "result": "passed", "url": "https://..."}.'
FIELDS = {"commit": 64, "result": 8, "url": 500, "note": 500}


@not_needed_for
@csrf_exempt
@never_cache
def report(request: HttpRequest, reference: str, gate: str) -> JsonResponse:
    """Take one report. 401 without a token, 404 for what is not there, 409 for what does not fit, 422 for bad words."""
    if request.method != "POST":
        return _answer(405, ONLY_POST, Allow="POST")
    try:
        token = _token(request)
        if token is None:
            sentence = BAD_TOKEN if request.headers.get("Authorization", "").startswith(PREFIX) else NO_TOKEN
            return _answer(401, sentence, **{"WWW-Authenticate": "Bearer"})
        return _report(request, token, reference, gate)
    except (OperationalError, InterfaceError):
        return _answer(503, "The database is out of reach. Send it again.", **{"Retry-After": "15"})


def _token(request: HttpRequest) -> GateToken | None:
    given = request.headers.get("Authorization", "")
    return services.token_of(given.removeprefix(PREFIX).strip()) if given.startswith(PREFIX) else None


def _report(request: HttpRequest, token: GateToken, reference: str, slug: str) -> JsonResponse:
    words = _words(request)
    if isinstance(words, JsonResponse):
        return words
    change = Change.objects.filter(reference=reference.upper()).first()
    if change is None:
        return _answer(404, f"There is no change {reference[:16]}.")
    gate = Gate.objects.filter(slug=slug).first()
    if gate is None:
        return _answer(404, f"There is no gate {slug[:40]}. Gates are: {_slugs()}.")
    at = clock.database_now()
    by = f"token: {token.name}"
    try:
        with acting(by=by, origin="api", at=at, reason=f"Reported by {token.name}"):
            made = services.report_gate(change, gate, by=by, at=at, **words)
            services.token_used(token, at=at)
    except Refused as refused:
        return _answer(409, str(refused))
    return _answer(201, f"{gate.name}: {made.get_result_display().lower()}, for {change.reference}.")


def _slugs() -> str:
    return ", ".join(Gate.objects.filter(active=True).values_list("slug", flat=True))


def _words(request: HttpRequest) -> dict[str, Any] | JsonResponse:
    """Return what was reported, or the answer that says what is wrong with it."""
    if int(request.headers.get("Content-Length") or 0) > LONGEST:
        return _answer(413, "That is more than a report needs. Send at most 16 KiB.")
    try:
        body = json.loads(request.read(LONGEST + 1))
    except (ValueError, RecursionError):
        return _answer(422, UNREADABLE)
    if not isinstance(body, dict) or set(body) - set(FIELDS) or not isinstance(body.get("result"), str):
        return _answer(422, UNREADABLE)
    words = {name: str(value) for name, value in body.items() if isinstance(value, str)}
    if len(words) < len(body) or any(len(value) > FIELDS[name] or "\0" in value for name, value in words.items()):
        return _answer(422, UNREADABLE)
    if words.get("url"):
        try:
            URLValidator(["https", "http"])(words["url"])
        except ValidationError:
            return _answer(422, "The address cannot be read. It begins with https://.")
    return words


def _answer(status: int, sentence: str, **headers: str) -> JsonResponse:
    return JsonResponse({"ok": status < 300, "message": sentence}, status=status, headers=headers)
