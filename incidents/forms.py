"""The forms of the incident pages. Each field has a limit and a sentence; what is refused says what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.db import models
from django.db.models import QuerySet

from incidents.enums import Audience, IncidentType
from incidents.models import Incident
from incidents.selectors.people import contact_choices, unreachable
from portal.directory.models import Contact, Severity, System
from portal.lib.choosing import ManyField
from portal.lib.moments import MomentField
from portal.lib.once import TimedForm
from portal.records import linking
from portal.records.models import Note


def _text(
    label: str, *, limit: int, rows: int = 3, required: bool = True, missing: str = "", help_text: str = ""
) -> Any:
    return forms.CharField(
        label=label,
        max_length=limit,
        required=required,
        strip=True,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={
            "required": missing,
            "max_length": f"Keep it under {limit:,} characters. The rest fits into a second note.",
        },
    )


def _offer(form: forms.Form, name: str, rows: QuerySet[Any], choices: list[tuple[str, Any]] | None = None) -> None:
    """Let a field take these rows, which its reader may see; `choices` shows them in groups."""
    field = cast(forms.ModelChoiceField, form.fields[name])
    field.queryset = rows
    if choices is not None:
        field.choices = choices


def _offer_people(form: TimedForm, name: str, incident: Incident | None) -> None:
    people = Contact.objects.visible_to(form.user).filter(active=True)
    _offer(form, name, people, contact_choices(list(people.order_by("name", "id")), incident, at=form.at))


class PersonField(forms.ModelChoiceField):
    """A person of the directory who is still there. The choices are grouped by the form."""

    def __init__(self, *, missing: str = "Choose a person.", **options: Any) -> None:
        messages = {
            "required": missing,
            "invalid_choice": "This person is not in the directory any more. Choose another.",
        }
        super().__init__(queryset=Contact.objects.none(), error_messages=messages, **options)


class ActForm(TimedForm):
    """The form of one verb on one incident. `words` is what the services are given besides by and at."""

    reason = _text("Reason", limit=500, rows=2, required=False, help_text="Kept in the history of the incident.")

    def __init__(self, *args: Any, incident: Incident, **options: Any) -> None:
        super().__init__(*args, **options)
        self.incident = incident

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class ReasonForm(ActForm):
    """A verb that needs its reason."""

    reason = _text("Reason", limit=500, rows=2, missing="Say in a sentence why. It is kept in the history.")


class CommanderForm(ActForm):
    """Who commands from now on."""

    commander = PersonField(label="Incident commander", missing="Choose who commands. Everybody must know whom to ask.")

    field_order = ["commander", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _offer_people(self, "commander", self.incident)


class PersonForm(ActForm):
    """One person for one incident: to be paged, or to join."""

    contact = PersonField(label="Person")

    field_order = ["contact", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _offer_people(self, "contact", self.incident)


class ResponderForm(PersonForm):
    """Somebody who joins the work. The row says who and when; it needs no reason."""

    reason = None


class UpdateForm(ActForm):
    """What was told to an audience, or is told now."""

    audience = forms.ChoiceField(
        label="Audience",
        choices=Audience.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose who is told.", "invalid_choice": "Choose who is told."},
    )
    text = _text(
        "Message",
        limit=4000,
        rows=5,
        missing="Write what you tell them: what is known, what is done, when they hear again.",
    )
    event_at = MomentField(
        label="Told at", required=False, help_text="Empty: now. Their clock counts the moment when you record it here."
    )
    reason = None

    def clean_event_at(self) -> datetime | None:
        """Refuse a moment that has not come."""
        return self.past("event_at")


class ReclassifyForm(ReasonForm):
    """Another severity, or another word on whether it is a major incident."""

    severity = forms.ModelChoiceField(
        label="Severity",
        queryset=Severity.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a severity.", "invalid_choice": "Choose a severity."},
    )
    is_major = forms.TypedChoiceField(
        label="Major incident",
        required=False,
        choices=[
            ("", "As the severity says"),
            ("yes", "Yes, whatever the severity"),
            ("no", "No, whatever the severity"),
        ],
        coerce=lambda word: word == "yes",
        empty_value=None,
        error_messages={"invalid_choice": "Choose one of the three."},
    )

    field_order = ["severity", "is_major", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _offer(self, "severity", Severity.objects.visible_to(self.user).order_by("level"))


class SystemsForm(ActForm):
    """Which systems suffer; none is allowed, as long as nobody knows."""

    systems = ManyField(
        label="Systems", required=False, queryset=System.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    field_order = ["systems", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        here = models.Q(active=True) | models.Q(incidents=self.incident)
        systems = System.objects.visible_to(self.user).filter(here).distinct()
        _offer(self, "systems", systems)
        self.nobody = unreachable(list(systems), at=self.at)


class TypeForm(ActForm):
    """Whether it concerns security."""

    type = forms.ChoiceField(
        label="Type",
        choices=IncidentType.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the type.", "invalid_choice": "Choose the type."},
    )

    field_order = ["type", "reason"]


class NoteForm(ActForm):
    """A line for the timeline. A correction names the entry that it corrects."""

    text = _text("Note", limit=4000, rows=4, missing="Write what you saw or did.")
    event_at = MomentField(label="Happened at", required=False, help_text="Empty: now.")
    corrects = forms.ModelChoiceField(
        queryset=Note.objects.none(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "The entry to correct is not part of this incident."},
    )
    reason = None

    def __init__(self, *args: Any, notes: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if notes is not None:
            _offer(self, "corrects", notes)

    def clean_event_at(self) -> datetime | None:
        """Refuse a moment that has not come."""
        return self.past("event_at")


class SuspectForm(ActForm):
    """A change, or another record, that may have caused the incident."""

    other = forms.CharField(
        label="Reference", max_length=20, help_text="Such as CHG-000042.",
        error_messages={"required": "Give the reference of what is suspected."},
    )  # fmt: skip

    field_order = ["other", "reason"]

    def clean_other(self) -> Any:
        """Return the record; ValidationError is raised when there is none that the reader may see."""
        found = linking.by_reference(self.cleaned_data["other"], user=self.user)
        if found is None:
            raise forms.ValidationError("No such record can be seen. Check the reference.")
        return found

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        given = super().words()
        record = given.pop("other")
        return {**given, "record": record}


class ClearForm(SuspectForm):
    """What is suspected no longer, and why."""

    reason = _text("Reason", limit=500, rows=2, missing="Say in a sentence why. It is kept in the history.")


class DeclareForm(TimedForm):
    """A new incident, fast enough for the night."""

    title = forms.CharField(
        label="What is wrong",
        max_length=200,
        help_text="One sentence that somebody half asleep understands.",
        error_messages={
            "required": "Say in one sentence what is wrong.",
            "max_length": "Keep it under 200 characters; the rest goes into the description.",
        },
    )
    severity = forms.ModelChoiceField(
        label="Severity",
        queryset=Severity.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose how bad it is. In doubt take the worse one; it can be lowered.",
            "invalid_choice": "Choose a severity.",
        },
    )
    systems = ManyField(
        label="Systems",
        queryset=System.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose the system that suffers, so that its people can be paged."},
    )
    security = forms.BooleanField(label="Security incident: page the security lead at once", required=False)
    description = _text("What is known", limit=10000, rows=4, required=False)
    occurred_at: Any = MomentField(
        label="Began", required=False, help_text="When it began to hurt, if that was earlier than now."
    )
    commander = PersonField(label="Incident commander", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.is_bound:
            self.fields["title"].widget.attrs["autofocus"] = True
        _offer_people(self, "commander", None)
        systems = System.objects.visible_to(self.user).filter(active=True)
        _offer(self, "systems", systems)
        _offer(self, "severity", Severity.objects.visible_to(self.user).order_by("level"))
        self.nobody = unreachable(list(systems), at=self.at)

    def clean_occurred_at(self) -> datetime | None:
        """Refuse a moment that has not come."""
        return self.past("occurred_at")

    def unreachable_names(self) -> list[str]:
        """Return the chosen systems for which nobody can be paged."""
        return [system.name for system in self.cleaned_data.get("systems", []) if system.pk in self.nobody]
