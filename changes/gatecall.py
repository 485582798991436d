"""POST /changes/<reference>/gates/<gate>/: how a CI system reports a prerequisite. Every answer has its sentence."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from changes import services
from changes.models import Change, Gate, GateToken
from changes.policy import Refused
from portal.accounts.second import not_needed_for
from portal.audit.actor import acting
from portal.lib import clock
from portal.lib.calls import Unfit, answer, object_of, posted

PREFIX = "Bearer "
NO_TOKEN = "Send the token of your CI system: Authorization: Bearer ..."  # noqa: S105 - a sentence
BAD_TOKEN = "This token is not known here, or was revoked. Ask an administrator for a new one."  # noqa: S105
ONLY_POST = "Gates are reported by POST. There is nothing to read here."
UNREADABLE = 'Send a JSON object such as {"commit": "5d1e0a4", "result": "passed", "url": "https://..."}.'
NO_COMMIT = "Name the commit that it speaks of: what passed without one would stand for whatever is deployed."
FIELDS = {"commit": 64, "result": 8, "url": 500, "note": 500}


@not_needed_for
@csrf_exempt
@never_cache
@posted(ONLY_POST)
def report(request: HttpRequest, reference: str, gate: str) -> JsonResponse:
    """Take one report. 401 without a token, 404 for what is not there, 409 for what does not fit, 422 for bad words."""
    token, words = _token(request), _words(request)
    change = Change.objects.filter(reference=reference.upper()).first()
    if change is None:
        raise Unfit(404, f"There is no change {reference[:16]}.")
    prerequisite = Gate.objects.filter(slug=gate).first()
    if prerequisite is None:
        raise Unfit(404, f"There is no gate {gate[:40]}. Gates are: {_slugs()}.")
    at, by = clock.database_now(), f"token: {token.name}"
    try:
        with acting(by=by, origin="api", at=at, reason=f"Reported by {token.name}"):
            made = services.report_gate(change, prerequisite, by=by, at=at, **words)
            services.token_used(token, at=at)
    except Refused as refused:
        return answer(409, str(refused))
    return answer(201, f"{prerequisite.name}: {made.get_result_display().lower()}, for {change.reference}.")


def _token(request: HttpRequest) -> GateToken:
    given = request.headers.get("Authorization", "")
    bears = given.startswith(PREFIX)
    token = services.token_of(given.removeprefix(PREFIX).strip()) if bears else None
    if token is None:
        raise Unfit(401, BAD_TOKEN if bears else NO_TOKEN, **{"WWW-Authenticate": "Bearer"})
    return token


def _slugs() -> str:
    return ", ".join(Gate.objects.filter(active=True).values_list("slug", flat=True))


def _words(request: HttpRequest) -> dict[str, str]:
    """Return what was reported. Unfit is raised for what nobody can read."""
    words = object_of(request, fields=set(FIELDS), unreadable=UNREADABLE)
    if "result" not in words or not all(_fits(name, value) for name, value in words.items()):
        raise Unfit(422, UNREADABLE)
    if not words.get("commit"):
        raise Unfit(422, NO_COMMIT)
    if words.get("url"):
        try:
            URLValidator(["https", "http"])(words["url"])
        except ValidationError:
            raise Unfit(422, "The address cannot be read. It begins with https://.") from None
    return words


def _fits(name: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) <= FIELDS[name] and "\0" not in value
