"""Every request acts as somebody: the person signed in, or "anonymous"."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from portal.audit.actor import Actor, By, acting
from portal.audit.reasons import ReasonMissing

ADDRESS_LENGTH = 45
ANONYMOUS = Actor(name="anonymous")


def person(request: HttpRequest) -> By:
    """Return who made the request: the account signed in, or "anonymous"."""
    return request.user if request.user.is_authenticated else ANONYMOUS


class ActingMiddleware:
    """Opens the context that history is stamped from. The user is asked for only when something is written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request as the person who made it."""
        origin = "admin" if request.path_info.startswith("/admin/") else "web"
        address = request.META.get("REMOTE_ADDR", "")[:ADDRESS_LENGTH]
        with acting(by=partial(person, request), origin=origin, address=address, alone=True):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Say that a reason was missing, wherever a page asked for none: nothing of it was written."""
        if not isinstance(problem, ReasonMissing):
            return None
        return render(request, "422.html", {"sentence": str(problem)}, status=422)
