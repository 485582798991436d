"""The forms of recovery: a backup, a run of it by hand, what was verified of a run, a restore test."""

from __future__ import annotations

from typing import Any

from django import forms

from maintenance.forms.acting import text
from portal.directory.models import Contact
from portal.lib import durations
from portal.lib.moments import MomentField
from portal.lib.once import TimedForm

MOST_MINUTES = 366 * 24 * 60


class SpanField(forms.Field):
    """A span of time in words, such as 6 h; its value is in minutes."""

    def to_python(self, value: Any) -> Any:
        """Return the minutes; ValidationError is raised with a sentence."""
        words = str(value or "").strip()
        if not words:
            return None
        try:
            minutes = int(durations.parse(words).total_seconds() // 60)
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None
        if minutes > MOST_MINUTES:
            raise forms.ValidationError("That is more than a year. Write a shorter span.")
        return minutes

    def prepare_value(self, value: Any) -> Any:
        """Return minutes in words."""
        return durations.words(value * 60) if isinstance(value, int) and value else value


class BackupForm(TimedForm):
    """What is backed up, how often and where to."""

    what = forms.CharField(label="What is backed up", max_length=160)
    place = forms.CharField(label="Where to", max_length=200, help_text="The place, and how it is kept safe there.")
    frequency_minutes = SpanField(label="Every", help_text="Such as 1 h, 6 h or 1 d.")
    grace_minutes = SpanField(
        label="Grace", initial="1 h", help_text="After so much silence more, an incident is opened."
    )
    owner = forms.ModelChoiceField(label="Owner", queryset=Contact.objects.none(), required=False)
    reason = text("Reason")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = Contact.objects.visible_to(self.user).filter(active=True)
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return the words of the backup for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"once", "reason"}}


class RunForm(TimedForm):
    """One run of a backup, told by hand."""

    finished_at = MomentField(label="Finished")
    started_at = MomentField(label="Started", required=False)
    newest_data_at = MomentField(label="Newest data in it", required=False, help_text="Needed where it was verified.")
    size = forms.IntegerField(label="Bytes", required=False, min_value=0, max_value=2**62)
    completed = forms.BooleanField(label="It completed", required=False, initial=True)
    verified = forms.BooleanField(label="Its integrity was verified", required=False)
    stored = forms.BooleanField(label="It is stored securely", required=False)


class ValidateForm(TimedForm):
    """What was verified of a run."""

    verified = forms.BooleanField(label="Its integrity was verified", required=False)
    stored = forms.BooleanField(label="It is stored securely", required=False)
    reason = text("How you know")


class WhyForm(TimedForm):
    """A verb that needs its reason."""

    reason = text("Reason")


class RestoreForm(TimedForm):
    """One restore test."""

    started_at = MomentField(label="Started", help_text="As if the system had been lost then.")
    ended_at = MomentField(label="Ended", help_text="When it was back, or when you gave up.")
    newest_recovered_at = MomentField(label="Newest data that came back", required=False)
    succeeded = forms.TypedChoiceField(
        label="What came of it", choices=[("yes", "It was restored"), ("no", "It failed")],
        coerce=lambda value: value == "yes", widget=forms.RadioSelect,
        error_messages={"required": "Say whether it was restored."},
    )  # fmt: skip
    performed_by = forms.CharField(
        label="Performed by", max_length=200, required=False, help_text="Leave it empty where it was you."
    )
    found = text(
        "What was done", limit=4000, rows=4, required=False, help_text="What you restored, where, and what you found."
    )
