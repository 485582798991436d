"""The forms of communications: a message to an audience, its withdrawal, and a message that is not sent."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import QueryDict

from incidents import clocks
from incidents.communications.policy import LONGEST_SUBJECT, LONGEST_TEXT
from incidents.enums import Audience
from incidents.forms import ReasonForm
from portal.directory.enums import Clock
from portal.lib.once import TimedForm


class MessageForm(TimedForm):
    """The words of a message, and whether it goes out by itself once it is approved.

    `seen` is the digest of the words that the form was opened on; a new message has none.
    """

    subject = forms.CharField(
        label="Subject",
        max_length=LONGEST_SUBJECT,
        error_messages={
            "required": "Give it a subject: what it is about, in a few words.",
            "max_length": f"Keep it under {LONGEST_SUBJECT} characters; the rest goes into the text.",
        },
    )
    text = forms.CharField(
        label="Text",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 10}),
        error_messages={
            "required": "Write what you tell them: what is known, what is done, when they hear again.",
            "max_length": f"Keep it under {LONGEST_TEXT:,} characters. The rest fits into the next message.",
        },
    )
    by_itself = forms.BooleanField(label="Send it as soon as it is approved", required=False, initial=True)

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, approved_first: bool, seen: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["seen"] = seen
        if not approved_first:
            del self.fields["by_itself"]
        if not seen:
            del self.fields["seen"]

    def show_anew(self, seen: str) -> None:
        """Let the form stand on the words that the message has now, whatever it was opened on."""
        self.data = {**cast(QueryDict, self.data).dict(), "seen": seen}


class WithdrawForm(ReasonForm):
    """Why a message is not sent after all."""


class SkipForm(ReasonForm):
    """Which message is not sent, and why."""

    clock = forms.ChoiceField(
        label="Message that is due",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose which message is not sent.",
            "invalid_choice": "That message is not due any more. Choose another.",
        },
    )

    field_order = ["clock", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        running = [row for row in clocks.running(self.incident) if clocks.base(row.key) in Audience.values]
        field = cast(forms.ChoiceField, self.fields["clock"])
        field.choices = [
            (row.key, f"{Clock(clocks.base(row.key)).label}, due {clocks.local(row.due_at, near=self.at)}")
            for row in running
        ]
