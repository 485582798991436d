"""What changes are measured by: templates, modules, checks, gates, freezes, points and thresholds."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from changes import services
from changes.models import (
    ChangeTemplate,
    Freeze,
    Gate,
    Module,
    ReleaseCheck,
    RiskBand,
    RiskRule,
    TemplateStep,
)
from portal.audit.admin import GuardedAdmin, GuardedTabularInline
from portal.audit.asking import reason_of
from portal.audit.middleware import person
from portal.lib import clock


class TemplateStepInline(GuardedTabularInline[TemplateStep]):
    """The steps of the three plans."""

    model = TemplateStep
    may_delete = True
    extra = 1
    fields = ["kind", "position", "text", "minutes"]
    ordering = ("kind", "position")


@admin.register(ChangeTemplate)
class ChangeTemplateAdmin(GuardedAdmin[ChangeTemplate]):
    """A template of standard changes. An edit makes a new version, which is approved anew before it is used."""

    list_display = ["name", "version", "answers_topic", "revoked_at", "revoked_by"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "title"]
    filter_horizontal = ["systems"]
    inlines = [TemplateStepInline]
    prepopulated_fields: ClassVar[dict[str, Any]] = {}

    def get_fields(self, request: HttpRequest, obj: ChangeTemplate | None = None) -> list[Any]:
        """Return what is chosen, and for one that stands its version and its end."""
        fields = ["name", "slug", "title", "justification", "systems", "test_plan", "rollback_minutes"]
        fields += ["point_of_no_return", "answers_topic"]
        return [*fields, "version", "revoked_at", "revoked_by"] if obj is not None else fields

    def has_change_permission(self, request: HttpRequest, obj: ChangeTemplate | None = None) -> bool:
        """One that was revoked stands as it is."""
        return super().has_change_permission(request, obj) and (obj is None or obj.revoked_at is None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Count the edit once everything of it is written."""
        super().save_related(request, form, formsets, change)
        if change and (form.has_changed() or any(formset.has_changed() for formset in formsets)):
            services.new_template_version(form.instance, by=person(request), at=clock.now(), reason=reason_of(request))


@admin.register(TemplateStep)
class TemplateStepAdmin(GuardedAdmin[TemplateStep]):
    """One step of a template, with its history; it is changed on the page of its template."""

    list_display = ["template", "kind", "position", "text", "minutes"]
    fields = ["template", "kind", "position", "text", "minutes"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Steps are added on the page of their template."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Steps are changed on the page of their template."""
        return False

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Stand in no list of records: the template leads here."""
        return {}


@admin.register(Module)
class ModuleAdmin(GuardedAdmin[Module]):
    """A part of a product that a release can touch."""

    list_display = ["position", "name", "slug", "system", "owner", "active"]
    list_display_links = ["name"]
    list_filter = ["active", "owner"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "position", "system", "owner", "active"]


@admin.register(ReleaseCheck)
class ReleaseCheckAdmin(GuardedAdmin[ReleaseCheck]):
    """What is asked of every module that a release touches."""

    list_display = ["position", "name", "slug", "opens_review", "active"]
    list_display_links = ["name"]
    fields = ["name", "slug", "position", "opens_review", "active"]


@admin.register(Gate)
class GateAdmin(GuardedAdmin[Gate]):
    """A prerequisite of every deployment."""

    list_display = ["position", "name", "slug", "source", "active"]
    list_display_links = ["name"]
    fields = ["name", "slug", "position", "source", "active"]


@admin.register(Freeze)
class FreezeAdmin(GuardedAdmin[Freeze]):
    """A time in which nothing is changed."""

    list_display = ["name", "domain", "starts", "ends", "rule", "time_zone", "active"]
    list_filter = ["domain", "active"]
    search_fields = ["name"]
    filter_horizontal = ["systems"]
    fields = ["name", "domain", "starts", "ends", "rule", "time_zone", "systems", "active"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Freeze]:
        """Read the systems with the freezes."""
        return super().get_queryset(request).prefetch_related("systems")


@admin.register(RiskBand)
class RiskBandAdmin(GuardedAdmin[RiskBand]):
    """From how many points on a change is of a level."""

    list_display = ["level", "from_points"]
    fields = ["level", "from_points"]


@admin.register(RiskRule)
class RiskRuleAdmin(GuardedAdmin[RiskRule]):
    """How many points something in the record of the systems adds. What is counted is a part of the portal."""

    list_display = ["name", "points"]
    fields = ["name", "points"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A rule counts something that the portal knows; more points are given, no more rules."""
        return False
