"""Which methods the portal knows: pages are read and posted to, and nothing else is done to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed

KNOWN: Final = ("GET", "HEAD", "POST")
SENTENCE: Final = "Pages are read with GET and sent to with POST. Use one of these."


class MethodsMiddleware:
    """Refuses every other method before a view runs: many views would take it for a GET.

    Addresses that machines call have sentences of their own for what they do not take.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Answer 405, or let the view answer."""
        if request.method in KNOWN or getattr(view, "csrf_exempt", False):
            return None
        return HttpResponseNotAllowed(KNOWN, SENTENCE, content_type="text/plain; charset=utf-8")
