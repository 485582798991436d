"""The forms of what is done to restricted and to security incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms

from incidents.enums import AttackVector, ContainmentState, FunctionalImpact, InformationImpact, Recoverability
from incidents.forms import ActForm, ReasonForm
from incidents.models import AccessGrant, ContainmentStep
from portal.accounts.models import User
from portal.lib.moments import MomentField


class AccessForm(ReasonForm):
    """Who may read a restricted incident, and until when."""

    account = forms.ModelChoiceField(
        label="Account",
        queryset=User.objects.none(),
        empty_label="Choose an account",
        error_messages={
            "required": "Choose who may read it.",
            "invalid_choice": "This account is closed. Choose another.",
        },
    )
    until = MomentField(
        label="Until",
        required=False,
        help_text="Empty: until somebody takes it back.",
    )

    field_order = ["account", "until", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = cast(forms.ModelChoiceField, self.fields["account"])
        field.queryset = User.objects.visible_to(self.user).filter(is_active=True).exclude(pk=self.user.pk)

    def clean_until(self) -> datetime | None:
        """Refuse a moment that has passed."""
        until: datetime | None = self.cleaned_data.get("until")
        if until is not None and until <= self.at:
            raise forms.ValidationError("That moment has passed. Choose a later one, or none.")
        return until


class RevokeForm(ReasonForm):
    """Whose access is taken back."""

    grant = forms.ModelChoiceField(
        label="Access",
        queryset=AccessGrant.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose whose access you take back.",
            "invalid_choice": "That access was taken back already.",
        },
    )

    field_order = ["grant", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = cast(forms.ModelChoiceField, self.fields["grant"])
        grants = AccessGrant.objects.visible_to(self.user).filter(incident=self.incident, revoked_at=None)
        field.queryset = grants.select_related("user", "incident")


def _answers(label: str, choices: Any, help_text: str = "") -> Any:
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[("", "Not known yet"), *choices.choices],
        help_text=help_text,
        error_messages={"invalid_choice": "Choose one of the answers."},
    )


class ClassifyForm(ActForm):
    """The four questions of NIST SP 800-61. What is not known yet is left open."""

    functional_impact = _answers("Functional impact", FunctionalImpact)
    information_impact = _answers("Information impact", InformationImpact)
    recoverability = _answers("Recoverability", Recoverability)
    attack_vector = _answers("Attack vector", AttackVector, "It decides which steps of containment are proposed.")

    field_order = ["functional_impact", "information_impact", "recoverability", "attack_vector", "reason"]


class StepForm(ActForm):
    """One more step of containment."""

    text = forms.CharField(
        label="What is to be done",
        max_length=300,
        error_messages={
            "required": "Say what is to be done.",
            "max_length": "Keep it under 300 characters.",
        },
    )

    field_order = ["text", "reason"]


class ContainForm(ActForm):
    """What became of one step of containment. Skipping one needs its reason."""

    step = forms.ModelChoiceField(
        label="Step",
        queryset=ContainmentStep.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose the step.",
            "invalid_choice": "Somebody has settled that step already.",
        },
    )
    state = forms.ChoiceField(
        label="It is",
        choices=[choice for choice in ContainmentState.choices if choice[0] != ContainmentState.OPEN],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether it is done or skipped.", "invalid_choice": "Choose one of the two."},
    )

    field_order = ["step", "state", "reason"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = cast(forms.ModelChoiceField, self.fields["step"])
        steps = ContainmentStep.objects.visible_to(self.user).filter(incident=self.incident)
        field.queryset = steps.filter(state=ContainmentState.OPEN)


class RuleField(forms.BooleanField):
    """Whoever acts says once that they have read the rule of this type of incident."""

    def __init__(self) -> None:
        super().__init__(
            label="I have read the rule above and keep to it.",
            error_messages={"required": "Read the rule above and tick this. You are asked once for each incident."},
        )
