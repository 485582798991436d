"""The forms of action items."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms

from portal.actions.enums import Kind
from portal.actions.models import ActionItem
from portal.actions.reminding import due_moment
from portal.directory.models import Contact
from portal.lib.moments import MomentField
from portal.lib.once import TimedForm
from portal.lib.zones import zone_or_utc

WHY = "Say in a sentence why. It is kept in the history."
FARTHEST = timedelta(days=1100)


def text(label: str, *, limit: int = 500, rows: int = 2, required: bool = True, help_text: str = "") -> Any:
    """Return a field for some sentences."""
    return forms.CharField(
        label=label, max_length=limit, required=required, strip=True, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": WHY, "max_length": f"Keep it under {limit:,} characters."},
    )  # fmt: skip


def day_field() -> Any:
    """Return the field for the day on which something is due."""
    return forms.DateField(
        label="Due on", help_text="At the end of that working day, where its owner is.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choose a day.", "invalid": "Write a day, such as 17 Nov 2026."},
    )  # fmt: skip


def owner_field() -> Any:
    """Return the field for whoever does it."""
    return forms.ModelChoiceField(
        label="Owner", queryset=Contact.objects.none(),
        error_messages={"required": "Choose who does it.", "invalid_choice": "Choose from the list."},
    )  # fmt: skip


class ActionForm(TimedForm):
    """A form about one item. `words` is what the service is given besides by and at."""

    def __init__(self, *args: Any, item: ActionItem | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.item = item
        if "owner" in self.fields:
            people = Contact.objects.visible_to(self.user).filter(active=True)
            cast(forms.ModelChoiceField, self.fields["owner"]).queryset = people

    def clean_due_on(self) -> date:
        """Refuse a day that is absurdly far away."""
        day: date = self.cleaned_data["due_on"]
        if day > (self.at + FARTHEST).date():
            raise forms.ValidationError("That is more than three years away. Choose a day within them.")
        if day < (self.at - timedelta(days=366)).date():
            raise forms.ValidationError("That day has passed. Choose one on which it can still be done.")
        return day

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}

    def _due(self, owner: Contact) -> datetime:
        return due_moment(self.cleaned_data["due_on"], zone_or_utc(owner.time_zone))


class OpenForm(ActionForm):
    """What is to be done, by whom, until when."""

    title = forms.CharField(
        label="What is to be done",
        max_length=160,
        error_messages={"required": "Say what is to be done, in a few words."},
    )
    kind = forms.ChoiceField(label="Kind", choices=Kind.choices, initial=Kind.CORRECTIVE)
    owner = owner_field()
    due_on = day_field()
    description = text("More about it", limit=10000, rows=4, required=False)

    def words(self) -> dict[str, Any]:
        """Return the words, with the moment for the day."""
        found = super().words()
        del found["due_on"]
        return {**found, "due_at": self._due(found["owner"])}


class DoneForm(ActionForm):
    """What was done, and when."""

    note = text(
        "What was done", limit=4000, rows=4, help_text="So that others can look at it. Files are kept as evidence."
    )
    done_at = MomentField(
        label="Done on", required=False, help_text="Leave it empty for now.",
    )  # fmt: skip


class ReasonForm(ActionForm):
    """A verb that needs its reason."""

    reason = text("Reason")


class OwnerForm(ReasonForm):
    """Who takes it over."""

    owner = owner_field()
    field_order = ["owner", "reason"]


class DueForm(ReasonForm):
    """Until when."""

    due_on = day_field()
    field_order = ["due_on", "reason"]

    def words(self) -> dict[str, Any]:
        """Return the moment for the day, and why."""
        return {"due_at": self._due(cast("ActionItem", self.item).owner), "reason": self.cleaned_data["reason"]}
