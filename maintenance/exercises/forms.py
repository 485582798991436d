"""The forms of recovery plans and exercises."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.db.models import Q

from maintenance.enums import Shift
from maintenance.exercises.enums import Kind
from maintenance.exercises.policy import LONGEST_STEP, MOST_STEPS
from maintenance.exercises.services.planning import StepWords
from maintenance.forms.acting import text
from maintenance.models import Exercise, ExerciseStep, RecoveryPlan
from portal.directory.models import Contact, Severity, System
from portal.lib.moments import Moment, MomentField
from portal.lib.once import TimedForm, once_field
from portal.records import drills
from portal.runbooks.enums import VersionState
from portal.runbooks.models import RunbookVersion

SPARE = 4
"""How many empty lines the form of the steps has after those that stand."""


def to_the_second(label: str, *, help_text: str = "Leave it empty for now.") -> Any:
    """Return a field for a moment that is measured."""
    return MomentField(
        label=label, required=False, help_text=help_text,
        widget=Moment({"step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
    )  # fmt: skip


class RecoveryPlanForm(forms.ModelForm):
    """What a recovery plan says beside its steps."""

    once = once_field()
    reason = text("Reason")

    class Meta:
        model = RecoveryPlan
        fields = ("title", "system", "summary", "owner", "manager", "every_months", "runbook_version")
        widgets = {"summary": forms.Textarea(attrs={"rows": 4})}
        help_texts = {"runbook_version": "The version of a runbook that its steps were taken from."}

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = Contact.objects.visible_to(user).filter(active=True)
        known = Q(state=VersionState.PUBLISHED) | Q(pk=self.instance.runbook_version_id)
        versions = RunbookVersion.objects.visible_to(user).filter(known).select_related("runbook")
        rows = {
            "system": System.objects.visible_to(user).filter(active=True),
            "owner": people,
            "manager": people,
            "runbook_version": versions.order_by("runbook__title", "number"),
        }
        for name, found in rows.items():
            cast(forms.ModelChoiceField, self.fields[name]).queryset = found

    def values(self) -> dict[str, Any]:
        """Return the words of the plan for the service."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def _post_clean(self) -> None:
        """Leave the row as it is: the service writes it, and says itself what cannot be."""


