"""Action items in the admin: read with their history. Everything that writes them is a verb on their own page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portal.actions.models import ActionItem
from portal.audit.admin import GuardedAdmin


@admin.register(ActionItem)
class ActionItemAdmin(GuardedAdmin[ActionItem]):
    """One action item with everything that was changed of it."""

    list_display = ["reference", "title", "kind", "owner", "due_at", "state"]
    list_display_links = ["reference", "title"]
    list_filter = ["state", "kind"]
    search_fields = ["reference", "title"]
    search_help_text = "A reference, or words of the title"
    ordering = ("-due_at", "-id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are opened on their page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False

    def get_fields(self, request: HttpRequest, obj: ActionItem | None = None) -> list[Any]:
        """Show every column."""
        return [field.name for field in self.opts.concrete_fields if not field.primary_key]
