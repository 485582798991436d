"""Messages in the admin: what went out, what waits and why. Nothing is changed here."""

from __future__ import annotations

from django.contrib import admin

from portal.audit.admin import ReadOnlyAdmin
from portal.notify.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    """The outbox. An address is shown without its secret parts."""

    masked_fields = ("address", "lease_token")
    list_display = ["title", "recipient", "lane", "state", "attempts", "about_reference", "created_at", "settled_at"]
    list_filter = ["state", "lane", "urgent", "is_drill", "kind"]
    list_select_related = ["contact", "channel"]
    search_fields = ["title", "about_reference", "contact__name"]
    date_hierarchy = "created_at"
    fieldsets = [
        (None, {"fields": ["title", "body", "about_reference", "recipient", "lane", "shown_address"]}),
        (
            "Delivery",
            {"fields": ["urgent", "is_drill", "state", "attempts", "error", "created_at", "due_at", "next_attempt_at"]},
        ),
        ("Outcome", {"fields": ["settled_at", "stopped_at", "read_at", "repeat_seconds", "fallback_of"]}),
        ("Key", {"fields": ["idempotency_key", "kind", "generation", "repeat_number"]}),
    ]

    @admin.display(description="recipient")
    def recipient(self, message: Message) -> str:
        """Name the person or the channel."""
        return str(message.contact or message.channel or message.shown_address)

    @admin.display(description="address")
    def shown_address(self, message: Message) -> str:
        """Return the address without its secret parts."""
        return message.shown_address
