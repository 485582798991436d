"""Step-up: what weighs more than the rest asks who is there once more, and believes it for a few minutes.

A page asks with `step_up_required`. Where only a part of what is posted weighs that much, such as roles in an account's
form, `require_confirmation` is called once that part is known. Either way the reader is led to /confirm/ and back, and
what was posted is kept until then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from portal.lib import clock

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)
MARK = "confirmed"
KEPT = "kept_post"
KEPT_LENGTH = 200_000  # characters of a posted form that are kept while the reader confirms
KEPT_SECONDS = 15 * 60
NEVER_KEPT = ("password", "csrfmiddlewaretoken", "credential", "otp", "passphrase")


class NotConfirmed(PermissionDenied):
    """The reader has not confirmed lately who they are; the middleware leads them to /confirm/ and back."""

    def __init__(self, sentence: str = "Confirm that it is you, then do it again.") -> None:
        super().__init__(sentence)


def confirm(request: HttpRequest, *, at: datetime) -> None:
    """Remember in the session that this account confirmed at this moment that it is there."""
    request.session[MARK] = {"user": request.user.pk, "at": at.timestamp()}


def confirmed_at(request: HttpRequest) -> datetime | None:
    """Return when this account last confirmed in this session, if it did."""
    mark = request.session.get(MARK)
    if not isinstance(mark, dict) or mark.get("user") != request.user.pk or not request.user.is_authenticated:
        return None
    return datetime.fromtimestamp(mark["at"], UTC)


def confirmed_recently(request: HttpRequest) -> bool:
    """Tell whether the reader confirmed within settings.CONFIRMATION_LASTS. A moment yet to come is not believed."""
    at = confirmed_at(request)
    if at is None:
        return False
    age = clock.now() - at
    return -settings.CLOCKS_APART <= age <= settings.CONFIRMATION_LASTS


def require_confirmation(request: HttpRequest) -> None:
    """Raise NotConfirmed unless the reader confirmed lately."""
    if not confirmed_recently(request):
        raise NotConfirmed
    _forget_sent(request)


def step_up_required(
    view: Callable[Concatenate[R, P], HttpResponseBase],
) -> Callable[Concatenate[R, P], HttpResponseBase]:
    """Let a view answer only those who confirmed lately; others are led to /confirm/ and back.

    It stands inside `login_required`. What was posted is kept meanwhile and can be sent again from /confirm/.
    """

    @wraps(view)
    def answer(request: R, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not confirmed_recently(request):
            return ask(request)
        _forget_sent(request)
        return view(request, *args, **kwargs)

    return answer


def ask(request: HttpRequest, what: str = "") -> HttpResponse:
    """Return the way to /confirm/, and keep what was posted. `what` says in words what it would do."""
    if request.method not in {"GET", "HEAD"}:
        keep(request, what)
    return lead(request, f"{reverse('accounts:confirm')}?{urlencode({'next': page_of(request)})}")


def keep(request: HttpRequest, what: str = "") -> None:
    """Keep what was posted in the session: one form, without passwords and files, until it is sent again or dropped."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if not any(secret in name.lower() for secret in NEVER_KEPT)
    ]
    length = sum(len(name) + len(str(value)) for name, value in fields)
    kept: dict[str, Any] = {
        "user": request.user.pk,
        "action": request.get_full_path(),
        "fields": fields if length <= KEPT_LENGTH else [],
        "files": bool(request.FILES),
        "too_long": length > KEPT_LENGTH,
        "what": what,
        "at": clock.now().timestamp(),
    }
    request.session[KEPT] = kept


def kept(request: HttpRequest) -> dict[str, Any] | None:
    """Return what was kept for this account: `action`, `fields`, whether `files` were attached and `too_long`."""
    found = request.session.get(KEPT)
    if not isinstance(found, dict) or found.get("user") != request.user.pk:
        return None
    return found if clock.now().timestamp() - found["at"] < KEPT_SECONDS else None


def drop(request: HttpRequest) -> None:
    """Forget what was kept."""
    request.session.pop(KEPT, None)


def _forget_sent(request: HttpRequest) -> None:
    found = kept(request) if request.method == "POST" else None
    if found is not None and found["action"] == request.get_full_path():
        drop(request)


def way_back(request: HttpRequest, wanted: str) -> str:
    """Return the address to go back to: `wanted` when it is one of this portal, else the home page."""
    own = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wanted if own and wanted.startswith("/") else str(settings.LOGIN_REDIRECT_URL)


def page_of(request: HttpRequest) -> str:
    """Return the page that the reader looks at: of a form or a part of a page, the one that it stands on."""
    htmx = request.headers.get("HX-Current-URL", "") if is_part(request) else ""
    referring = htmx or (request.META.get("HTTP_REFERER", "") if request.method not in {"GET", "HEAD"} else "")
    here = f"{request.scheme}://{request.get_host()}"
    return referring.removeprefix(here) if referring.startswith(f"{here}/") else request.get_full_path()


def is_part(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def lead(request: HttpRequest, address: str) -> HttpResponse:
    """Redirect the whole page, also where htmx asked for a part of it."""
    return HttpResponse(headers={"HX-Redirect": address}) if is_part(request) else redirect(address)
