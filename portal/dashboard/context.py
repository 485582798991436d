"""What the shell shows on every page: company, navigation, counts, inbox, clock, and the banner of a silent engine.

Everything is read when the template asks for it, once, and with a fixed number of queries.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from incidents.enums import OPEN
from incidents.models import Incident
from portal.accounts.models import User
from portal.dashboard import health
from portal.lib import clock
from portal.notify import services as notify
from portal.site import Count, NavigationGroup, PortalAdminSite

VERSION = "0.1"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates `shell` and `engine`. Nothing is read before a template asks."""
    return {"shell": Shell(request), "engine": Engine(request)}


def signed_in(request: HttpRequest) -> bool:
    """Whether somebody is signed in; an error page may come before anybody could."""
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


class Shell:
    """The shell for one reader. `now` is the moment that the whole page speaks of."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.version = VERSION
        self.company = settings.PORTAL_COMPANY

    @cached_property
    def now(self) -> datetime:
        """The moment of the page, in the reader's zone."""
        return timezone.localtime(clock.now())

    @cached_property
    def person(self) -> str:
        """The name of the reader."""
        return str(self.request.user) if signed_in(self.request) else ""

    @cached_property
    def role(self) -> str:
        """The roles of the reader in words, two at most. One query."""
        user = self.request.user if signed_in(self.request) else None
        if not isinstance(user, User):
            return ""
        return ", ".join(sorted(user.role_names)[:2]).capitalize() or (
            "Administrator" if user.is_superuser else "No role"
        )

    @cached_property
    def navigation(self) -> list[NavigationGroup]:
        """The groups and links that the reader may use, with what waits in them. One query."""
        if not signed_in(self.request):
            return []
        site = cast(PortalAdminSite, admin.site)
        return site.navigation(self.request, {"incidents": Count(self._open_incidents(), "open", "red")})

    def _open_incidents(self) -> int:
        return Incident.objects.visible_to(self.request.user).filter(status__in=OPEN).count()

    @cached_property
    def inbox_count(self) -> int:
        """How many messages the reader has not read. One query."""
        if not signed_in(self.request):
            return 0
        return notify.unread_count(self.request.user)


class Engine:
    """The pulse of the engine, as staff must see it on every page."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def banner(self) -> str:
        """The sentence of the red banner, or nothing while the engine keeps time. One query."""
        if not signed_in(self.request) or not self.request.user.is_staff:
            return ""
        return health.engine_state(clock.now()).banner
