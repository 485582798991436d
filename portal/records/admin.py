"""Timeline notes, periods and demands in the admin. Nothing is changed here."""

from __future__ import annotations

from django.contrib import admin

from portal.audit.admin import ReadOnlyAdmin
from portal.records.models import Demand, Note, Period


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin[Note]):
    """Every line of every timeline."""

    list_display = ["event_at", "actor_name", "text", "kind", "subject_type", "subject_id", "recorded_at"]
    list_filter = ["kind", "origin"]
    list_select_related = ["subject_type"]
    search_fields = ["text", "actor_name", "=subject_id"]
    date_hierarchy = "event_at"


@admin.register(Period)
class PeriodAdmin(ReadOnlyAdmin[Period]):
    """What went on with the systems."""

    list_display = ["reference", "system", "kind", "weight", "starts", "ends"]
    list_filter = ["kind", "system"]
    list_select_related = ["system"]
    search_fields = ["reference"]


@admin.register(Demand)
class DemandAdmin(ReadOnlyAdmin[Demand]):
    """What one part of the portal asked of another, answered or not."""

    list_display = ["topic", "key", "system", "asked_at", "asked_by", "answer_by", "answered_at", "error"]
    list_filter = ["topic"]
    list_select_related = ["system"]
    search_fields = ["key"]
