"""Choosing several records in a form, whatever the browser sends."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

LONGEST_KEY = 18
"""The longest number, in characters, that is surely a key in every database: a bigint ends within 19 digits."""


class ManyField(forms.ModelMultipleChoiceField):
    """Several records of a list. A key too large for the database is not in the list, and never reaches it."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": "Choose from the list.",
        "invalid_pk_value": "Choose from the list.",
    }

    def clean(self, value: Any) -> QuerySet[Any]:
        """Return the chosen records; ValidationError is raised for a key that is not in the list."""
        keys = value if isinstance(value, (list, tuple)) else ()
        for key in keys:
            if isinstance(key, str) and len(key) > LONGEST_KEY:
                raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": key})
        return super().clean(value)
