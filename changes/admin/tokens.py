"""The tokens of CI systems. A secret is shown once, when its token is made."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from changes import services
from changes.models import GateToken
from portal.accounts import stepup
from portal.audit.admin import GuardedAdmin
from portal.audit.asking import reason_of
from portal.audit.middleware import person
from portal.lib import clock


@admin.register(GateToken)
class GateTokenAdmin(GuardedAdmin[GateToken]):
    """What a CI system shows when it reports a gate."""

    list_display = ["name", "created_at", "created_by", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name"]
    masked_fields: ClassVar[tuple[str, ...]] = tuple(GateToken.masked)

    def get_fields(self, request: HttpRequest, obj: GateToken | None = None) -> list[Any]:
        """Return what is chosen, and for one that stands who made, used and revoked it."""
        if obj is None:
            return ["name"]
        return ["name", "created_at", "created_by", "last_used_at", "revoked_at", "revoked_by"]

    def get_readonly_fields(self, request: HttpRequest, obj: GateToken | None = None) -> list[Any]:
        """Show no digest."""
        return [name for name in super().get_readonly_fields(request, obj) if name != "digest"]

    def save_model(self, request: HttpRequest, obj: GateToken, form: Any, change: bool) -> None:  # noqa: FBT001
        """Make a new token with a secret of its own, after a confirmation."""
        if change:
            super().save_model(request, obj, form, change)
            return
        stepup.require_confirmation(request)
        made, secret = services.hand_out_token(
            obj.name, by=person(request), at=clock.now(), reason=reason_of(request)
        )  # fmt: skip
        obj.pk, obj.secret = made.pk, secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: GateToken, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret, this once. It is on no page that could be opened again."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The secret of {obj}",
            "opts": self.opts,
            "token": obj,
            "secret": obj.secret,  # type: ignore[attr-defined]
            "portal_url": settings.PORTAL_URL,
        }
        return TemplateResponse(request, "admin/changes/gatetoken/created.html", context)
