"""The forms of evidence. Each acts once; what is refused says what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from portal.directory.models import Contact
from portal.lib.moments import MomentField
from portal.lib.once import AGAIN, TimedForm
from portal.records.evidence import policy

LONGEST_REASON = 1000


def _reason(label: str, *, help_text: str = "", required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_REASON,
        required=required,
        help_text=help_text or "Kept with the custody for good.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Say in a sentence why. It is kept with the custody.",
            "max_length": f"Keep it under {LONGEST_REASON:,} characters.",
        },
    )


class PersonField(forms.ModelChoiceField):
    """A person of the directory whom the reader may see."""

    def __init__(self, **options: Any) -> None:
        messages = {"required": "Choose a person.", "invalid_choice": "Choose a person from the list."}
        super().__init__(queryset=Contact.objects.none(), error_messages=messages, **options)


class EvidenceForm(TimedForm):
    """A form about evidence: it acts once, and offers the people of the directory who are still there."""

    def __init__(self, *args: Any, user: Any, at: datetime, **options: Any) -> None:
        super().__init__(*args, user=user, at=at, **options)
        people = Contact.objects.visible_to(user).filter(active=True).order_by("name", "pk")
        for name in ("collector", "to"):
            if isinstance(self.fields.get(name), PersonField):
                self.fields[name].queryset = people  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Say above the form what is wrong with its hidden key."""
        if "once" in self.errors:
            raise forms.ValidationError(AGAIN)
        return self.cleaned_data

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class CollectForm(EvidenceForm):
    """A file, and what makes it evidence. The file comes last, so that nothing typed is lost when it is refused."""

    source = forms.CharField(
        label="Where it comes from",
        max_length=300,
        help_text="The machine, the path or the person, such as db-eu-1:/var/log/auth.log.",
        error_messages={
            "required": "Say where it comes from: a machine, a path, a person.",
            "max_length": "Keep it under 300 characters. The rest fits into what it shows.",
        },
    )
    acquired_at = MomentField(
        label="Acquired at",
        help_text="When it was taken from there, which is not when it is uploaded.",
        error_messages={
            "required": "Say when it was taken from there.",
        },
    )
    collector = PersonField(label="Collected by", required=False, empty_label="Me")
    description = forms.CharField(
        label="What it shows",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": "Keep it under 4,000 characters."},
    )
    file = forms.FileField(
        label="File",
        max_length=None,
        error_messages={"required": policy.NO_FILE, "empty": policy.EMPTY, "invalid": policy.NO_FILE},
    )

    def __init__(self, *args: Any, most: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields[
            "file"
        ].help_text = (
            f"At most {most // policy.MEGABYTE:,} MB. It is kept as it is, under its SHA-256, and is never opened here."
        )
        self.fields["file"].widget.attrs["data-most"] = str(most)
        if not self.is_bound:
            self.initial.setdefault("acquired_at", timezone.localtime(self.at))

    def clean_acquired_at(self) -> datetime:
        """Refuse a moment that has not come, or that is too long ago to be true."""
        moment: datetime = self.cleaned_data["acquired_at"]
        try:
            policy.check_acquired(moment, self.at)
        except (policy.Refused, OverflowError) as refused:
            raise forms.ValidationError(str(refused)) from refused
        return moment


class DescribeForm(EvidenceForm):
    """Where it comes from and what it shows, put down more exactly."""

    source = CollectForm.base_fields["source"]
    description = CollectForm.base_fields["description"]
    reason = _reason("Why it changes", help_text="The words of before stay in the history.")


class HandOverForm(EvidenceForm):
    """To whom."""

    to = PersonField(label="To whom", help_text="They confirm the receipt. Until then you hold it.")
    reason = _reason("Why")


class ReceiveForm(EvidenceForm):
    """The receipt."""

    reason = _reason("Remark", required=False, help_text="Such as in what state you found it.")


class ReasonForm(EvidenceForm):
    """An act that needs nothing but its reason."""

    reason = _reason("Why")


class ReleaseForm(EvidenceForm):
    """To whom, also outside of the portal, and why."""

    to = forms.CharField(
        label="To whom",
        required=False,
        max_length=200,
        help_text="Somebody outside, such as the police with their reference. Empty when nobody takes it.",
        error_messages={"max_length": "Keep it under 200 characters."},
    )
    reason = _reason("Why its custody ends")
