"""Who may read restricted incidents, and what each type of incident is by default."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from incidents.enums import ContainmentState
from incidents.models import AccessGrant, ContainmentProposal, ContainmentStep, TypeRule
from portal.audit.admin import GuardedAdmin, Verb

SHOWN = (
    *("incident", "user", "until", "why", "broke_glass"),
    *("granted_at", "granted_by", "revoked_at", "revoked_by"),
)

STEP_SHOWN = ("incident", "position", "text", "state", "settled_at", "settled_by", "why")


@admin.register(AccessGrant)
class AccessGrantAdmin(GuardedAdmin[AccessGrant]):
    """Access is opened and taken back by verbs of the incident, which its members alone see."""

    list_display = ["incident_reference", "user", "broke_glass", "granted_at", "granted_by", "until", "revoked_at"]
    list_filter = ["broke_glass", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["incident", "user"]
    search_fields = ["incident__reference", "user__username", "user__last_name"]
    fields = SHOWN
    readonly_fields = SHOWN

    @admin.display(description="incident", ordering="incident__reference")
    def incident_reference(self, obj: AccessGrant) -> str:
        """Return the reference of the incident."""
        return obj.incident.reference

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Access is opened by the verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False

    def verbs(self, request: HttpRequest, obj: AccessGrant) -> list[Verb]:
        """Offer to take back what stands."""
        if obj.revoked_at is not None or not request.user.has_perm("incidents.change_incident"):
            return []
        address = reverse("incidents:act", args=[obj.incident.reference, "revoke"])
        return [Verb("Take back access", address, post=False, danger=True, icon="user-minus")]


@admin.register(TypeRule)
class TypeRuleAdmin(GuardedAdmin[TypeRule]):
    """What each type of incident is by default. There is one rule for each type."""

    list_display = ["type", "restricted"]
    fields = ["type", "restricted", "notice"]
    readonly_fields: ClassVar[list[str]] = ["type"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Every type has its rule."""
        return False


@admin.register(ContainmentProposal)
class ContainmentProposalAdmin(GuardedAdmin[ContainmentProposal]):
    """What security incidents start with, by the way they came in."""

    list_display = ["text", "vector", "position", "active"]
    list_filter = ["vector", "active"]
    fields = ["text", "vector", "position", "active"]


@admin.register(ContainmentStep)
class ContainmentStepAdmin(GuardedAdmin[ContainmentStep]):
    """What was done to contain which incident; steps are added and settled by verbs of the incident."""

    list_display = ["text", "incident_reference", "state", "settled_at", "settled_by"]
    list_filter = ["state"]
    list_select_related = ["incident"]
    search_fields = ["text", "incident__reference"]
    fields = STEP_SHOWN
    readonly_fields = STEP_SHOWN

    @admin.display(description="incident", ordering="incident__reference")
    def incident_reference(self, obj: ContainmentStep) -> str:
        """Return the reference of the incident."""
        return obj.incident.reference

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Steps are added by the verb."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False

    def verbs(self, request: HttpRequest, obj: ContainmentStep) -> list[Verb]:
        """Offer to settle what is open."""
        if obj.state != ContainmentState.OPEN or not request.user.has_perm("incidents.change_incident"):
            return []
        address = reverse("incidents:act", args=[obj.incident.reference, "contain"])
        return [Verb("Settle", f"{address}?step={obj.pk}", post=False, primary=True, icon="shield-check")]
