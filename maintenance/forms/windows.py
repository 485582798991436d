"""The forms of maintenance windows: planning one, opening one by hand, a series, and the verbs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from maintenance.enums import Nth, Weekday
from maintenance.forms.acting import text
from maintenance.models import Window
from maintenance.models.windows import OFTEN
from portal.directory.models import System
from portal.lib.choosing import ManyField
from portal.lib.moments import MomentField
from portal.lib.once import TimedForm
from portal.lib.zones import validate_zone

UNITS = {"hours": "Say for how long."}
USUAL = timedelta(hours=2)


def title() -> Any:
    """Return the field that says what is done."""
    return forms.CharField(
        label="What is done", max_length=160, help_text="In a few words, as the board and the messages say it.",
        error_messages={"required": "Say in a few words what is done."},
    )  # fmt: skip


def systems() -> Any:
    """Return the field of the systems that the work goes on with."""
    return ManyField(
        label="Systems", queryset=System.objects.none(), widget=forms.SelectMultiple(attrs={"size": 6}),
        help_text="Only for these is nobody paged while it lasts. What happens to them is recorded all the same.",
        error_messages={"required": "Name at least one system: only of those named is nobody paged."},
    )  # fmt: skip


class SystemsForm(TimedForm):
    """A form that names systems which its reader may see."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = System.objects.visible_to(self.user).filter(active=True)
        self.fields["systems"].queryset = rows  # type: ignore[attr-defined]


class PlanWindowForm(SystemsForm):
    """One window, at a time that is still to come."""

    title = title()
    systems = systems()
    starts_at = MomentField(label="Starts")
    ends_at = MomentField(
        label="Ends", help_text="From then on people are paged as usual, whether or not the work is done."
    )
    note = text("How it is done", limit=4000, rows=3, required=False, help_text="Sent to the systems' contacts.")
    closes_itself = forms.BooleanField(
        label="Ends by itself at its end", required=False,
        help_text="Nobody has to say that it is over. Otherwise it overruns until somebody has verified the systems.",
    )  # fmt: skip

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class OpenNowForm(SystemsForm):
    """A window that is opened by hand now."""

    title = title()
    systems = systems()
    minutes = forms.IntegerField(
        label="For how many minutes", min_value=5, max_value=7 * 24 * 60, initial=60,
        help_text="It can be given more time later.", error_messages={"required": "Say for how many minutes."},
    )  # fmt: skip
    note = text("How it is done", limit=4000, rows=3, required=False)
    reason = text("Why now", help_text="Nobody is paged for these systems while it lasts. The reason is kept.")

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        words = {name: value for name, value in self.cleaned_data.items() if name not in {"once", "minutes"}}
        return {**words, "ends_at": self.at + timedelta(minutes=self.cleaned_data["minutes"])}


class SeriesForm(SystemsForm):
    """A window that comes round by a rule."""

    title = title()
    systems = systems()
    frequency = forms.ChoiceField(label="How often", choices=OFTEN, initial="weekly")
    every = forms.IntegerField(
        label="Every", min_value=1, max_value=520, initial=1, help_text="Every so many days, weeks or months."
    )
    anchor = forms.DateField(
        label="First date", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choose a day.", "invalid": "Write a day, such as 17 Nov 2026."},
    )  # fmt: skip
    nth = forms.TypedChoiceField(label="Which of them", choices=Nth, coerce=int, initial=1)
    weekday = forms.TypedChoiceField(
        label="Day of the week", choices=Weekday, coerce=int, initial=6, help_text="For a weekday of the month."
    )
    rule = forms.CharField(
        label="Recurrence rule", max_length=200, required=False, help_text="Such as FREQ=MONTHLY;BYDAY=2TU"
    )
    start_time = forms.TimeField(
        label="Starts at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": "Give the hour.", "invalid": "Write the hour, such as 22:00."},
    )  # fmt: skip
    minutes = forms.IntegerField(label="Lasts (minutes)", min_value=5, max_value=7 * 24 * 60, initial=120)
    time_zone = forms.CharField(label="Time zone", max_length=64, validators=[validate_zone])
    closes_itself = forms.BooleanField(
        label="Each ends by itself at its end", required=False, initial=True,
        help_text="Nobody has to say that it is over. Otherwise each overruns until somebody has verified the systems.",
    )  # fmt: skip
    note = text("How it is done", limit=4000, rows=3, required=False, help_text="Sent to the systems' contacts.")

    def words(self) -> dict[str, Any]:
        """Return what the service is given."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"once", "systems"}}


class WindowActForm(TimedForm):
    """The form of one verb of a window."""

    reason = text("Reason", required=False, help_text="Kept in the timeline.")

    def __init__(self, *args: Any, subject: Window, **options: Any) -> None:
        super().__init__(*args, **options)
        self.subject = subject
        for name, field in self.fields.items():
            given = getattr(subject, name, None)
            if isinstance(given, datetime):
                field.initial = given

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class WindowReasonForm(WindowActForm):
    """A verb that needs its reason."""

    reason = text("Reason")


class MoveForm(WindowReasonForm):
    """To which time a window is moved."""

    starts_at = MomentField(label="Starts")
    ends_at = MomentField(label="Ends")
    field_order = ["starts_at", "ends_at", "reason"]


class ExtendForm(WindowReasonForm):
    """Until when a window goes on."""

    ends_at = MomentField(label="New end", help_text="Until then nobody is paged for its systems.")
    field_order = ["ends_at", "reason"]
