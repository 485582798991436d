"""The forms of runbooks."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.directory.models import System, Team
from portal.runbooks.services.common import LONGEST_TEXT
from portal.runbooks.services.taking import LARGEST_FILE


class NewForm(forms.Form):
    """What a new runbook is called, and which system it is about."""

    title = forms.CharField(
        max_length=200, error_messages={"required": "Give it a title, such as the name of the system."}
    )
    system = forms.ModelChoiceField(
        System.objects.none(), required=False, empty_label="About no one system",
        help_text="What the portal keeps of the system is linked from the runbook, not copied into it.",
    )  # fmt: skip
    owner = forms.ModelChoiceField(
        Team.objects.none(),
        required=False,
        label="Team that keeps it true",
        empty_label="The team that owns the system",
    )

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        systems, teams = System.objects.visible_to(user), Team.objects.visible_to(user)
        self.fields["system"].queryset = systems.filter(active=True)  # type: ignore[attr-defined]
        self.fields["owner"].queryset = teams.filter(active=True).order_by("name")  # type: ignore[attr-defined]


class TextForm(forms.Form):
    """The words of a draft."""

    text = forms.CharField(
        label="Runbook, in Markdown",
        strip=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 28, "class": "mono", "spellcheck": "true"}),
        help_text="Headings, labels and table columns of the template are understood, in many spellings. "
        "Name variables, never their values.",
        error_messages={"required": "Write something first."},
    )
    summary = forms.CharField(
        label="What changed", max_length=500, required=False,
        help_text="One sentence for whoever reviews it, and for the list of versions.",
    )  # fmt: skip


class ReasonedForm(forms.Form):
    """Why, in a sentence."""

    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept for good.",
        error_messages={"required": "Say in a sentence why. It is kept for good."},
    )

    def __init__(self, *args: Any, label: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"].label = label


class UploadForm(forms.Form):
    """A file to take in, and the system that it is about."""

    file = forms.FileField(
        label="Markdown file",
        help_text="Any Markdown or plain text. Nothing is saved before you have seen what was understood.",
        error_messages={"required": "Choose a file.", "empty": "This file is empty. Choose another one."},
    )
    system = forms.ModelChoiceField(System.objects.none(), required=False, empty_label="About no one system")

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        systems = System.objects.visible_to(user).filter(active=True)
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        """Refuse what is larger than any runbook."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError("A runbook has at most 2 MB. Split it, one for each system.")
        return file


class ConfirmForm(forms.Form):
    """The file that was looked at, sent back to be kept. What was shown is read from it again."""

    name = forms.CharField(max_length=255, widget=forms.HiddenInput)
    text = forms.CharField(strip=False, max_length=2 * LARGEST_FILE, widget=forms.HiddenInput)
    system = forms.ModelChoiceField(System.objects.none(), required=False, widget=forms.HiddenInput)
    checklists = forms.BooleanField(
        required=False, initial=True, label="Make the checklists that do not stand yet", widget=forms.CheckboxInput
    )

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        systems = System.objects.visible_to(user).filter(active=True)
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]
        if not user.has_perm("runbooks.add_checklist"):
            del self.fields["checklists"]
