"""Forms that act once: the hidden key of a form is its gesture, so that a second submit of it changes nothing."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django import forms

AGAIN = "Open the form again."
CLOCK_SLACK = timedelta(minutes=1)
FAR_BACK = timedelta(days=365)


def once_field(again: str = AGAIN) -> forms.UUIDField:
    """Return the hidden key; `again` is what a reader is told whose key is missing or broken."""
    return forms.UUIDField(widget=forms.HiddenInput, error_messages={"invalid": again, "required": again})


class OnceForm(forms.Form):
    """A form that acts once."""

    once = once_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        options["initial"] = {"once": uuid.uuid4(), **(options.get("initial") or {})}
        super().__init__(*args, **options)


class TimedForm(OnceForm):
    """A form that acts once, of a reader, at a moment as the edge read it."""

    def __init__(self, *args: Any, at: datetime, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.at, self.user = at, user

    def past(self, name: str) -> datetime | None:
        """Return a moment of the form; ValidationError is raised when it has not come yet or is absurdly long ago."""
        moment: datetime | None = self.cleaned_data.get(name)
        if moment is not None and moment > self.at + CLOCK_SLACK:
            raise forms.ValidationError("That moment has not come yet. Leave it empty for now.")
        if moment is not None and moment < self.at - FAR_BACK:
            raise forms.ValidationError("That is more than a year ago. Check the date.")
        return moment