class StepForm(forms.Form):
    """One step of a recovery plan. A line without words is left out."""

    text = forms.CharField(
        label="What is done", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    owner = forms.ModelChoiceField(
        label="Owner", required=False, queryset=Contact.objects.none(),
        error_messages={"invalid_choice": "Choose from the list."},
    )  # fmt: skip
    minutes = forms.IntegerField(
        label="Minutes", required=False, min_value=1, max_value=LONGEST_STEP,
        error_messages={"invalid": "Write how many minutes it takes.", "min_value": "Give at least 1 minute."},
    )  # fmt: skip
    recovers = forms.BooleanField(label="Not back before it is done", required=False, initial=True)

    def __init__(self, *args: Any, people: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        cast(forms.ModelChoiceField, self.fields["owner"]).queryset = people

    def clean(self) -> dict[str, Any]:
        """Ask for an estimate where there are words."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("text") and not found.get("minutes") and "minutes" not in self.errors:
            self.add_error("minutes", "Say how many minutes it should take.")
        return found


StepFormSet = forms.formset_factory(StepForm, extra=0, max_num=MOST_STEPS + SPARE, absolute_max=MOST_STEPS + SPARE)


def steps_form(data: Any, steps: list[StepWords], *, user: Any) -> Any:
    """Return the lines of the steps, with some empty ones after them."""
    ids = [step.owner.pk for step in steps if step.owner is not None]
    seen = Contact.objects.visible_to(user)
    initial = [
        {"text": step.text, "owner": step.owner, "minutes": step.minutes, "recovers": step.recovers} for step in steps
    ]
    empty: list[dict[str, Any]] = [{"recovers": True} for _ in range(SPARE)]
    people = (seen.filter(active=True) | seen.filter(pk__in=ids)).distinct()
    return StepFormSet(data, prefix="step", initial=[*initial, *empty], form_kwargs={"people": people})


def words_of(formset: Any) -> list[StepWords]:
    """Return the steps that somebody wrote, in their order."""
    rows = [form.cleaned_data for form in formset.forms if form.cleaned_data.get("text")]
    return [StepWords(row["text"], row["minutes"], row["owner"], row["recovers"]) for row in rows]


def _keeps_to_working_days(subject: RecoveryPlan | Exercise | ExerciseStep) -> bool:
    plan = subject.plan if isinstance(subject, Exercise) else subject
    return isinstance(plan, RecoveryPlan) and plan.upkeep is not None and plan.upkeep.shift != Shift.NONE


class ActForm(TimedForm):
    """The form of one verb. `words` is what the service is given besides by and at."""

    reason = text("Reason", required=False, help_text="Kept in the timeline.")

    def __init__(self, *args: Any, subject: RecoveryPlan | Exercise | ExerciseStep, **options: Any) -> None:
        super().__init__(*args, **options)
        self.subject = subject
        if "lead" in self.fields:
            people = Contact.objects.visible_to(self.user).filter(active=True)
            cast(forms.ModelChoiceField, self.fields["lead"]).queryset = people
        if "any_day" in self.fields and not _keeps_to_working_days(subject):
            del self.fields["any_day"]

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class ReasonForm(ActForm):
    """A verb that needs its reason."""

    reason = text("Reason")


def any_day() -> forms.BooleanField:
    """Return the box that is asked for where the plan that reminds of exercises keeps to working days."""
    return forms.BooleanField(
        label="On this day though it is not worked", required=False,
        help_text="Such as a weekend, when fewer people need the system.",
    )  # fmt: skip


class ScheduleForm(ActForm):
    """When a recovery plan is exercised, how, and who leads it."""

    kind = forms.ChoiceField(label="Kind", choices=Kind.choices, initial=Kind.FULL)
    lead = forms.ModelChoiceField(
        label="Led by", queryset=Contact.objects.none(),
        error_messages={"required": "Choose who leads it.", "invalid_choice": "Choose from the list."},
    )  # fmt: skip
    scheduled_for = MomentField(label="Scheduled for")
    any_day = any_day()
    reason = None


class StartForm(ActForm):
    """Starting an exercise; one of the kind "drill" may begin with an incident that pages people."""

    severity = forms.ModelChoiceField(
        label="Play an incident with it", required=False, queryset=Severity.objects.none(),
        empty_label="No incident: the steps alone",
        help_text="Whoever is on call for the system is paged now, at this hour, with the word DRILL first, and the "
        "clocks run. It counts in no figure, and no customer is told.",
        error_messages={"invalid_choice": "Choose from the list."},
    )  # fmt: skip
    title = forms.CharField(
        label="What is supposed to be wrong", required=False, max_length=200,
        help_text="As it would be reported. DRILL is put before it.",
    )  # fmt: skip
    field_order = ["severity", "title", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        is_drill = isinstance(self.subject, Exercise) and self.subject.kind == Kind.DRILL
        self.more = ""
        if not (is_drill and drills.may_start(self.user)):
            del self.fields["severity"], self.fields["title"]
            if is_drill:
                self.more = (
                    "You may not page people for a drill, so it starts with its steps alone. Ask a manager to start it "
                    "where it is to begin with an incident."
                )
            return
        severities = Severity.objects.visible_to(self.user).order_by("level")
        chosen = cast(forms.ModelChoiceField, self.fields["severity"])
        chosen.queryset = severities
        chosen.initial = severities.filter(level__lte=2).last()
        self.fields["title"].initial = f"{cast(Exercise, self.subject).plan.system} is lost"


class MoveForm(ReasonForm):
    """To which day."""

    scheduled_for = MomentField(label="Scheduled for")
    any_day = any_day()
    field_order = ["scheduled_for", "any_day", "reason"]


class EndForm(ActForm):
    """What the exercise showed."""

    newest_data_at = to_the_second(
        "Newest recovered data",
        help_text="The moment of the newest row, file or message that came back: what is lost is counted from it.",
    )
    summary = text("What was learned", limit=10000, rows=5, required=False, help_text="It is printed on the proof.")
    reason = None


class MomentForm(ActForm):
    """When a step was started or done, and what is to be said of it."""

    moment = to_the_second("At")
    note = text("Note", limit=2000, required=False)
    reason = None

    def clean_moment(self) -> datetime | None:
        """Return the moment; one that has not come is refused."""
        return self.past("moment")
