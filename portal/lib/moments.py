"""Moments that somebody types: on the reader's clock, whatever that clock did on the day, and in a year that can be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone

YEARS: Final = range(1970, 2200)
"""At the ends of the calendar no clock of another place could show a moment."""


class Moment(forms.DateTimeInput):
    """A day and an hour in the reader's zone, to the minute; the browser draws it."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None, *, format: str = "%Y-%m-%dT%H:%M") -> None:  # noqa: A002
        super().__init__(attrs=attrs, format=format)


class MomentField(forms.DateTimeField):
    """A field for a day and an hour on the reader's clock.

    An hour that a clock change skips is the hour after the gap, as clocks show it; one that comes twice is meant the
    first time.
    """

    widget = Moment
    default_error_messages: ClassVar[dict[str, Any]] = {
        "required": "Give a day and an hour.",
        "invalid": "Write a day and an hour, such as 17 Nov 2026, 13:48.",
    }

    def to_python(self, value: Any) -> datetime | None:
        """Return the moment; ValidationError is raised with a sentence."""
        try:
            found: datetime | None = super().to_python(value)
        except forms.ValidationError as problem:
            if problem.code != "ambiguous_timezone" or not problem.params:
                raise
            found = problem.params["datetime"]
        if found is None:
            return None
        if found.year not in YEARS:
            raise forms.ValidationError(f"Check the year: it lies between {YEARS[0]} and {YEARS[-1]}.")
        if timezone.is_aware(found):
            return found
        # In UTC: to Python, a time that comes twice in one zone never equals any in another.
        return found.replace(tzinfo=timezone.get_current_timezone(), fold=0).astimezone(UTC)
