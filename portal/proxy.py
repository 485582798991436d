"""Behind the proxy that ends TLS: who really asks."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse


class ClientAddress:
    """Take the reader's address from the proxy, so that the record and the throttle see people and not the proxy.

    Only the last entry of X-Forwarded-For is believed: the one that our own proxy added. Whatever stands before it came
    from outside. The middleware is used with an https address only, where a proxy is required.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace REMOTE_ADDR when the proxy named a proper address."""
        named = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        try:
            request.META["REMOTE_ADDR"] = str(ip_address(named))
        except ValueError:
            return self.get_response(request)  # no proxy, or nonsense: the address of the connection stays
        return self.get_response(request)
