"""POST /maintenance/<token>/done: how a job says that it has done its task. Every answer has its sentence."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from maintenance import services
from maintenance.models import PlanToken
from maintenance.policy import Refused
from portal.accounts.second import not_needed_for
from portal.audit.actor import acting
from portal.lib import clock
from portal.lib.calls import Unfit, answer, moment_of, object_of, posted

LONGEST_NOTE = 2000
ONLY_POST = "A job reports by POST. There is nothing to read here."
UNKNOWN = "This address is not known here, or its token was revoked. Ask for a new one."
UNREADABLE = 'Send nothing, or a JSON object such as {"finished_at": "2026-11-17T02:00:00Z", "note": "42 files"}.'


@not_needed_for
@csrf_exempt
@never_cache
@posted(ONLY_POST)
def done(request: HttpRequest, secret: str) -> JsonResponse:
    """Take one report. 404 for a token that is not known, 409 for what cannot be, 422 for a body nobody can read."""
    token = services.token_of(secret)
    if token is None:
        raise Unfit(404, UNKNOWN)
    try:
        return _report(request, token)
    except Refused as refused:
        return answer(409, str(refused))


def _report(request: HttpRequest, token: PlanToken) -> JsonResponse:
    words = _words(request)
    at, by = clock.database_now(), f"job: {token.name}"
    with acting(by=by, origin="api", at=at, reason=f"Reported by {token.name}"):
        occurrence, news = services.report_done(token, by=by, at=at, **words)
    if not news:
        return answer(200, f"{occurrence.reference} counted already.")
    return answer(201, f"{occurrence.reference} is done.")


def _words(request: HttpRequest) -> dict[str, Any]:
    """Return what was reported. Unfit is raised for what nobody can read."""
    body = object_of(request, fields={"finished_at", "note"}, unreadable=UNREADABLE, may_be_empty=True)
    moment, note = moment_of(body, "finished_at", unreadable=UNREADABLE), body.get("note", "")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE or "\0" in note:
        raise Unfit(422, f"note is no text of at most {LONGEST_NOTE} characters. {UNREADABLE}")
    return {"done_at": moment, "found": note}
