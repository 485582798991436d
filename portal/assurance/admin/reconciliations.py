"""The runs of reconciliation in the admin: when, by whom, and what did not agree."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from portal.audit.admin import ReadOnlyAdmin
from portal.audit.models import Reconciliation
from portal.audit.reconciling import Finding


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin[Reconciliation]):
    """Each night, and whenever somebody asked: every row was compared with its history."""

    masked_fields = ("lease_token",)
    list_display = ["started_at", "started_by", "night", "finished_at", "rows", "found"]
    list_filter = [("night", admin.EmptyFieldListFilter)]
    fields = ["started_at", "started_by", "night", "finished_at", "rows", "found", "shown_findings", "part"]

    @admin.display(description="what does not agree")
    def shown_findings(self, obj: Reconciliation) -> SafeString | str:
        """Return the findings in words, without their values: those stand in the trail."""
        found = [Finding.from_json(one) for one in obj.findings]
        return format_html_join("\n", "<p>{}</p>", ((one.outline,) for one in found)) or "nothing"
