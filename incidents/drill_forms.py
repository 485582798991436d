"""The form that starts a drill: that of an incident, with words that leave no doubt."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.forms import DeclareForm


class DrillForm(DeclareForm):
    """An exercise, declared as a real incident would be."""

    security = forms.BooleanField(
        label="Play a security incident: page the security lead at once",
        required=False,
        help_text="The security lead is paged too, with the word DRILL first.",
    )
    occurred_at = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        title, severity = self.fields["title"], self.fields["severity"]
        title.label, title.help_text = (
            "What is supposed to be wrong",
            "As it would be reported. DRILL is put before it.",
        )
        severity.label = "Severity to exercise"
