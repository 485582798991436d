"""Every request acts as somebody: the person signed in, or "anonymous"."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from portal.audit.actor import Actor, By, acting

ANONYMOUS = Actor(name="anonymous")


class ActingMiddleware:
    """Opens the context that history is stamped from. The user is asked for only when something is written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request as the person who made it."""

        def by() -> By:
            return request.user if request.user.is_authenticated else ANONYMOUS

        origin = "admin" if request.path_info.startswith("/admin/") else "web"
        with acting(by=by, origin=origin, address=request.META.get("REMOTE_ADDR", "")[:45], anew=True):
            return self.get_response(request)
