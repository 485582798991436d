"""Exports in the admin: jobs that nobody changes by hand, and the rule of how long their files are kept."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from portal.assurance.models import Export, ExportRule
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin[Export]):
    """Every export, newest first. The file is fetched from the export's own page, by whoever asked for it."""

    masked_fields = ("lease_token",)
    list_display = ["reference", "title", "format", "state", "asked_by", "asked_at", "rows", "expires_at"]
    list_filter = ["state", "format", "source"]
    list_select_related = ["requester"]
    search_fields = ["title", "reason", "asked_by", "digest"]
    date_hierarchy = "asked_at"
    exclude = ["lease_token"]


@admin.register(ExportRule)
class ExportRuleAdmin(GuardedAdmin[ExportRule]):
    """How long files are kept: one row, changed with a reason."""

    list_display = ["__str__", "keep_days"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one rule; another one is added only where it was lost."""
        return super().has_add_permission(request) and not ExportRule.objects.visible_to(request.user).exists()
