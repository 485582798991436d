"""Incidents and who works on them. Verbs are the same forms, at the same addresses, as in the incident room."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from incidents.acts import Offer, offers
from incidents.clocks import clock_cards
from incidents.models import Alert, Escalation, Incident, Responder
from portal.audit.admin import GuardedAdmin, GuardedTabularInline, ReadOnlyAdmin, Verb
from portal.lib import clock


class ResponderInline(GuardedTabularInline[Responder]):
    """Who works on the incident; people join by a verb."""

    model = Responder
    fields = ["contact", "added_at", "added_by"]
    readonly_fields = ["contact", "added_at", "added_by"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Responders are added by the verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False


@admin.register(Incident)
class IncidentAdmin(GuardedAdmin[Incident]):
    """An incident's words are edited here; everything that moves it is a verb."""

    list_display = ["reference", "title", "severity", "status", "is_drill", "declared_at", "source"]
    list_display_links = ["reference", "title"]
    list_filter = ["status", "severity", "type", "is_major", "is_drill", "restricted"]
    search_fields = ["reference", "title", "dedup_key"]
    search_help_text = "A reference, words of the title, or the key of an alert"
    ordering = ["-declared_at", "-id"]
    fields = [
        "reference",
        "title",
        "description",
        "status",
        "severity",
        "is_major",
        "is_drill",
        "type",
        "restricted",
        "shown_systems",
    ]
    readonly_fields: ClassVar[list[str]] = ["severity", "type", "shown_systems"]
    inlines = [ResponderInline]

    def get_fields(self, request: HttpRequest, obj: Incident | None = None) -> list[Any]:
        """Show every moment with its person too."""
        moments = [f.name for f in self.opts.concrete_fields if f.name.endswith(("_at", "_by"))]
        return [*super().get_fields(request, obj), "commander", *moments, "source", "dedup_key"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Incidents are declared on their own page, so that their clocks and escalation start."""
        return False

    def verbs(self, request: HttpRequest, obj: Incident) -> list[Verb]:
        """Offer what the incident room offers now."""
        if not self.has_change_permission(request, obj):
            return []
        found = offers(obj, clock_cards(obj, at=clock.now()))
        buttons = [_button(offer) for offer in (*found.beside, *found.menu)]
        return [*buttons, _button(found.primary, primary=True)] if found.primary else buttons

    @admin.display(description="systems")
    def shown_systems(self, obj: Incident) -> str:
        """Return the names of the affected systems."""
        return ", ".join(system.name for system in obj.systems.all()) or "none is named"


def _button(offer: Offer, *, primary: bool = False) -> Verb:
    return Verb(offer.label, offer.url, post=False, primary=primary, danger=offer.act.danger, icon=offer.act.icon)


@admin.register(Responder)
class ResponderAdmin(GuardedAdmin[Responder]):
    """Who worked on what; people join by a verb of the incident."""

    list_display = ["incident", "contact", "added_at", "added_by"]
    search_fields = ["incident__reference", "contact__name"]
    fields = ["incident", "contact", "added_at", "added_by"]
    readonly_fields: ClassVar[list[str]] = ["incident", "contact", "added_at", "added_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Responders are added by the verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Responder | None = None) -> bool:
        """What stands is shown."""
        return False


@admin.register(Escalation)
class EscalationAdmin(ReadOnlyAdmin[Escalation]):
    """One run of a policy, on the snapshot that it started with."""

    list_display = ["incident", "policy", "state", "started_at", "ended_at"]
    list_filter = ["state"]
    search_fields = ["incident__reference"]
    fields = ["incident", "generation", "policy", "state", "started_at", "ended_at", "shown_snapshot"]

    @admin.display(description="snapshot of the policy")
    def shown_snapshot(self, obj: Escalation) -> SafeString:
        """Return the policy as it stood at the start."""
        return format_html("<pre>{}</pre>", json.dumps(obj.snapshot, indent=2, ensure_ascii=False))


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    """What a source reported under one key, and the incident behind it."""

    list_display = ["title", "token", "shown_incident", "firing", "count", "last_at"]
    list_filter = ["firing", "token"]
    search_fields = ["title", "key", "incident__reference"]

    @admin.display(description="incident", ordering="incident")
    def shown_incident(self, obj: Alert) -> SafeString:
        """Link to the incident room."""
        address = reverse("incidents:room", args=[obj.incident.reference])
        return format_html('<a href="{}">{}</a>', address, obj.incident.reference)
