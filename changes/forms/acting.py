"""The forms of the verbs of a change."""

from __future__ import annotations

from typing import Any

from django import forms

from changes.conflicts import Conflict
from changes.enums import GateResult, GateSource, Impact, Likelihood, Outcome
from changes.forms.base import PersonField, offer, text
from changes.models import Change, Freeze, Gate
from changes.services.freezing import AUTHORITY
from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG
from portal.lib.moments import MomentField
from portal.lib.once import TimedForm
from portal.records import linking

WHY = "Say in a sentence why. It is kept in the history."
AGAIN = "Open the page again, read it, then decide."


class ActForm(TimedForm):
    """The form of one verb on one change. `words` is what the services are given besides by and at."""

    reason = text("Reason", limit=500, rows=2, required=False, help_text="Kept in the history of the change.")

    def __init__(self, *args: Any, change: Change, **options: Any) -> None:
        super().__init__(*args, **options)
        self.change = change

    def words(self) -> dict[str, Any]:
        """Return the keyword arguments for the service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "once"}


class ReasonForm(ActForm):
    """A verb that needs its reason."""

    reason = text("Reason", limit=500, rows=2, missing=WHY)


def _choice(label: str, choices: Any, missing: str) -> Any:
    return forms.TypedChoiceField(
        label=label,
        choices=choices,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
    )


class AssessForm(ActForm):
    """How much it would touch if it went wrong, and how likely that is."""

    impact = _choice("If it went wrong, who would notice", Impact.choices, "Choose how much it would touch.")
    likelihood = _choice("How well is it known", Likelihood.choices, "Choose how likely it is to go wrong.")

    field_order = ["impact", "likelihood", "reason"]


class EmergencyForm(ReasonForm):
    """On whose word it starts at once."""

    authority = PersonField(label="On the authority of", missing="Name who allows it to start before it is approved.")

    field_order = ["authority", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = User.objects.visible_to(self.user).filter(is_active=True, groups__name=BY_SLUG[AUTHORITY].name)
        near = [pk for pk in (self.change.requester_id, self.change.implementer_id) if pk]
        offer(self, "authority", people.exclude(pk__in=near).order_by("last_name", "username"))


class CloseForm(ActForm):
    """How it ended, and what is learned from it."""

    outcome = forms.ChoiceField(
        label="How did it end",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it ended.", "invalid_choice": "Choose how it ended."},
    )
    review = text(
        "Post-implementation review", limit=10000, rows=6, required=False,
        help_text="What happened, why, and what follows from it. Needed after a failure, a rollback and an emergency.",
    )  # fmt: skip
    reason = None


class ReviewForm(ActForm):
    """What is learned from a change."""

    review = text(
        "Post-implementation review", limit=10000, rows=8,
        missing="Write what happened, why, and what follows from it.",
    )  # fmt: skip
    reason = None


class OverrideForm(ReasonForm):
    """Through which freeze, and why."""

    freeze = forms.ModelChoiceField(
        label="Freeze", queryset=Freeze.objects.none(), empty_label=None, widget=forms.RadioSelect,
        error_messages={"required": "Choose the freeze.", "invalid_choice": "This freeze does not stop the change."},
    )  # fmt: skip

    field_order = ["freeze", "reason"]

    def __init__(self, *args: Any, conflicts: list[Conflict], **options: Any) -> None:
        super().__init__(*args, **options)
        stopping = [one.freeze_id for one in conflicts if one.freeze_id is not None and one.weight == "stops"]
        offer(self, "freeze", Freeze.objects.visible_to(self.user).filter(pk__in=stopping))


class GateForm(ActForm):
    """What was found of one prerequisite, and what shows it."""

    gate = forms.ModelChoiceField(
        label="Gate", queryset=Gate.objects.none(), empty_label=None, widget=forms.RadioSelect,
        error_messages={"required": "Choose the gate.", "invalid_choice": "Choose a gate that is asked."},
    )  # fmt: skip
    result = forms.ChoiceField(
        label="Result",
        choices=GateResult.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether it passed or failed.", "invalid_choice": "Say whether it passed."},
    )
    commit = forms.CharField(label="Commit", required=False, max_length=64, help_text="7 to 64 hexadecimal digits.")
    url = forms.URLField(
        label="Where it can be seen", required=False, max_length=500, assume_scheme="https",
        error_messages={"invalid": "Give the whole address; it begins with https://."},
    )  # fmt: skip
    note = text("In words", limit=500, rows=2, required=False)
    reason = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        offer(self, "gate", Gate.objects.visible_to(self.user).filter(active=True).exclude(source=GateSource.PORTAL))


class NoteForm(ActForm):
    """A line for the timeline."""

    text = text("Note", limit=4000, rows=4, missing="Write what you saw or did.")
    event_at = MomentField(label="Happened at", required=False, help_text="Empty: now.")
    reason = None

    def clean_event_at(self) -> Any:
        """Refuse a moment that has not come."""
        return self.past("event_at")


class LinkForm(ActForm):
    """Another record, and what the change has to do with it."""

    kind = forms.ChoiceField(
        label="This change",
        choices=[
            ("fixes", "fixes it"),
            ("caused", "caused it"),
            ("suspect", "may have caused it"),
            ("carries_out", "carries it out, as planned work"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Say what the change has to do with it.", "invalid_choice": "Choose one."},
    )
    other = forms.CharField(
        label="Reference", max_length=20, help_text="Such as INC-000042.",
        error_messages={"required": "Give the reference of the incident."},
    )  # fmt: skip

    field_order = ["other", "kind", "reason"]

    def clean_other(self) -> Any:
        """Return the record; ValidationError is raised when there is none that the reader may see."""
        found = linking.by_reference(self.cleaned_data["other"], user=self.user)
        if found is None:
            raise forms.ValidationError("No such record can be seen. Check the reference.")
        return found


class UnlinkForm(ReasonForm):
    """A link that no longer holds."""

    kind = forms.CharField(widget=forms.HiddenInput, max_length=40)
    other = forms.CharField(widget=forms.HiddenInput, max_length=20)

    clean_other = LinkForm.clean_other


class DecideForm(TimedForm):
    """Approve or reject at one stage, on the text of one digest."""

    stage = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**62)
    digest = forms.RegexField("^[0-9a-f]{64}$", widget=forms.HiddenInput)
    verdict = forms.ChoiceField(
        choices=[("approve", "Approve"), ("reject", "Reject")], error_messages={"required": "Approve or reject."}
    )
    reason = text(
        "Reason", limit=1000, required=False,
        help_text="Needed to reject. It is kept for good and sent to the requester.",
    )  # fmt: skip
    seen = forms.BooleanField(required=False)

    def __init__(self, *args: Any, moved: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.moved = moved
        if moved:
            what = "difference" if moved == 1 else f"{moved} differences"
            self.fields["seen"].label = f"I have read the {what} since submission"
        else:
            del self.fields["seen"]

    def clean(self) -> dict[str, Any]:
        """Ask whoever approves whether they have read what moved."""
        given = super().clean() or {}
        if self.moved and given.get("verdict") == "approve" and not given.get("seen"):
            self.add_error("seen", "Read what changed since it was submitted, then say so here.")
        return given
