"""Backups, their runs and restore tests in the admin: read here, written by their verbs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from maintenance.admin.plans import Shown
from maintenance.models import BackupPlan, BackupRun, RestoreTest
from portal.audit.admin import ReadOnlyAdmin


@admin.register(BackupPlan)
class BackupPlanAdmin(Shown):
    """What is backed up how often. Its page offers the verbs."""

    list_display = ["reference", "system", "what", "frequency_minutes", "grace_minutes", "owner", "retired_at"]
    list_display_links = ["reference", "system"]
    list_filter = [("retired_at", admin.EmptyFieldListFilter)]
    search_fields = ["reference", "what", "system__name"]
    masked_fields: ClassVar[tuple[str, ...]] = tuple(BackupPlan.masked)

    def get_fields(self, request: HttpRequest, obj: BackupPlan | None = None) -> list[Any]:
        """Show every column but the digest."""
        return [f.name for f in self.opts.concrete_fields if not f.primary_key and f.name != "digest"]

    def get_readonly_fields(self, request: HttpRequest, obj: BackupPlan | None = None) -> list[Any]:
        """Show no digest."""
        return [name for name in super().get_readonly_fields(request, obj) if name != "digest"]


@admin.register(BackupRun)
class BackupRunAdmin(ReadOnlyAdmin[BackupRun]):
    """Runs of backups, with their three validations."""

    list_display = ["plan", "finished_at", "newest_data_at", "size", "completed", "verified", "stored", "source"]
    list_filter = ["completed", "verified", "stored", "source"]
    search_fields = ["plan__reference", "plan__what"]
    ordering = ("-finished_at", "-id")


@admin.register(RestoreTest)
class RestoreTestAdmin(ReadOnlyAdmin[RestoreTest]):
    """Restore tests, with what they measured."""

    list_display = ["reference", "system", "started_at", "ended_at", "newest_recovered_at", "succeeded", "performed_by"]
    list_filter = ["succeeded"]
    search_fields = ["reference", "system__name", "performed_by"]
    ordering = ("-ended_at", "-id")
