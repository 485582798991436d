"""The forms of the verbs of a plan and of an occurrence."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from maintenance.models import Occurrence, Plan
from portal.directory.models import Contact
from portal.lib.choosing import ManyField
from portal.lib.moments import MomentField
from portal.lib.once import TimedForm

WHY = "Say in a sentence why. It is kept in the history."


def text(label: str, *, limit: int = 500, rows: int = 2, required: bool = True, help_text: str = "") -> Any:
    """Return a field for some sentences."""
    return forms.CharField(
        label=label, max_length=limit, required=required, strip=True, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": WHY, "max_length": f"Keep it under {limit:,} characters."},
    )  # fmt: skip


def day(label: str, *, required: bool = True, help_text: str = "") -> Any:
    """Return a field for a day."""
    return forms.DateField(
        label=label, required=required, help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choose a day.", "invalid": "Write a day, such as 17 Nov 2026."},
    )  # fmt: skip


class ActForm(TimedForm):
    """The form of one verb. `words` is what the service is given besides by and at."""

    reason = text("Reason", required=False, help_text="Kept in the timeline.")

    def __init__(self, *args: Any, subject: Plan | Occurrence, **options: Any) -> None:
        super().__init__(*args, **options)
        self.subject = subject

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class ReasonForm(ActForm):
    """A verb that needs its reason."""

    reason = text("Reason")


class CompleteForm(ActForm):
    """When it was done, and what was found."""

    found = text("What was done", limit=4000, rows=4, required=False, help_text="What you found, and what you did.")
    done_at = MomentField(
        label="Done on", required=False, help_text="Leave it empty for now.",
    )  # fmt: skip
    late_because = text("Why it is written down only now", required=False, help_text="Needed for an earlier day.")
    reason = None


class ForceForm(ReasonForm):
    """From when on a plan comes round."""

    last_done_on = day(
        "Last done on", required=False, help_text="Where it was done before it stood here. The next date follows."
    )
    field_order = ["last_done_on", "reason"]


class NeedForm(ReasonForm):
    """Until when a task is needed."""

    until = day("Needed by")
    field_order = ["until", "reason"]


class TokenForm(ReasonForm):
    """Which job gets a token."""

    name = forms.CharField(label="Job", max_length=80, help_text="Which job the token is given to.")
    field_order = ["name", "reason"]


class HandOverForm(TimedForm):
    """Which plans go to whom."""

    plans = ManyField(queryset=Plan.objects.none(), widget=forms.MultipleHiddenInput,
                      error_messages={"required": "Tick the plans that are handed over."})  # fmt: skip
    owner = forms.ModelChoiceField(
        label="New owner", queryset=Contact.objects.none(),
        error_messages={"required": "Choose who takes them over.", "invalid_choice": "Choose from the list."},
    )  # fmt: skip
    reason = text("Reason")

    def __init__(self, *args: Any, plans: QuerySet[Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["plans"].queryset = plans  # type: ignore[attr-defined]
        people = Contact.objects.visible_to(self.user).filter(active=True)
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]
