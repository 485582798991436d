"""What an auditor finds while no engagement of theirs runs: a page that says whom to ask, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from portal.accounts.models import User
from portal.accounts.requests import SignedIn
from portal.accounts.roles import has_role
from portal.assurance.backends import AUDITOR
from portal.assurance.views import engagements
from portal.lib import clock

OWN_ACCOUNT = "accounts"  # the app whose pages are about nothing but one's own sign-in
OPEN = frozenset({"assurance:engagements", "dashboard:healthz"})


class EngagementMiddleware:
    """Leads an auditor without a running engagement, and without another role, to the page of their engagements."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, _args: list[Any], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Answer with that page instead, unless the page asked for concerns one's own account alone."""
        match = request.resolver_match
        if match is None or match.app_name == OWN_ACCOUNT or match.view_name in OPEN or not reads_nothing(request.user):
            return None
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(headers={"HX-Redirect": reverse("assurance:engagements")})
        return engagements.own(cast(SignedIn, request), at=clock.now(), status=403)


def reads_nothing(user: Any) -> bool:
    """Tell whether somebody is an auditor to whom nothing is open now: no engagement, and no other role."""
    if not isinstance(user, User) or not user.is_authenticated or user.is_superuser or not has_role(user, AUDITOR):
        return False
    return user.reading_scope is None and not ModelBackend().get_all_permissions(user)
