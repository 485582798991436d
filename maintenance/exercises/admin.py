"""Recovery plans and exercises in the admin: read with their history. What writes them is a verb of their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from maintenance.models import Exercise, ExerciseStep, RecoveryPlan, RecoveryStep
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin


class Shown(GuardedAdmin[Any]):
    """Records that services alone write: here they are read, with their history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made by a verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show every column."""
        return [field.name for field in self.opts.concrete_fields if not field.primary_key]


@admin.register(RecoveryPlan)
class RecoveryPlanAdmin(Shown):
    """A recovery plan with everything that was changed of it."""

    list_display = ["reference", "title", "system", "state", "version", "owner"]
    list_display_links = ["reference", "title"]
    list_filter = ["state"]
    search_fields = ["reference", "title", "system__name"]


@admin.register(RecoveryStep)
class RecoveryStepAdmin(ReadOnlyAdmin[RecoveryStep]):
    """The steps of every version of every recovery plan."""

    list_display = ["plan", "version", "position", "text", "minutes", "owner", "recovers"]
    search_fields = ["plan__reference", "text"]
    ordering = ("plan", "-version", "position")


@admin.register(Exercise)
class ExerciseAdmin(Shown):
    """An exercise, what it measured, and everything that was changed of it."""

    list_display = ["reference", "plan", "kind", "state", "scheduled_for", "verdict"]
    list_filter = ["state", "kind", "verdict"]
    search_fields = ["reference", "plan__title", "plan__reference"]


@admin.register(ExerciseStep)
class ExerciseStepAdmin(Shown):
    """The steps of exercises as they were worked."""

    list_select_related = ("exercise__plan",)
    list_display = ["exercise", "position", "text", "state", "started_at", "done_at"]
    list_filter = ["state"]
    search_fields = ["exercise__reference", "text"]
