"""Each person sees times in their own zone."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from portal.lib.zones import known_zones


class TimeZoneMiddleware:
    """Activates the zone of the person signed in: UTC when it is unknown, the portal's own for everybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request in the reader's zone."""
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> ZoneInfo:
    """Return the reader's zone. Nobody signed in costs no query."""
    name = request.user.time_zone if request.user.is_authenticated else settings.TIME_ZONE
    return ZoneInfo(name if name in known_zones() else "UTC")
