"""The forms of the release checklist: one cell, the cells of one module, and what is carried over."""

from __future__ import annotations

from typing import Any

from django import forms

from changes.enums import CellState
from changes.forms.base import text
from changes.models import Cell, Module, ReleaseCheck
from changes.services.releasing import Answer
from portal.lib.choosing import ManyField

BECAUSE = "Say in a few words why it is not needed."
STATES = [(CellState.DONE, "Done"), (CellState.NOT_NEEDED, "Not needed, because"), (CellState.OPEN, "Still open")]
REVIEW = [
    ("review", "Yes: an access review is opened, and the change is not closed before it is done"),
    (CellState.NOT_NEEDED, "No, because"),
    (CellState.OPEN, "Nobody knows yet"),
]


class BecauseForm(forms.Form):
    """Whatever is said not to be needed says why."""

    def clean(self) -> dict[str, Any]:
        """Ask why something is not needed."""
        given = super().clean() or {}
        if given.get("state") == CellState.NOT_NEEDED and not given.get("because"):
            self.add_error("because", BECAUSE)
        return given


class CellForm(BecauseForm):
    """How one check of one module stands. Of a check that opens a review it is a question."""

    state = forms.ChoiceField(
        label="How it stands",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it stands.", "invalid_choice": "Choose how it stands."},
    )
    because = forms.CharField(label="Why it is not needed", required=False, max_length=500)
    evidence = forms.CharField(
        label="What shows it", required=False, max_length=500, help_text="An address, a run of tests, a name."
    )

    def __init__(self, *args: Any, cell: Cell, check: ReleaseCheck, **options: Any) -> None:
        standing = {"state": cell.state, "because": cell.because, "evidence": cell.evidence}
        if check.opens_review and cell.state == CellState.DONE:
            standing["state"] = "review"
        options["initial"] = {**standing, **(options.get("initial") or {})}
        super().__init__(*args, **options)
        state = self.fields["state"]
        state.choices = REVIEW if check.opens_review else STATES  # type: ignore[attr-defined]
        if check.opens_review:
            state.label = "Is an access review needed?"

    def answer(self) -> Answer:
        """Return what was said, for the services."""
        given = self.cleaned_data
        if given["state"] == "review":
            return Answer(CellState.DONE, evidence=given["evidence"], opens_review=True)
        because = given["because"] if given["state"] == CellState.NOT_NEEDED else ""
        return Answer(given["state"], because=because, evidence=given["evidence"])


class RowForm(BecauseForm):
    """Several open checks of one module at once."""

    checks = ManyField(
        label="Checks",
        queryset=ReleaseCheck.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one check."},
    )
    state = forms.ChoiceField(
        label="How they stand",
        choices=STATES[:2],
        initial=CellState.DONE,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how they stand."},
    )
    because = text("Why they are not needed", limit=500, rows=2, required=False)
    evidence = forms.CharField(label="What shows it", required=False, max_length=500)

    def __init__(self, *args: Any, checks: Any, **options: Any) -> None:
        options["initial"] = {"checks": [check.pk for check in checks], **(options.get("initial") or {})}
        super().__init__(*args, **options)
        self.fields["checks"].queryset = checks  # type: ignore[attr-defined]

    def said(self) -> dict[ReleaseCheck, Answer]:
        """Return what was said of each check, for the services."""
        given = self.cleaned_data
        because = given["because"] if given["state"] == CellState.NOT_NEEDED else ""
        one = Answer(given["state"], because=because, evidence=given["evidence"])
        return dict.fromkeys(given["checks"], one)


class CarryForm(forms.Form):
    """For which modules the answers of the last release are taken over."""

    modules = ManyField(
        label="Modules",
        queryset=Module.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one module."},
    )

    def __init__(self, *args: Any, modules: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["modules"].queryset = modules  # type: ignore[attr-defined]
