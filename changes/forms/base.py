"""What the forms of changes share: acting once, words, people, and plans of steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from portal.accounts.models import User

MOST_STEPS = 60
LONGEST_STEP = 500
_MINUTES = re.compile(r"\s*[(\[]\s*(\d{1,5})\s*(?:min|minutes?)\s*[)\]]\s*$")
_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+")
Step = tuple[str, int | None]


def text(
    label: str, *, limit: int, rows: int = 3, required: bool = True, missing: str = "", help_text: str = ""
) -> Any:
    """Return a field for some sentences."""
    return forms.CharField(
        label=label,
        max_length=limit,
        required=required,
        strip=True,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": missing, "max_length": f"Keep it under {limit:,} characters."},
    )


def offer(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    """Let a field take these rows, which its reader may see."""
    cast(forms.ModelChoiceField, form.fields[name]).queryset = rows


class PersonField(forms.ModelChoiceField):
    """Somebody who can sign in; the form says who."""

    def __init__(self, *, missing: str = "Choose a person.", **options: Any) -> None:
        messages = {"required": missing, "invalid_choice": "Choose somebody who can sign in."}
        super().__init__(queryset=User.objects.none(), error_messages=messages, **options)


class StepsField(forms.CharField):
    """A plan, one step a line, with its minutes in brackets at the end where they are known: "Drain the queue (5 min)".

    Its value is a list of text and minutes. Numbers and dashes before a step are left out: the lines are its order.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "help_text", "One step a line. How long it takes can stand at its end: Drain the queue (5 min)"
        )
        super().__init__(
            required=False, strip=True, max_length=20000, widget=forms.Textarea(attrs={"rows": 5}), **options
        )

    def prepare_value(self, value: Any) -> Any:
        """Return the lines of these steps, or what was typed."""
        if value is None or isinstance(value, str):
            return value
        return "\n".join(line_of(step, minutes) for step, minutes in value)

    def to_python(self, value: Any) -> Any:
        """Return the steps; ValidationError is raised for too many of them and for one that is too long."""
        lines = [line for line in (super().to_python(value) or "").splitlines() if line.strip()]
        if len(lines) > MOST_STEPS:
            raise forms.ValidationError(f"A plan has at most {MOST_STEPS} steps. Put some of them together.")
        return [self._step(number, line) for number, line in enumerate(lines, start=1)]

    def _step(self, number: int, line: str) -> Step:
        words = _NUMBER.sub("", line).strip()
        found = _MINUTES.search(words)
        minutes = int(found[1]) if found else None
        words = words[: found.start()].strip() if found else words
        if not words:
            raise forms.ValidationError(f"Say what is done in step {number}.")
        if len(words) > LONGEST_STEP:
            raise forms.ValidationError(f"Step {number} is longer than {LONGEST_STEP} characters. Divide it.")
        if minutes is not None and not 0 < minutes <= 14 * 24 * 60:
            raise forms.ValidationError(f"Step {number} takes from 1 minute to 14 days.")
        return words, minutes


def line_of(step: str, minutes: int | None) -> str:
    """Return a step as the line that is read back into it."""
    return f"{step} ({minutes} min)" if minutes else step


def steps_by_kind(steps: Sequence[Any]) -> dict[str, list[Step]]:
    """Return rows of steps as text and minutes, in their order, by the plan that they belong to."""
    found: dict[str, list[Step]] = {}
    for row in sorted(steps, key=lambda step: step.position):
        found.setdefault(row.kind, []).append((row.text, row.minutes))
    return found
