"""The form that takes a table of plans."""

from __future__ import annotations

from typing import Any

from django import forms

from maintenance import importing
from maintenance.forms.acting import text
from portal.lib.once import TimedForm


class ImportForm(TimedForm):
    """A file, and whether it is only looked at."""

    file = forms.FileField(
        label="File", help_text="CSV in UTF-8, or XLSX. Its first row names the columns.",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )  # fmt: skip
    dry = forms.BooleanField(
        label="Only show what would happen", required=False, initial=True,
        help_text="Look at every row first. Then choose the file again and clear this.",
    )  # fmt: skip
    reason = text("Reason")
    rows: importing.Rows

    def clean_file(self) -> Any:
        """Read the table; what cannot be read is said beside the field."""
        file = self.cleaned_data["file"]
        if file.size > importing.LONGEST_FILE:
            raise forms.ValidationError("The file is larger than 5 MB. Divide it.")
        try:
            self.rows = importing.read(file.name, file.read())
        except importing.Unreadable as problem:
            raise forms.ValidationError(str(problem)) from problem
        return file
