"""Escalation policies: everything about one on one page, and what is wrong with it said at once."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from incidents import policies, readiness
from incidents.admin.steps import Choices, StepForm, StepFormSet, read_wait
from incidents.models import EscalationPolicy, EscalationStep, EscalationTarget
from portal.audit.admin import GuardedAdmin, GuardedStackedInline
from portal.audit.asking import reason_of
from portal.audit.middleware import person
from portal.lib import clock, durations

STEP_FIELDS = [("place", "wait"), ("teams", "roles"), ("people", "channels"), "remove"]


class PolicyForm(forms.ModelForm):
    """A policy; its last wait in words."""

    final_wait = forms.CharField(
        label="Last wait",
        max_length=40,
        initial="5 min",
        help_text="How long the last step waits before the steps repeat, or the administrators are paged.",
    )

    class Meta:
        model = EscalationPolicy
        fields = ["name", "systems", "is_default", "for_security", "repeat", "acknowledgement_minutes", "active"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is not None:
            self.initial["final_wait"] = durations.words(self.instance.final_wait_seconds)

    def clean_final_wait(self) -> str:
        """Keep the wait on the policy."""
        self.instance.final_wait_seconds = read_wait(self.cleaned_data["final_wait"], least=1)
        return str(self.cleaned_data["final_wait"])


class StepInline(GuardedStackedInline[EscalationStep]):
    """The steps in their order, each with whom it pages."""

    model = EscalationStep
    form = StepForm
    formset = StepFormSet
    can_delete = False
    readonly_fields = ["shown_wait", "shown_targets"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return the form, or for those who only read the step in words."""
        may_write = self.has_change_permission(request, obj)
        return list(STEP_FIELDS) if may_write else ["shown_wait", "shown_targets"]

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """Offer two empty steps for a new policy: most have two."""
        return 2 if obj is None else 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[EscalationStep]:
        """Read the targets with the steps."""
        rows = super().get_queryset(request).order_by("position").select_related("policy")
        return rows.prefetch_related("targets__contact", "targets__team", "targets__channel")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Read the choices once for all steps."""
        found: Any = super().get_formset(request, obj, **kwargs)
        found.choices = Choices.of(request.user, obj)
        return found

    @admin.display(description="waits")
    def shown_wait(self, obj: EscalationStep) -> str:
        """Return the wait in words."""
        return f"after {durations.words(obj.delay_seconds)}" if obj.delay_seconds else "at once"

    @admin.display(description="pages")
    def shown_targets(self, obj: EscalationStep) -> str:
        """Return whom the step pages."""
        return ", ".join(f"{target} ({target.get_kind_display().lower()})" for target in obj.targets.all()) or "nobody"


@admin.register(EscalationPolicy)
class EscalationPolicyAdmin(GuardedAdmin[EscalationPolicy]):
    """A policy and all its steps on one page. An edit never bends an escalation that runs."""

    form = PolicyForm
    list_display = ["name", "used_for", "step_count", "version", "active"]
    list_filter = ["active", "is_default", "for_security"]
    search_fields = ["name", "systems__name"]
    filter_horizontal = ["systems"]
    inlines = [StepInline]
    readonly_fields: ClassVar[list[str]] = ["shown_final_wait", "edits"]

    def get_fields(self, request: HttpRequest, obj: EscalationPolicy | None = None) -> list[Any]:
        """Return the form, or for those who only read the last wait in words."""
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        wait = "final_wait" if may_write else "shown_final_wait"
        fields = ["name", "systems", "is_default", "for_security", "repeat", wait, "acknowledgement_minutes", "active"]
        return [*fields, "version", "edits"] if obj is not None else fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[EscalationPolicy]:
        """Count the steps with the policies."""
        rows = super().get_queryset(request).prefetch_related("systems")
        return rows.annotate(steps_counted=Count("steps", distinct=True))

    @admin.display(description="used for")
    def used_for(self, obj: EscalationPolicy) -> str:
        """Return in words when this policy is chosen."""
        names = ", ".join(system.name for system in obj.systems.all())
        words = ["security incidents"] if obj.for_security else [names] if names else []
        return ", ".join([*words, *(["whatever no other fits"] if obj.is_default else [])]) or "nothing yet"

    @admin.display(description="steps", ordering="steps_counted")
    def step_count(self, obj: Any) -> str:
        """Return how many steps it has."""
        return str(obj.steps_counted or "none")

    @admin.display(description="last wait")
    def shown_final_wait(self, obj: EscalationPolicy) -> str:
        """Return the last wait in words."""
        return durations.words(obj.final_wait_seconds)

    @admin.display(description="what an edit does")
    def edits(self, obj: EscalationPolicy) -> str:
        """Say that running escalations keep their snapshot."""
        return "An escalation that runs goes on as it started. The next incident takes the policy as it stands then."

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001
        """Write the steps through their service, count the edit, and say what is wrong with the policy now."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        at, policy = clock.now(), form.instance
        by, reason = person(request), reason_of(request)
        changed = policies.set_steps(policy, formset.drafts(), by=by, at=at, reason=reason)
        if change and (changed or form.has_changed()):
            policies.new_version(policy, by=by, at=at, reason=reason)
        for sentence in readiness.policy_holes(policy, at=at):
            messages.warning(request, sentence)


class _Shown(GuardedAdmin[Any]):
    """Parts of a policy: edited on the policy's page, shown here with their history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Parts are added on the policy's page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Parts are changed on the policy's page."""
        return False

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Stand in no list of records: the policy leads here."""
        return {}

    @admin.display(description="policy")
    def shown_policy(self, obj: Any) -> SafeString:
        """Link to the policy."""
        policy = obj.policy if isinstance(obj, EscalationStep) else obj.step.policy
        address = reverse("admin:incidents_escalationpolicy_change", args=[policy.pk])
        return format_html('<a href="{}">{}</a>', address, policy)


@admin.register(EscalationStep)
class EscalationStepAdmin(_Shown):
    """One step, with its history."""

    list_display = ["policy", "position", "delay_seconds"]
    list_select_related = ["policy"]
    fields = ["shown_policy", "position", "delay_seconds"]
    readonly_fields: ClassVar[list[str]] = ["shown_policy"]


@admin.register(EscalationTarget)
class EscalationTargetAdmin(_Shown):
    """One target of a step, with its history."""

    list_display = ["step", "kind", "contact", "team", "role", "channel"]
    list_select_related = ["step__policy", "contact", "team", "channel"]
    fields = ["shown_policy", "step", "kind", "contact", "team", "role", "channel"]
    readonly_fields: ClassVar[list[str]] = ["shown_policy"]
