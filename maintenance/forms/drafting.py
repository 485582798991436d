"""The form of a plan."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from maintenance.enums import Basis
from maintenance.forms.acting import text
from maintenance.models import Plan
from maintenance.rules import MOST
from portal.directory.models import Calendar, Contact, System, Team
from portal.lib.once import once_field
from portal.runbooks.models import Checklist, Runbook

GROUPS = (
    ("What is done", ("task", "procedure", "systems", "checklist", "runbook")),
    ("How often", ("frequency", "every", "basis", "anchor", "nth", "weekday", "rule", "trigger", "ceiling_days")),
    ("When it is due", ("due_time", "time_zone", "shift", "calendar", "lead_days", "grace_days")),
    ("Whose it is", ("owner", "backup", "manager", "team")),
    ("What proves it", ("needs_evidence", "needs_sign_off", "proves_recovery", "topic")),
)


class PlanForm(forms.ModelForm):
    """What a plan says. Whoever fills it in chooses among what they may see."""

    once = once_field()
    reason = text("Reason")

    class Meta:
        model = Plan
        fields = [name for _, names in GROUPS for name in names]
        widgets = {
            "procedure": forms.Textarea(attrs={"rows": 5}),
            "anchor": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "due_time": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "systems": forms.SelectMultiple(attrs={"size": 6}),
        }

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = Contact.objects.visible_to(user).filter(active=True)
        rows = {
            "systems": System.objects.visible_to(user).filter(active=True),
            "calendar": Calendar.objects.visible_to(user),
            "owner": people,
            "backup": people,
            "manager": people,
            "team": Team.objects.visible_to(user).filter(active=True),
            "checklist": Checklist.objects.visible_to(user).filter(active=True),
            "runbook": Runbook.objects.visible_to(user),
        }
        for name, found in rows.items():
            cast(forms.ModelChoiceField, self.fields[name]).queryset = found

    def clean(self) -> dict[str, Any]:
        """Let a frequency that counts from the calendar alone be fixed: nothing else is shown for it."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("frequency") not in {None, *MOST}:
            found["basis"] = Basis.FIXED
        return found

    def groups(self) -> list[tuple[str, list[Any]]]:
        """Return the fields under their headings."""
        return [(heading, [self[name] for name in names]) for heading, names in GROUPS]

    def values(self) -> dict[str, Any]:
        """Return the words of the plan for the service."""
        return {name: self.cleaned_data[name] for name in COLUMNS}

    def _post_clean(self) -> None:
        """Leave the row as it is: the service writes it, and says itself what cannot be."""


COLUMNS = [name for _, names in GROUPS for name in names if name != "systems"]
