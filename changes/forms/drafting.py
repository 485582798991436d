"""The forms that write a change down: free, or by a template."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db import models

from changes.enums import ChangeType, StepKind
from changes.forms.base import PersonField, StepsField, offer, steps_by_kind, text
from changes.models import Change, ChangeTemplate, Module
from changes.models.changes import MOST_MINUTES
from changes.services import Plan
from portal.accounts.models import User
from portal.directory.models import System
from portal.lib.choosing import ManyField
from portal.lib.moments import MomentField
from portal.lib.once import TimedForm
from portal.runbooks.enums import VersionState
from portal.runbooks.models import RunbookVersion

PLANS = {
    "implementation": StepKind.IMPLEMENTATION,
    "validation": StepKind.VALIDATION,
    "rollback": StepKind.ROLLBACK,
}
"""Which plan each field of steps is."""


def _minutes(label: str, help_text: str = "") -> Any:
    limits = {"min_value": "From 1 minute on.", "max_value": "At most 14 days."}
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=MOST_MINUTES, help_text=help_text,
        error_messages={"invalid": "Write a number of minutes.", **limits},
    )  # fmt: skip


class VersionsField(ManyField):
    """Versions of runbooks, each with the runbook that it is of."""

    def label_from_instance(self, obj: Any) -> str:
        """Return which version of which runbook it is."""
        return f"{obj.runbook.title}, version {obj.number}"


class WhenForm(TimedForm):
    """What every change says of itself: where, when, and who carries it out."""

    title = forms.CharField(
        label="What is changed",
        max_length=200,
        help_text="A few words that whoever decides understands.",
        error_messages={"required": "Say in a few words what is changed.", "max_length": "Keep it under 200."},
    )
    systems = ManyField(
        label="Systems", required=False, queryset=System.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    modules = ManyField(
        label="Modules of the release", required=False, queryset=Module.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="The release checklist asks only of these. None when it is no release.",
    )  # fmt: skip
    runbooks = VersionsField(
        label="Runbooks that are followed", required=False, queryset=RunbookVersion.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Their words are approved with the change, and their procedures can be worked.",
    )  # fmt: skip
    implementer = PersonField(label="Carried out by", required=False, empty_label="Nobody yet")
    planned_start = MomentField(label="Planned start", required=False)
    planned_end = MomentField(label="Planned end", required=False)
    has_outage = forms.BooleanField(label="It causes an outage", required=False)
    outage_minutes = _minutes("Outage in minutes", "How long something cannot be used.")
    rollback_rehearsed_on = forms.DateField(
        label="Rollback last rehearsed on", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: never.", error_messages={"invalid": "Write a day, such as 3 Nov 2026."},
    )  # fmt: skip
    reason = text("Why it is edited", limit=500, rows=2, required=False, help_text="Kept in the history.")

    stands = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    fixed: ClassVar[tuple[str, ...]] = ("once", "stands", "systems", "modules", "runbooks", "reason", *PLANS)

    def __init__(self, *args: Any, change: Change | None = None, **options: Any) -> None:
        self.change = change
        options["initial"] = {**(self.standing(change) if change else {}), **(options.get("initial") or {})}
        super().__init__(*args, **options)
        if change is None:
            del self.fields["reason"]
        people = User.objects.visible_to(self.user).filter(is_active=True)
        offer(self, "implementer", people.order_by("last_name", "username"))
        here = models.Q(active=True) | models.Q(changes=change) if change else models.Q(active=True)
        offer(self, "systems", System.objects.visible_to(self.user).filter(here).distinct())
        in_force = models.Q(state=VersionState.PUBLISHED, runbook__retired_at=None)
        versions = RunbookVersion.objects.visible_to(self.user).filter(
            in_force | models.Q(changes=change) if change else in_force
        )
        offer(self, "runbooks", versions.select_related("runbook").order_by("runbook__title", "number").distinct())
        offer(self, "modules", Module.objects.visible_to(self.user).filter(here).distinct())

    def standing(self, change: Change) -> dict[str, Any]:
        """Return what the form shows of a change that stands."""
        plain = {name: getattr(change, name) for name in self.base_fields if hasattr(change, name)}
        return {
            **plain,
            "implementer": change.implementer_id,
            "systems": list(change.systems.values_list("pk", flat=True)),
            "modules": list(change.modules.values_list("pk", flat=True)),
            "runbooks": list(change.runbooks.values_list("pk", flat=True)),
        }

    def clean_rollback_rehearsed_on(self) -> Any:
        """Refuse a day that has not come."""
        found = self.cleaned_data["rollback_rehearsed_on"]
        if found is not None and found > self.at.date():
            raise forms.ValidationError("That day has not come. Give the day on which it was rehearsed.")
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse half a window, and one that ends before it starts."""
        given = super().clean() or {}
        start, end = given.get("planned_start"), given.get("planned_end")
        if start and end and end <= start:
            self.add_error("planned_end", "It would end before it starts. Choose an end after the start.")
        elif bool(start) != bool(end) and not {"planned_start", "planned_end"} & self.errors.keys():
            self.add_error("planned_end" if start else "planned_start", "Say when it is to start and to end.")
        if given.get("has_outage") and not given.get("outage_minutes") and "outage_minutes" not in self.errors:
            self.add_error("outage_minutes", "Say how long the outage lasts.")
        return given

    def plan(self) -> Plan:
        """Return what the form says, for the services."""
        given = self.cleaned_data
        values = {name: value for name, value in given.items() if name not in self.fixed}
        steps = {str(kind): given[name] for name, kind in PLANS.items() if name in given}
        return Plan(values, list(given["systems"]), list(given["modules"]), steps, list(given["runbooks"]))


class DraftForm(WhenForm):
    """A normal change or an emergency, with its three plans."""

    type = forms.ChoiceField(
        label="Type",
        choices=[(ChangeType.NORMAL, "Normal: it is approved before it starts"),
                 (ChangeType.EMERGENCY, "Emergency: it starts at once on one person's word, approved afterwards")],
        widget=forms.RadioSelect,
        initial=ChangeType.NORMAL,
        error_messages={"required": "Choose the type.", "invalid_choice": "Choose the type."},
    )  # fmt: skip
    justification = text("Why it is needed", limit=10000, rows=4, required=False)
    implementation = StepsField(label="Steps of the implementation")
    test_plan = text("Test plan", limit=10000, rows=3, required=False, help_text="What shows that it works.")
    validation = StepsField(label="Steps of the validation")
    rollback = StepsField(label="Steps of the rollback")
    rollback_minutes = _minutes("Rollback in minutes", "How long the rollback takes, as estimated.")
    point_of_no_return = forms.CharField(
        label="Point of no return", required=False, max_length=300,
        help_text="After which step the rollback no longer helps, or that there is none.",
    )  # fmt: skip

    def standing(self, change: Change) -> dict[str, Any]:
        """Return what the form shows of a change that stands, its steps as lines."""
        steps = steps_by_kind(list(change.steps.all()))
        return {**super().standing(change), **{name: steps.get(kind, []) for name, kind in PLANS.items()}}


class TemplateDraftForm(WhenForm):
    """A standard change: its title and its plans are those of its template."""

    def __init__(self, *args: Any, template: ChangeTemplate, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["title"]
        allowed = list(template.systems.values_list("pk", flat=True))
        if allowed:
            offer(self, "systems", System.objects.visible_to(self.user).filter(pk__in=allowed))
