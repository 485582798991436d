"""The forms of checklists. What is refused says what to do."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms

from portal.directory.models import Contact, Team
from portal.lib.once import AGAIN, OnceForm
from portal.records.evidence.models import Evidence
from portal.runbooks.checklists import pages, policy
from portal.runbooks.checklists.enums import Frequency
from portal.runbooks.checklists.selectors.finding import procedures_for
from portal.runbooks.checklists.services import Line
from portal.runbooks.models import Checklist, ChecklistRun, ChecklistStep, Procedure

LONGEST_REASON = 1000
LINE = re.compile(r"^\s*(?P<team>[a-z0-9_-]+)\s*:\s*(?P<text>.*?)\s*(?:\[(?P<page>[a-z-]+)\])?\s*$", re.IGNORECASE)


def reason_field(label: str, *, required: bool = True, help_text: str = "Kept for good.") -> forms.CharField:
    """Return the field of a reason."""
    return forms.CharField(
        label=label,
        max_length=LONGEST_REASON,
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Say in a sentence why. It is kept.",
            "max_length": f"Keep it under {LONGEST_REASON:,} characters.",
        },
    )


class RunForm(OnceForm):
    """A form about a run or its steps: it acts once."""

    def __init__(self, *args: Any, user: Any, run: ChecklistRun | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user, self.run = user, run

    def clean(self) -> dict[str, Any]:
        """Say above the form what is wrong with its hidden key."""
        if "once" in self.errors:
            raise forms.ValidationError(AGAIN)
        return self.cleaned_data

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class FailForm(RunForm):
    """What went wrong."""

    reason = reason_field("What went wrong", help_text="The step can still be ticked once it works.")


class ReasonForm(RunForm):
    """An act that needs nothing but its reason."""

    reason = reason_field("Why")


class NoteForm(RunForm):
    """What was seen or done."""

    text = forms.CharField(
        label="Note",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write what you saw or did.", "max_length": "Keep it under 4,000 characters."},
    )


class HandOverForm(RunForm):
    """To whom: a team, or one person."""

    team = forms.ModelChoiceField(Team.objects.none(), label="To a team", required=False, empty_label="No team")
    person = forms.ModelChoiceField(
        Contact.objects.none(), label="Or to one person", required=False, empty_label="Nobody"
    )
    reason = reason_field("Why", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, rows in (
            ("team", Team.objects.visible_to(self.user)),
            ("person", Contact.objects.visible_to(self.user)),
        ):
            self.fields[name].queryset = rows.filter(active=True).order_by("name")  # type: ignore[attr-defined]


class AttachForm(RunForm):
    """Which piece of evidence of the record."""

    evidence = forms.ModelChoiceField(
        Evidence.objects.none(),
        label="Evidence",
        empty_label=None,
        help_text="Of the same record, newest first.",
        error_messages={"required": "Choose the evidence.", "invalid_choice": "Choose from the list."},
    )
    text = forms.CharField(
        label="What it shows",
        required=False,
        max_length=1000,
        error_messages={"max_length": "Keep it under 1,000 characters."},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = Evidence.objects.visible_to(self.user)
        subject = self.run.subject if self.run is not None else None
        self.fields["evidence"].queryset = rows.of(subject) if subject is not None else rows.none()  # type: ignore[attr-defined]


class ProcedureField(forms.ModelChoiceField):
    """A procedure of a runbook, with the version that it stands in."""

    def label_from_instance(self, obj: Any) -> str:
        """Return which procedure of which version it is."""
        return f"{obj.version.runbook.title}, version {obj.version.number}: {obj.title}"


class StartForm(RunForm):
    """Which checklist or which procedure of a runbook, and why where it is not plain."""

    checklist = forms.ModelChoiceField(
        Checklist.objects.none(),
        label="Checklist",
        empty_label=None,
        error_messages={"required": "Choose a checklist.", "invalid_choice": "Choose a checklist from the list."},
    )
    procedure = ProcedureField(
        Procedure.objects.none(),
        label="Or a procedure of a runbook",
        required=False,
        empty_label="None",
        help_text="Word for word as that version has it.",
        error_messages={"invalid_choice": "Choose a procedure from the list."},
    )
    reason = reason_field("Why", required=False)

    def __init__(self, *args: Any, subject: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = Checklist.objects.visible_to(self.user).filter(active=True, version__gt=0)
        checklist = cast(forms.ModelChoiceField, self.fields["checklist"])
        checklist.queryset = rows.order_by("name")
        procedures = procedures_for(self.user, subject)
        if subject is None or not procedures.exists():
            del self.fields["procedure"]
            return
        cast(forms.ModelChoiceField, self.fields["procedure"]).queryset = procedures
        checklist.required, checklist.empty_label = False, "None"

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        given = super().clean()
        if "procedure" in self.fields and not self.errors and bool(given["checklist"]) == bool(given["procedure"]):
            raise forms.ValidationError("Choose a checklist or a procedure, one of the two.")
        return given


class EditForm(forms.Form):
    """A checklist as text: a step a line, its team first, and last the page that it leads to."""

    name = forms.CharField(max_length=120, error_messages={"required": "Give it a name."})
    purpose = forms.CharField(
        max_length=300, required=False, help_text="When to work it, and what is true once it is done."
    )
    frequency = forms.ChoiceField(choices=Frequency.choices, label="Worked")
    steps = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "true", "class": "code"}),
        error_messages={"required": "Write at least one step."},
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reason = reason_field("Why it changes", help_text="It stands beside the version for good.")

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.teams = {team.slug: team for team in Team.objects.visible_to(user).filter(active=True).order_by("slug")}
        self.fields["steps"].help_text = (
            "A step a line, such as “oncall: Look at the health endpoints. [health]”. Teams: "
            f"{', '.join(self.teams)}. Pages: {', '.join(pages.PAGES)}."
        )

    def clean_steps(self) -> list[Line]:
        """Read the lines; the first that cannot be read is named by its number."""
        found = []
        for number, line in enumerate(self.cleaned_data["steps"].splitlines(), start=1):
            if line.strip():
                found.append(self._line(number, line))
        return found

    def _line(self, number: int, line: str) -> Line:
        match = LINE.match(line)
        if match is None or not match["text"]:
            raise forms.ValidationError(f"Line {number}: begin with a team and a colon, then say what to do.")
        team = self.teams.get(match["team"].lower())
        if team is None:
            raise forms.ValidationError(f"Line {number}: there is no team “{match['team']}”.")
        page, text = (match["page"] or "").lower(), match["text"]
        if page and page not in pages.PAGES:
            text, page = f"{text} [{match['page']}]", ""
        if len(text) > policy.LONGEST_STEP:
            raise forms.ValidationError(f"Line {number}: keep a step under {policy.LONGEST_STEP} characters.")
        return Line(text, team, page)


def as_text(steps: Any) -> str:
    """Return steps as the text of the form."""
    return "\n".join(_as_line(step) for step in steps)


def _as_line(step: ChecklistStep) -> str:
    return f"{step.team.slug}: {step.text}{f' [{step.page}]' if step.page else ''}"
