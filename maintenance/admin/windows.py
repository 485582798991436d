"""Windows and their series: here they are read, with their history; their pages offer the verbs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from maintenance.admin.plans import Shown
from maintenance.models import Window, WindowSeries


class WithSystems(Shown):
    """Records that name systems."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the systems with the rows."""
        return super().get_queryset(request).prefetch_related("systems")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show every column, and its systems."""
        return [*(f.name for f in self.opts.concrete_fields if not f.primary_key), "shown_systems"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Everything is shown, nothing is written here."""
        return [*super().get_readonly_fields(request, obj), "shown_systems"]

    @admin.display(description="systems")
    def shown_systems(self, obj: Any) -> str:
        """Return the names of its systems."""
        return ", ".join(system.name for system in obj.systems.all())


@admin.register(Window)
class WindowAdmin(WithSystems):
    """A window with everything that was changed of it."""

    list_display = ["reference", "title", "kind", "state", "starts_at", "ends_at"]
    list_display_links = ["reference", "title"]
    list_filter = ["state", "kind"]
    search_fields = ["reference", "title"]
    search_help_text = "A reference, or words of what is done"


@admin.register(WindowSeries)
class WindowSeriesAdmin(WithSystems):
    """A rule by which windows come round."""

    list_display = ["title", "shown_often", "anchor", "start_time", "minutes", "ended_at"]
    list_filter = ["frequency", ("ended_at", admin.EmptyFieldListFilter)]
    search_fields = ["title"]

    @admin.display(description="how often", ordering="frequency")
    def shown_often(self, obj: WindowSeries) -> str:
        """Return every how many days, weeks or months one comes round."""
        return obj.as_rule().words
