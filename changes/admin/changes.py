"""Changes and what belongs to them. Everything that writes them is a verb, at the same address as on their page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from changes.models import Cell, Change, ChangeStep, Finding, FreezeOverride, GateReport
from portal.audit.admin import GuardedAdmin, GuardedTabularInline, ReadOnlyAdmin, Verb


class StepInline(GuardedTabularInline[ChangeStep]):
    """The steps of the three plans; they are edited on the page of the change."""

    model = ChangeStep
    fields = ["kind", "position", "text", "minutes"]
    readonly_fields = ["kind", "position", "text", "minutes"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Steps are written by the verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False


class Shown(GuardedAdmin[Any]):
    """Records that services alone write: here they are read, with their history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made by a verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False


@admin.register(Change)
class ChangeAdmin(Shown):
    """A change, with everything that moved it. Its page offers the verbs."""

    list_display = ["reference", "title", "type", "status", "risk_level", "planned_start", "requester"]
    list_display_links = ["reference", "title"]
    list_filter = ["status", "type", "risk_level", "outcome"]
    search_fields = ["reference", "title"]
    search_help_text = "A reference, or words of the title"
    ordering = ["-requested_at", "-id"]
    inlines = [StepInline]

    def get_fields(self, request: HttpRequest, obj: Change | None = None) -> list[Any]:
        """Show every column, and what it touches."""
        names = [f.name for f in self.opts.concrete_fields if not f.primary_key and f.name != "submitted_text"]
        return [*names, "shown_systems", "shown_modules"]

    def get_readonly_fields(self, request: HttpRequest, obj: Change | None = None) -> list[Any]:
        """Everything is shown, nothing is written here."""
        return [*super().get_readonly_fields(request, obj), "shown_systems", "shown_modules"]

    def verbs(self, request: HttpRequest, obj: Change) -> list[Verb]:
        """Lead to its page, where each verb asks what it needs."""
        return [Verb("Open its page", obj.get_absolute_url(), post=False, primary=True, icon="git-pull-request-arrow")]

    @admin.display(description="systems")
    def shown_systems(self, obj: Change) -> str:
        """Return the names of the systems that it touches."""
        return ", ".join(system.name for system in obj.systems.all()) or "none is named"

    @admin.display(description="modules")
    def shown_modules(self, obj: Change) -> str:
        """Return the names of the modules that it touches."""
        return ", ".join(module.name for module in obj.modules.all()) or "none"


@admin.register(ChangeStep)
class ChangeStepAdmin(Shown):
    """One step of a plan, with its history."""

    list_display = ["change", "kind", "position", "text", "minutes"]
    search_fields = ["change__reference", "text"]
    fields = ["change", "kind", "position", "text", "minutes"]


@admin.register(Cell)
class CellAdmin(Shown):
    """One check of one module for one change, with its history."""

    list_display = ["change", "module", "check_of", "state", "answered_at", "answered_by"]
    list_filter = ["state"]
    search_fields = ["change__reference", "module__name"]
    fields = ["change", "module", "check_of"]

    def get_fields(self, request: HttpRequest, obj: Cell | None = None) -> list[Any]:
        """Show what was said, and by whom."""
        return [
            "change",
            "module",
            "check_of",
            "state",
            "because",
            "evidence",
            "demand_key",
            "answered_at",
            "answered_by",
        ]


@admin.register(Finding)
class FindingAdmin(Shown):
    """A write to a system's configuration outside of any slot, and what was answered."""

    list_display = ["system", "made_at", "made_by", "words", "state", "answered_by"]
    list_filter = ["state"]
    search_fields = ["system__name", "made_by", "words"]

    def get_fields(self, request: HttpRequest, obj: Finding | None = None) -> list[Any]:
        """Show every column."""
        return [f.name for f in self.opts.concrete_fields if not f.primary_key]


@admin.register(GateReport)
class GateReportAdmin(ReadOnlyAdmin[GateReport]):
    """What was reported of a prerequisite."""

    list_display = ["change", "gate", "result", "commit", "reported_at", "reported_by"]
    list_filter = ["gate", "result"]
    search_fields = ["change__reference", "commit"]


@admin.register(FreezeOverride)
class FreezeOverrideAdmin(ReadOnlyAdmin[FreezeOverride]):
    """Who let which change through which freeze, and why."""

    list_display = ["change", "freeze", "version", "overridden_at", "overridden_by"]
    search_fields = ["change__reference", "freeze__name"]
