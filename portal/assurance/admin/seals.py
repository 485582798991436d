"""What proves the record, in the admin: batches of seals, anchors and their ways off the machine, verifications."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from portal.audit.admin import ReadOnlyAdmin
from portal.audit.seals import Anchor, AnchorDelivery, SealBatch, Verification


@admin.register(SealBatch)
class SealBatchAdmin(ReadOnlyAdmin[SealBatch]):
    """What each look of the sealer added to the chain."""

    list_display = ["sealed_at", "first", "last", "sealed_by"]
    search_fields = ["=last"]
    fields: ClassVar[list[Any]] = ["sealed_at", "sealed_by", "first", "last", "shown_head", "marks"]
    readonly_fields: ClassVar[list[str]] = ["shown_head"]
    ordering = ["-id"]

    @admin.display(description="head")
    def shown_head(self, obj: SealBatch) -> str:
        """Return the digest of the last position, in hexadecimal."""
        return bytes(obj.head).hex()


@admin.register(Anchor)
class AnchorAdmin(ReadOnlyAdmin[Anchor]):
    """The signed heads of the chain."""

    list_display = ["signed_at", "position", "previous", "key_id", "head"]
    list_filter = ["key_id"]
    search_fields = ["=position", "head"]
    ordering = ["-position", "-id"]


@admin.register(AnchorDelivery)
class AnchorDeliveryAdmin(ReadOnlyAdmin[AnchorDelivery]):
    """Each anchor on each way off this machine: when it left, or why it did not."""

    list_display = ["anchor", "way", "target", "attempts", "next_attempt_at", "delivered_at", "error"]
    list_filter = ["way", ("delivered_at", admin.EmptyFieldListFilter)]
    search_fields = ["=anchor__position", "error"]
    ordering = ["-id"]


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin[Verification]):
    """Each night, and whenever somebody asked: everything was read again and compared with its seals."""

    list_display = ["started_at", "started_by", "night", "finished_at", "rows", "seconds", "found"]
    list_filter = [("night", admin.EmptyFieldListFilter)]
    fields: ClassVar[list[Any]] = [
        "started_at", "started_by", "night", "finished_at", "position", "rows", "seconds", "found", "shown_findings",
        "report",
    ]  # fmt: skip
    readonly_fields: ClassVar[list[str]] = ["shown_findings"]

    @admin.display(description="what does not fit")
    def shown_findings(self, obj: Verification) -> SafeString | str:
        """Return the first findings in words."""
        found = obj.report.get("findings", [])
        return format_html_join("\n", "<p>{}</p>", ((one["sentence"],) for one in found)) or "nothing"
