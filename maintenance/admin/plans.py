"""Plans, their occurrences and tokens. Everything that writes them is a verb, at the same address as on their page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from maintenance.models import Occurrence, Plan, PlanToken
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin


class Shown(GuardedAdmin[Any]):
    """Records that services alone write: here they are read, with their history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made by a verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False


@admin.register(Plan)
class PlanAdmin(Shown):
    """A plan with everything that was changed of it. Its page offers the verbs."""

    list_display = ["reference", "task", "shown_often", "state", "owner", "manager", "team"]
    list_display_links = ["reference", "task"]
    list_filter = ["state", "frequency", "team"]
    search_fields = ["reference", "task"]
    search_help_text = "A reference, or words of the task"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the systems with the plans."""
        return super().get_queryset(request).prefetch_related("systems")

    def get_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[Any]:
        """Show every column, and its systems."""
        return [*(f.name for f in self.opts.concrete_fields if not f.primary_key), "shown_systems"]

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[Any]:
        """Everything is shown, nothing is written here."""
        return [*super().get_readonly_fields(request, obj), "shown_systems"]

    @admin.display(description="how often", ordering="frequency")
    def shown_often(self, obj: Plan) -> str:
        """Return every how many days, weeks, months or years it comes round."""
        return obj.often

    @admin.display(description="systems")
    def shown_systems(self, obj: Plan) -> str:
        """Return the names of its systems."""
        return ", ".join(system.name for system in obj.systems.all()) or "none is named"


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnlyAdmin[Occurrence]):
    """One date of a plan, and what became of it."""

    list_display = ["reference", "plan", "scheduled_on", "due_at", "state", "done_at", "done_by", "signed_by"]
    list_filter = ["state", "source"]
    search_fields = ["reference", "plan__task"]
    ordering = ("-due_at", "-id")


@admin.register(PlanToken)
class PlanTokenAdmin(Shown):
    """What a job shows when it says that its task is done."""

    list_display = ["plan", "name", "created_at", "created_by", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "plan__reference", "plan__task"]
    fields = ["plan", "name", "created_at", "created_by", "last_used_at", "revoked_at", "revoked_by"]
    masked_fields: ClassVar[tuple[str, ...]] = tuple(PlanToken.masked)

    def get_readonly_fields(self, request: HttpRequest, obj: PlanToken | None = None) -> list[Any]:
        """Show no digest."""
        return [name for name in super().get_readonly_fields(request, obj) if name != "digest"]
