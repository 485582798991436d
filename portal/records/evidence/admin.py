"""Evidence in the admin. Verbs are the same forms, at the same addresses, as on its own page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin, Verb
from portal.records.evidence.acts import offers
from portal.records.evidence.models import CustodyEvent, Evidence, EvidenceCheck, EvidenceObject, EvidenceRule


@admin.register(Evidence)
class EvidenceAdmin(GuardedAdmin[Evidence]):
    """Items of evidence. Their words are changed by a verb, while they are not sealed."""

    list_display = ["reference", "original_name", "state", "holder", "collected_at", "sealed_at"]
    list_display_links = ["reference", "original_name"]
    list_filter = ["state", ("sealed_at", admin.EmptyFieldListFilter)]
    search_fields = ["=reference", "original_name", "source", "=stored__digest"]
    readonly_fields: ClassVar[list[str]] = ["source", "description"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Evidence is added on the page of its record, with its file."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Evidence | None = None) -> bool:
        """What stands is shown."""
        return False

    def verbs(self, request: HttpRequest, obj: Evidence) -> list[Verb]:
        """Offer what the page of the item offers now."""
        page = [Verb("Open evidence", reverse("evidence:item", args=[obj.reference]), post=False, icon="fingerprint")]
        found = offers(obj, request.user)
        return page + [Verb(o.act.label, o.url, post=False, danger=o.act.danger, icon=o.act.icon) for o in found]


@admin.register(CustodyEvent)
class CustodyEventAdmin(ReadOnlyAdmin[CustodyEvent]):
    """Everything that happened to evidence."""

    list_display = ["at", "evidence", "kind", "actor_name", "to_name", "result"]
    list_filter = ["kind", "result", "origin"]
    search_fields = ["=evidence__reference", "actor_name", "reason"]
    date_hierarchy = "at"


@admin.register(EvidenceObject)
class EvidenceObjectAdmin(ReadOnlyAdmin[EvidenceObject]):
    """Stored contents. The files themselves are never shown."""

    list_display = ["digest", "size", "stored_at"]
    search_fields = ["=digest"]


@admin.register(EvidenceCheck)
class EvidenceCheckAdmin(ReadOnlyAdmin[EvidenceCheck]):
    """When stored files were read again."""

    list_display = ["stored", "checked_at", "result", "since"]
    list_filter = ["result"]
    search_fields = ["=stored__digest"]


@admin.register(EvidenceRule)
class EvidenceRuleAdmin(GuardedAdmin[EvidenceRule]):
    """How large a file may be and how often it is read again: the one row."""

    list_display = ["__str__", "most_megabytes", "verify_days", "verify_megabytes"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """One row stands; a second would mean nothing."""
        return super().has_add_permission(request) and not self.get_queryset(request).exists()

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the one row that counts, and any other, in order."""
        return super().get_queryset(request).order_by("pk")
