"""Form controls that the browser draws itself: accessible, small, and the same in portal pages and admin forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models

from portal.lib.moments import Moment, MomentField


class Day(forms.DateInput):
    """A day."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class Hour(forms.TimeInput):
    """An hour of the day, to the minute."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs, format="%H:%M")


ADMIN_FIELDS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.DateTimeField: {"form_class": MomentField, "widget": Moment},
    models.DateField: {"widget": Day},
    models.TimeField: {"widget": Hour},
    models.URLField: {"assume_scheme": "https"},
}
"""`formfield_overrides` of every model admin."""
