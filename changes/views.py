"""The pages of changes."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def change(request: HttpRequest, reference: str) -> HttpResponse:
    """Show one change."""
    raise Http404(reference)
