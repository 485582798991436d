"""The forms of approvals. Each acts once, names its reason, and is bound to what its page showed."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.accounts.models import User
from portal.approvals.enums import Verdict
from portal.approvals.policy import NO_WORDS
from portal.lib.once import OnceForm, once_field

LONGEST_REASON = 1000
AGAIN = "Open the page again, read it, then decide."


class AccountField(forms.ModelChoiceField):
    """An account that can still sign in, or nobody."""

    def __init__(self, **options: Any) -> None:
        messages = {"invalid_choice": "Choose somebody who can sign in."}
        super().__init__(queryset=User.objects.none(), required=False, error_messages=messages, **options)
        self.empty_label = "Nobody in particular"


def _reason(label: str, *, required: bool = True, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST_REASON,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": NO_WORDS, "max_length": f"Keep it under {LONGEST_REASON:,} characters."},
    )


class ApprovalForm(OnceForm):
    """A form of approvals: it acts once, and offers as implementers those who can sign in."""

    once = once_field(AGAIN)

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "implementer" in self.fields:
            people = User.objects.visible_to(user).filter(is_active=True).order_by("last_name", "username")
            self.fields["implementer"].queryset = people  # type: ignore[attr-defined]


class DecideForm(ApprovalForm):
    """Approve or deny, at one stage, on the text of one digest."""

    stage = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**62)
    digest = forms.RegexField("^[0-9a-f]{64}$", widget=forms.HiddenInput)
    verdict = forms.ChoiceField(choices=Verdict.choices, error_messages={"required": "Approve or deny."})
    reason = _reason(
        "Reason", required=False, help_text="Needed to deny. It is kept for good and sent to whoever asked."
    )


class WithdrawForm(ApprovalForm):
    """Take a request back."""

    reason = _reason("Why you withdraw it", help_text="Kept with the request, and sent to whoever was asked.")


class AskForm(ApprovalForm):
    """Ask for the approval of what the page shows."""

    digest = forms.RegexField("^[0-9a-f]{64}$", widget=forms.HiddenInput)
    reason = _reason("Why it should be approved", help_text="Whoever decides reads it first.")
    implementer = AccountField(
        label="Carried out by",
        help_text="Whoever carries it out cannot decide on it. Naming somebody later voids the decisions.",
    )


class ImplementerForm(ApprovalForm):
    """Name another implementer."""

    implementer = AccountField(label="Carried out by", help_text="They cannot decide on it.")
    reason = _reason("Why it changes", help_text="The decisions so far become void; every stage decides anew.")
