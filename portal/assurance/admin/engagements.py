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
from portal.lib.visibility import restricted_models


def _may_change(request: HttpRequest, engagement: Engagement) -> bool:
    """Tell whether the reader may end an engagement, or say what it opens by name: it runs, and is not their own."""
    runs = engagement.state(clock.now()) in {EngagementState.PLANNED, EngagementState.RUNNING}
    own = engagement.auditor_id == request.user.pk
    return runs and not own and request.user.has_perm("assurance.change_engagement")


@admin.register(Engagement)
class EngagementAdmin(GuardedAdmin[Engagement]):
    """What auditors may read, with its history."""

    list_display = ["reference", "auditor", "title", "starts", "ends", "granted_by", "revoked_at"]
    list_display_links = ["reference", "title"]
    search_fields = ["reference", "title", "auditor__last_name", "auditor__username"]
    view_on_site = False  # a verb leads there
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
        """Offer the engagement's page, to open a restricted record by name, and to end it; nothing on one's own."""
        page = Verb("Open engagement", obj.get_absolute_url(), post=False, icon="eye")
        if not _may_change(request, obj):
            return [page]
        end = reverse("assurance:end-engagement", args=[obj.reference])
        record = reverse("assurance:grant-record", args=[obj.reference])
        opens = [Verb("Open a restricted record", record, post=False, icon="lock")] if restricted_models() else []
        return [page, *opens, Verb("End engagement", end, post=False, danger=True, icon="ban")]

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

    def verbs(self, request: HttpRequest, obj: GrantedRecord) -> list[Verb]:
        """Offer the engagement's page, and to close the record again."""
        page = Verb("Open engagement", obj.engagement.get_absolute_url(), post=False, icon="eye")
        if obj.withdrawn_at is not None or not _may_change(request, obj.engagement):
            return [page]
        address = reverse("assurance:withdraw-record", args=[obj.engagement.reference, obj.pk])
        return [page, Verb("Close the record", address, post=False, danger=True, icon="eye-off")]
