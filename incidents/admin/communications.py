"""Templates, lists and rules of audiences; every message with its verbs; who follows what."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from incidents.communications.recipients import described
from incidents.communications.words import FIELDS
from incidents.models import AudienceMember, Communication, CommunicationRule, CommunicationTemplate, Subscription
from portal.audit.admin import GuardedAdmin, Verb


@admin.register(CommunicationTemplate)
class CommunicationTemplateAdmin(GuardedAdmin[CommunicationTemplate]):
    """The words that messages begin with. A field that is not known is refused when the template is saved."""

    list_display = ["name", "audience", "occasion", "type", "severity", "active"]
    list_filter = ["audience", "occasion", "type", "severity", "active"]
    search_fields = ["name", "subject", "body"]
    fields = ["name", "audience", "occasion", "type", "severity", "subject", "body", "shown_fields", "active"]
    readonly_fields: ClassVar[list[str]] = ["shown_fields"]

    @admin.display(description="fields")
    def shown_fields(self, _obj: CommunicationTemplate | None) -> str:
        """Return the fields that both texts may hold, with what each becomes."""
        return "; ".join(f"{{{name}}} {words}" for name, words in FIELDS.items())


@admin.register(AudienceMember)
class AudienceMemberAdmin(GuardedAdmin[AudienceMember]):
    """Who is told, by audience. A line that is no longer meant is switched off."""

    list_display = ["__str__", "audience", "contact", "team", "channel", "system", "active"]
    list_filter = ["audience", "active", "system"]
    search_fields = ["contact__name", "team__name", "channel__name"]
    fields = ["audience", "contact", "team", "channel", "system", "active"]


@admin.register(CommunicationRule)
class CommunicationRuleAdmin(GuardedAdmin[CommunicationRule]):
    """Whether messages to an audience need an approval. Who decides stands under Approval rules."""

    list_display = ["__str__", "audience", "severity", "needs_approval"]
    list_filter = ["audience", "needs_approval"]
    fields = ["audience", "severity", "needs_approval"]


class WrittenElsewhere(GuardedAdmin[Any]):
    """Records that only the pages of incidents write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are written on the pages of incidents."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown; its verbs are buttons."""
        return False


@admin.register(Communication)
class CommunicationAdmin(WrittenElsewhere):
    """Every message to an audience, with its state and its verbs."""

    list_display = ["subject", "audience", "incident", "state", "drafted_at", "drafted_by", "sent_at"]
    list_filter = ["state", "audience"]
    search_fields = ["subject", "text", "incident__reference"]
    fields = [
        *("incident", "audience", "state", "subject", "text", "shown_recipients", "template"),
        *("drafted_at", "drafted_by", "sent_at", "sent_by", "withdrawn_at", "withdrawn_by"),
    ]
    readonly_fields: ClassVar[list[str]] = ["shown_recipients"]

    def verbs(self, request: HttpRequest, obj: Communication) -> list[Verb]:
        """Lead to the page of the message, where it is changed, sent and withdrawn."""
        if not request.user.has_perm("incidents.change_communication") or not obj.is_unsent:
            return []
        withdraw = reverse("incidents:withdraw-communication", args=[obj.incident.reference, obj.pk])
        return [
            Verb("Withdraw", withdraw, post=False, danger=True, icon="ban"),
            Verb("Open to send", obj.get_absolute_url(), post=False, primary=True, icon="send"),
        ]

    @admin.display(description="goes to")
    def shown_recipients(self, obj: Communication) -> str:
        """Return the names on the list as it stood."""
        return ", ".join(described(obj.recipients)) or "nobody"


@admin.register(Subscription)
class SubscriptionAdmin(WrittenElsewhere):
    """Who follows what. People begin and end it for themselves."""

    list_display = ["person", "system", "incident", "started_at", "ended_at"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter)]
    search_fields = ["person__name", "system__name", "incident__reference"]
    fields = ["person", "system", "incident", "started_at", "started_by", "ended_at", "ended_by"]

    def verbs(self, request: HttpRequest, obj: Subscription) -> list[Verb]:
        """Lead to where its owner ends it."""
        if obj.ended_at is not None or obj.person.user_id != request.user.pk:
            return []
        return [Verb("Choose what I follow", reverse("incidents:following"), post=False, icon="bell")]
