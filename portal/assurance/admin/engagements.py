"""Engagements in the admin. They are granted and ended on their own pages, after a confirmation of who does it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from portal.assurance.enums import EngagementState
from portal.assurance.models import Engagement, GrantedRecord
from portal.audit.admin import GuardedAdmin, Verb
from portal.lib import clock


@admin.register(Engagement)
class EngagementAdmin(GuardedAdmin[Engagement]):
    """What auditors may read, with its history."""

    list_display = ["reference", "auditor", "title", "starts", "ends", "granted_by", "revoked_at"]
    list_display_links = ["reference", "title"]
    search_fields = ["reference", "title", "auditor__last_name", "auditor__username"]
    fields: ClassVar[list[Any]] = [
        "reference", "title", "auditor", "starts", "ends", "opens", "shown_systems", "records_from", "records_until",
        "reason", "granted_at", "granted_by", "granter_id", "revoked_at", "revoked_by", "revoke_reason",
    ]  # fmt: skip
    readonly_fields: ClassVar[list[str]] = ["opens", "shown_systems"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Engagements are granted on their own page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Engagement | None = None) -> bool:
        """What was granted stays as it was granted; it is ended, and another one granted."""
        return False

    def verbs(self, request: HttpRequest, obj: Engagement) -> list[Verb]:
        """Offer the engagement's page, and to end it."""
        page = Verb("Open engagement", obj.get_absolute_url(), post=False, icon="eye")
        running = obj.state(clock.now()) in {EngagementState.PLANNED, EngagementState.RUNNING}
        if not running or not request.user.has_perm("assurance.change_engagement"):
            return [page]
        address = reverse("assurance:end-engagement", args=[obj.reference])
        return [page, Verb("End engagement", address, post=False, danger=True, icon="ban")]

    @admin.display(description="kinds of records")
    def opens(self, obj: Engagement) -> str:
        """Return the kinds of records in words."""
        return ", ".join(obj.register_labels)

    @admin.display(description="systems")
    def shown_systems(self, obj: Engagement) -> str:
        """Return the systems by name."""
        return ", ".join(system.name for system in obj.systems.all()) or "all"


@admin.register(GrantedRecord)
class GrantedRecordAdmin(GuardedAdmin[GrantedRecord]):
    """Restricted records that engagements open by name."""

    list_display = ["name", "reference", "engagement", "granted_at", "granted_by", "withdrawn_at"]
    search_fields = ["name", "reference", "engagement__reference"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Records are opened on the engagement's page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: GrantedRecord | None = None) -> bool:
        """What stands is shown."""
        return False
