"""The forms that make one incident of two, two of one, or a link."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from incidents.forms import ActForm, ReasonForm
from incidents.models import Alert, Incident
from incidents.selectors.filters import Filters
from portal.directory.models import Severity
from portal.lib import times
from portal.lib.choosing import ManyField
from portal.records.models import Note

MOST_LINES = 100
NOTHING_TO_CHOOSE = "It has no note, no message and no alert yet that could belong elsewhere. Declare another incident."
CHOSEN = ("note", "update", "alert")  # kinds of lines that may belong elsewhere


class ReferenceField(forms.CharField):
    """Another incident that the reader may see, by its reference."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=20,
            help_text="A reference such as INC-000042.",
            error_messages={
                "required": "Name the other incident by its reference.",
                "max_length": "A reference is short, such as INC-000042.",
            },
            **options,
        )


def _referred(form: ActForm, name: str) -> Incident:
    wanted = Filters(q=" ".join(form.cleaned_data[name].split())).reference
    found = Incident.objects.visible_to(form.user).filter(reference=wanted).first()
    if found is None:
        raise forms.ValidationError("There is no such incident that you may see. Check the reference.")
    return cast(Incident, found)


class MergeForm(ReasonForm):
    """Which incident this one is the same as."""

    into = ReferenceField(label="Merge into")

    field_order = ["into", "reason"]

    def clean_into(self) -> Incident:
        """Return the incident that survives."""
        return _referred(self, "into")


class RelateForm(ActForm):
    """Which incident this one belongs together with."""

    to = ReferenceField(label="Link with")

    field_order = ["to", "reason"]

    def clean_to(self) -> Incident:
        """Return the other incident."""
        return _referred(self, "to")


class LinesField(ManyField):
    """Lines of the timeline, each with its time, its actor and its words."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the line in at most 160 characters."""
        words = f"{times.clock(obj.event_at)} {obj.actor_name} {obj.text}"
        return f"{words}: {obj.detail}"[:160] if obj.detail else words


class AlertsField(ManyField):
    """Alerts, each with its source, and whether it still fires."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the alert in at most 200 characters."""
        return f"{obj.title[:120]} ({obj.token.name}, {'firing' if obj.firing else 'resolved'})"


class SplitForm(ReasonForm):
    """What belongs elsewhere: a title and a severity for it, and the lines and alerts that it starts with."""

    title = forms.CharField(
        label="What is wrong there",
        max_length=200,
        error_messages={
            "required": "Say in one sentence what is wrong.",
            "max_length": "Keep it under 200 characters.",
        },
    )
    severity = forms.ModelChoiceField(
        label="Severity",
        queryset=Severity.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how bad it is.", "invalid_choice": "Choose a severity."},
    )
    alerts = AlertsField(
        label="Alerts", required=False, queryset=Alert.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    notes = LinesField(
        label="Lines of the timeline",
        required=False,
        queryset=Note.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="They are quoted there, and stay here as well.",
    )

    field_order = ["title", "severity", "alerts", "notes", "reason"]

    def __init__(self, *args: Any, notes: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._offer("severity", Severity.objects.visible_to(self.user).order_by("level"))
        self._offer("alerts", Alert.objects.filter(incident=self.incident).select_related("token").order_by("-last_at"))
        if notes is not None:
            lines = notes.filter(kind__in=CHOSEN).order_by("-event_at", "-pk")
            newest = list(lines.values_list("pk", flat=True)[:MOST_LINES])
            self._offer("notes", lines.filter(pk__in=newest))
        for name in ("alerts", "notes"):
            if not cast(forms.ModelChoiceField, self.fields[name]).queryset:
                del self.fields[name]

    @property
    def pointless(self) -> str:
        """Return why there is nothing to fill in, and what to do instead; "" when there is."""
        return "" if {"alerts", "notes"} & self.fields.keys() else NOTHING_TO_CHOOSE

    def _offer(self, name: str, rows: Any) -> None:
        cast(forms.ModelChoiceField, self.fields[name]).queryset = rows
