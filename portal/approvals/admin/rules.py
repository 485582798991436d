"""Who decides on which kind of record, and in which time: data, with history and a confirmation of who is there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from portal.accounts import stepup
from portal.approvals.models import ApprovalRule, RuleStage
from portal.audit.admin import GuardedAdmin, GuardedTabularInline


class RuleStageInline(GuardedTabularInline[RuleStage]):
    """The stages in their order. A request that is under way keeps those that it was asked with."""

    model = RuleStage
    may_delete = True
    verbose_name = "stage"
    verbose_name_plural = "stages"
    fields = ["position", "name", "role", "needed"]
    ordering = ("position",)


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(GuardedAdmin[ApprovalRule]):
    """The stages that decide on one kind of record. An edit counts from the next request on."""

    list_display = ["kind", "variant", "stages_in_words", "decide_within_hours"]
    inlines = [RuleStageInline]

    def get_readonly_fields(self, request: HttpRequest, obj: ApprovalRule | None = None) -> list[Any]:
        """A rule stays that of its kind and variant."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else [*fields, "kind", "variant"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the stages with the rules."""
        return super().get_queryset(request).prefetch_related("stages")

    @admin.display(description="stages")
    def stages_in_words(self, obj: ApprovalRule) -> str:
        """Return the stages in their order."""
        stages = sorted(obj.stages.all(), key=lambda stage: stage.position)
        return ", then ".join(f"{stage.name} ({stage.needed} {stage.role})" for stage in stages) or "nobody decides"

    def save_form(self, request: HttpRequest, form: forms.ModelForm[Any], change: bool) -> Any:  # noqa: FBT001
        """Ask who is there before anything is saved: whoever changes this decides who may approve."""
        stepup.require_confirmation(request)
        return super().save_form(request, form, change)


@admin.register(RuleStage)
class RuleStageAdmin(GuardedAdmin[RuleStage]):
    """One stage of a rule, with its history; it is changed on the page of its rule."""

    list_display = ["rule", "position", "name", "role", "needed"]
    fields = ["rule", "position", "name", "role", "needed"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Stages are added on the page of their rule."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Stages are changed on the page of their rule."""
        return False

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Stand in no list of records: the rule leads here."""
        return {}
