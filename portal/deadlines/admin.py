"""Deadlines in the admin: the timers and what became of them. Nothing is changed here."""

from __future__ import annotations

from django.contrib import admin

from portal.audit.admin import ReadOnlyAdmin
from portal.deadlines.models import Deadline


@admin.register(Deadline)
class DeadlineAdmin(ReadOnlyAdmin[Deadline]):
    """Every deadline, the next due first among those that stand."""

    list_display = ["kind", "key", "subject_type", "subject_id", "due_at", "state", "lateness", "attempts"]
    list_filter = ["state", "kind"]
    list_select_related = ["subject_type"]
    search_fields = ["key", "=subject_id"]
    date_hierarchy = "due_at"
