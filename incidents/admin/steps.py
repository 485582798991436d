"""The steps of an escalation policy and whom they page, as one form on the policy's page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet

from incidents.enums import TargetKind
from incidents.models import EscalationPolicy, EscalationStep, EscalationTarget
from incidents.policies import LONGEST_DELAY, MOST_STEPS, StepDraft, key_of
from portal.directory.enums import EmergencyRole
from portal.directory.models import Channel, Contact, Team
from portal.lib import durations

KINDS = {
    "teams": TargetKind.TEAM,
    "people": TargetKind.PERSON,
    "roles": TargetKind.ROLE,
    "channels": TargetKind.CHANNEL,
}
LAST = 10_000


def read_wait(text: str, *, least: int = 0) -> int:
    """Return a wait in seconds, such as of "5 min"; ValidationError says what to write instead."""
    try:
        span = durations.parse(text if not text.strip().isdigit() else f"{text} min")
    except ValueError as problem:
        raise forms.ValidationError(str(problem)) from None
    if not timedelta(seconds=least) <= span <= timedelta(seconds=LONGEST_DELAY):
        raise forms.ValidationError("Choose a wait of at most a day, such as 5 min.")
    return int(span.total_seconds())


@dataclass(slots=True)
class Choices:
    """What the targets of a step are chosen from, read once for all steps of a page."""

    teams: list[tuple[str, str]] = field(default_factory=list)
    people: list[tuple[str, str]] = field(default_factory=list)
    channels: list[tuple[str, str]] = field(default_factory=list)
    roles: list[tuple[str, str]] = field(default_factory=lambda: list(EmergencyRole.choices))

    @classmethod
    def of(cls, user: Any, policy: EscalationPolicy | None) -> Choices:
        """Read what the reader may choose, and what the policy names already although it is gone."""
        named: dict[str, set[int | None]] = {"team": set(), "contact": set(), "channel": set()}
        if policy is not None:
            for target in EscalationTarget.objects.filter(step__policy=policy):
                for kind, ids in named.items():
                    ids.add(getattr(target, f"{kind}_id"))
        return cls(
            teams=_options(Team, user, named["team"]),
            people=_options(Contact, user, named["contact"]),
            channels=_options(Channel, user, named["channel"]),
        )


def _options(model: Any, user: Any, named: set[int | None]) -> list[tuple[str, str]]:
    mine = model.objects.visible_to(user).filter(active=True)
    rows = {row.pk: row for row in (*mine, *model.objects.filter(pk__in=named - {None}))}
    words = {pk: f"{row}{'' if row.active else ' (no longer active)'}" for pk, row in rows.items()}
    return [(str(pk), label) for pk, label in sorted(words.items(), key=lambda item: item[1].casefold())]


def _boxes(label: str, help_text: str = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, widget=forms.CheckboxSelectMultiple, help_text=help_text
    )


class StepForm(forms.ModelForm):
    """One step: its place, its wait, and whom it pages."""

    place = forms.IntegerField(
        label="Order", required=False, min_value=1, max_value=99, help_text="Empty: after the others."
    )
    wait = forms.CharField(
        label="Waits", max_length=40, initial="5 min", help_text="After the step before it. 0 min pages at once."
    )
    teams = _boxes("Whoever is on call for")
    roles = _boxes("Emergency role of the systems", "Whom each affected system names in that role.")
    people = forms.MultipleChoiceField(
        label="People", required=False, widget=forms.SelectMultiple(attrs={"size": 5}), help_text="Ctrl adds another."
    )
    channels = _boxes("Channels")
    remove = forms.BooleanField(label="Take this step away", required=False)

    class Meta:
        model = EscalationStep
        fields: list[str] = []

    def __init__(self, *args: Any, choices: Choices, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in KINDS:
            self.fields[name].choices = getattr(choices, name)  # type: ignore[attr-defined]
        if self.instance.pk is None:
            self.fields["remove"].widget = forms.HiddenInput()
            return
        self.initial["place"] = self.instance.position
        self.initial["wait"] = durations.words(self.instance.delay_seconds) if self.instance.delay_seconds else "0 min"
        targets = [key_of(target) for target in self.instance.targets.all()]
        for name, kind in KINDS.items():
            self.initial[name] = [str(value) for found, value in targets if found == kind]

    def clean_wait(self) -> int:
        """Return the wait in seconds."""
        return read_wait(self.cleaned_data["wait"])

    def draft(self) -> StepDraft:
        """Return the step as the form has it."""
        data = self.cleaned_data
        targets = tuple(
            (kind.value, value if kind == TargetKind.ROLE else int(value))
            for name, kind in KINDS.items()
            for value in data.get(name, ())
        )
        return StepDraft(self.instance.pk, data["wait"], targets)


class StepFormSet(BaseInlineFormSet):
    """All steps of a policy."""

    choices: Choices

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Hand the choices to each step."""
        return {**super().get_form_kwargs(index), "choices": self.choices}

    def clean(self) -> None:
        """Refuse more steps than a policy has room for."""
        super().clean()
        if len(self._used()) > MOST_STEPS:
            raise forms.ValidationError(f"A policy has at most {MOST_STEPS} steps. The steps can repeat instead.")

    def _used(self) -> list[StepForm]:
        filled: list[Any] = [form for form in self.forms if form.instance.pk is not None or form.has_changed()]
        return [form for form in filled if not getattr(form, "cleaned_data", {}).get("remove")]

    def drafts(self) -> list[StepDraft]:
        """Return the steps in their order; those without a place come last, as they stand on the page."""
        return [form.draft() for form in sorted(self._used(), key=lambda form: form.cleaned_data.get("place") or LAST)]
