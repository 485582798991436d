"""Checklists and their runs in the admin. Steps are edited on the page of the checklist, as a new version."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from portal.audit.admin import GuardedAdmin, GuardedTabularInline, ReadOnlyAdmin, Verb
from portal.runbooks.checklists.acts import offers_of_run
from portal.runbooks.models import (
    Checklist,
    ChecklistRule,
    ChecklistRun,
    ChecklistStep,
    ChecklistVersion,
    ConfigurationMark,
    ConfigurationRule,
    RunEvent,
    RunStep,
)


class RuleInline(GuardedTabularInline[ChecklistRule]):
    """When it starts by itself."""

    model = ChecklistRule
    extra = 0
    can_delete = False
    fields: ClassVar[list[Any]] = ["kind", "severity", "type", "system", "active"]


@admin.register(Checklist)
class ChecklistAdmin(GuardedAdmin[Checklist]):
    """What a checklist is called and when it starts by itself."""

    list_display = ["name", "frequency", "version", "active"]
    list_filter = ["frequency", "active"]
    search_fields = ["name", "slug", "purpose"]
    fields: ClassVar[list[Any]] = ["name", "slug", "purpose", "frequency", "shuts_down", "active", "version"]
    inlines = [RuleInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A checklist is written with its steps, on its own page."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Checklist | None = None) -> list[Any]:
        """Keep the name in addresses as it is."""
        return [*super().get_readonly_fields(request, obj), "slug"]

    def verbs(self, request: HttpRequest, obj: Checklist) -> list[Verb]:
        """Lead to its page, and to editing its steps."""
        found = [Verb("Open checklist", obj.get_absolute_url(), post=False, icon="clipboard-list")]
        if request.user.has_perm("runbooks.change_checklist"):
            url = reverse("checklists:edit-template", args=[obj.slug])
            found.append(Verb("Edit steps", url, post=False, icon="pencil"))
        return found


@admin.register(ConfigurationMark)
class ConfigurationMarkAdmin(ReadOnlyAdmin[ConfigurationMark]):
    """Who found what of a system's configuration, and when."""

    list_display = ["system", "kind", "name", "present", "marked_at", "marked_by"]
    list_filter = ["present", "kind", "system"]
    search_fields = ["name", "marked_by"]
    date_hierarchy = "marked_at"


@admin.register(ConfigurationRule)
class ConfigurationRuleAdmin(GuardedAdmin[ConfigurationRule]):
    """After how long a mark is stale: the one row."""

    list_display = ["__str__", "stale_days"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """One row stands; a second would mean nothing."""
        return super().has_add_permission(request) and not self.get_queryset(request).exists()


@admin.register(ChecklistVersion)
class ChecklistVersionAdmin(ReadOnlyAdmin[ChecklistVersion]):
    """Every edit of a checklist."""

    list_display = ["checklist", "number", "made_at", "made_by", "reason"]
    list_filter = ["checklist"]
    date_hierarchy = "made_at"


@admin.register(ChecklistStep)
class ChecklistStepAdmin(ReadOnlyAdmin[ChecklistStep]):
    """The steps of all versions."""

    list_display = ["version", "position", "text", "team", "page"]
    list_select_related = ["version__checklist", "team"]
    search_fields = ["text"]


@admin.register(ChecklistRun)
class ChecklistRunAdmin(ReadOnlyAdmin[ChecklistRun]):
    """Runs."""

    list_display = ["reference", "name", "started_at", "started_by", "ended_at", "ended_by"]
    list_filter = ["checklist", "plan", ("ended_at", admin.EmptyFieldListFilter)]
    search_fields = ["=reference", "name"]
    date_hierarchy = "started_at"

    def verbs(self, request: HttpRequest, obj: ChecklistRun) -> list[Verb]:
        """Offer what its page offers."""
        page = [Verb("Open checklist", obj.get_absolute_url(), post=False, icon="list-checks")]
        return page + [
            Verb(offer.act.label, offer.url, post=False, danger=offer.act.danger, icon=offer.act.icon)
            for offer in offers_of_run(obj, request.user)
        ]


@admin.register(RunStep)
class RunStepAdmin(ReadOnlyAdmin[RunStep]):
    """The steps of runs."""

    list_display = ["run", "position", "text", "team", "assignee", "state", "settled_at", "settled_by"]
    list_filter = ["state", "team"]
    search_fields = ["=run__reference", "text"]


@admin.register(RunEvent)
class RunEventAdmin(ReadOnlyAdmin[RunEvent]):
    """Everything that happened in runs."""

    list_display = ["at", "run", "step", "what", "actor_name", "to_name", "reason"]
    list_filter = ["what", "origin"]
    search_fields = ["=run__reference", "actor_name", "reason", "text"]
    date_hierarchy = "at"
