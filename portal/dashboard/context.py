"""What the shell shows on every page: company, navigation, counts, inbox, clock, and the banner of a silent engine.

Everything is read when the template asks for it, once, and with a fixed number of queries.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from changes.approving import CHANGE
from incidents.enums import OPEN
from incidents.models import Incident
from portal.accounts.models import User
from portal.approvals.models import ApprovalRequest
from portal.dashboard import health
from portal.deadlines.models import Sweep
from portal.lib import clock
from portal.lib.counting import counts_of
from portal.notify import services as notify
from portal.site import Count, NavigationGroup, PortalAdminSite

VERSION = "0.1"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates `shell` and `engine`. Nothing is read before a template asks."""
    found = Shell(request)
    return {"shell": found, "engine": Engine(request, found)}


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
        """The groups and links that the reader may use, with what waits in them."""
        if not signed_in(self.request):
            return []
        site = cast(PortalAdminSite, admin.site)
        counts = {
            "incidents": Count(self._counts["incidents"], "open", "red"),
            "approvals": Count(self._counts["approvals"], "waiting for you", "amber"),
            "changes": Count(self._counts["changes"], "waiting for you"),
        }
        return site.navigation(self.request, counts)

    @cached_property
    def inbox_count(self) -> int:
        """How many messages the reader has not read."""
        return self._counts["inbox"] if signed_in(self.request) else 0

    @cached_property
    def _counts(self) -> dict[str, int]:
        """How much burns, waits and is unread, and whether the engine has swept lately. One query."""
        user = self.request.user
        lately = self.now - timedelta(seconds=health.MOST_SILENT)
        waiting = ApprovalRequest.objects.visible_to(user).waiting_for(user, at=self.now)
        return counts_of(
            incidents=Incident.objects.visible_to(user).real().filter(status__in=OPEN),
            approvals=waiting,
            changes=waiting.filter(kind=CHANGE.kind),
            inbox=notify.inbox_of(user).filter(read_at=None),
            sweeps=Sweep.objects.filter(at__gte=lately),
        )

    @cached_property
    def swept_lately(self) -> bool:
        """Whether the engine keeps time."""
        return self._counts["sweeps"] > 0


class Engine:
    """The pulse of the engine, as staff must see it on every page."""

    def __init__(self, request: HttpRequest, shell: Shell | None = None) -> None:
        self.request = request
        self.shell = shell or Shell(request)

    @cached_property
    def banner(self) -> str:
        """The sentence of the red banner, or nothing while the engine keeps time."""
        if not signed_in(self.request) or not self.request.user.is_staff or self.shell.swept_lately:
            return ""
        return health.engine_state(clock.now()).banner
