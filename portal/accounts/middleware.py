"""What each request is asked of whoever is signed in, and in whose zone it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.http import urlencode

from portal.accounts import second, sessions, stepup
from portal.lib import clock
from portal.lib.zones import known_zones

Answer = Callable[[HttpRequest], HttpResponseBase]


class SessionMiddleware:
    """Ends a session that was not used for too long, or lasts too long."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, or lead to the sign-in once the session is over."""
        if not request.user.is_authenticated:
            return self.get_response(request)
        at = clock.now()
        why = sessions.why_over(request.session, at=at)
        if not why:
            sessions.note_use(request, at=at)
            return self.get_response(request)
        request.ended_because = why  # type: ignore[attr-defined]
        logout(request)
        question = urlencode({"next": stepup.page_of(request), "ended": "1"})
        return stepup.lead(request, f"{settings.LOGIN_URL}?{question}")


class SecondFactorMiddleware:
    """Whoever must have a second factor and has not shown one in this session reaches nothing but the way to it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Lead to the second factor instead of the page, unless the page is open to all or part of that way."""
        if getattr(view, "no_second_factor", False) or not second.is_owed(request):
            return None
        return second.lead(request)


class TimeZoneMiddleware:
    """Activates the zone of the person signed in: UTC when it is unknown, the portal's own for everybody else."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request in the reader's zone."""
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> ZoneInfo:
    """Return the reader's zone. Nobody signed in costs no query."""
    name = request.user.time_zone if request.user.is_authenticated else settings.TIME_ZONE
    return ZoneInfo(name if name in known_zones() else "UTC")


class StepUpMiddleware:
    """Leads whoever must confirm first to /confirm/ and back, wherever in a page NotConfirmed was raised."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Ask for a confirmation in place of the refusal. Whatever the page was about to write is rolled back."""
        return stepup.ask(request) if isinstance(problem, stepup.NotConfirmed) else None
