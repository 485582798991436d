"""Proving who one is: by password, by the code of an app, by a recovery code, or by a passkey.

Each form counts a try before it looks at it, see portal.accounts.throttle.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest

from portal.accounts import factors, passkeys, throttle
from portal.accounts.models import User

WRONG_PASSWORD = "That is not your password. Check it and try again."  # noqa: S105 - a sentence
WRONG_CODE = "That code is not right, or it was used before. Wait for the next one, then try again."
WRONG_PASSKEY = "The passkey did not prove that it is you. Try again, or use a code."
LOCKED = "locked"
CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "maxlength": "20"}


class Proof(forms.Form):
    """What somebody shows to prove who they are. `how` names it once it is right, `why_not` why it was refused.

    `by_passkey` says that a passkey is what the account proves itself with, and a code the exception.
    """

    by_passkey = False

    def __init__(self, request: HttpRequest, user: User, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user, self.at = request, user, at
        self.how = self.why_not = ""

    def tell(self) -> str:
        """Look at what was given: return what it is called, or "" when it is wrong. Subclasses say how."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Refuse what is wrong, and everything once too much was wrong."""
        found: dict[str, Any] = super().clean() or {}
        if self.errors:
            return found
        try:
            throttle.spend(self.user, at=self.at)
        except throttle.TooManyProofs as refused:
            self.why_not = LOCKED
            raise forms.ValidationError(str(refused)) from refused
        self.how = self.tell()
        if self.how:
            throttle.forget(self.user)
        return found


class PasswordProof(Proof):
    """One's password, once more."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True, "required": True}),
        error_messages={"required": "Enter your password."},
    )

    def tell(self) -> str:
        """Return "password" for the right one."""
        if self.user.check_password(self.cleaned_data["password"]):
            return "password"
        self.why_not = "wrong password"
        self.add_error("password", WRONG_PASSWORD)
        return ""


class FactorProof(Proof):
    """The code of the authenticator app, a recovery code, or the answer of a passkey."""

    code = forms.CharField(
        label="Code from your authenticator app",
        max_length=20,
        error_messages={"required": "Enter the code."},
        help_text="Or one of your recovery codes. Each works once.",
        widget=forms.TextInput(attrs=CODE),
    )
    credential = forms.CharField(required=False, max_length=passkeys.LONGEST, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].required = not self.data.get("credential")
        if factors.factors_of(self.user).app is None:
            self.by_passkey = True
            self.fields["code"].label = "Recovery code"
            self.fields["code"].help_text = "Only when your passkey is not at hand. Each works once."

    def tell(self) -> str:
        """Return "passkey", "authenticator app" or "recovery code" for what is right."""
        answer, code = self.cleaned_data.get("credential", ""), self.cleaned_data.get("code", "")
        if answer:
            if passkeys.prove(self.request, self.user, answer, at=self.at):
                return factors.NAMES[factors.Kind.WEBAUTHN]
            self.why_not = "wrong passkey"
            self.add_error(None, WRONG_PASSKEY)
            return ""
        kind = factors.spend_code(self.user, code, at=self.at)
        if kind:
            return factors.NAMES[factors.Kind(kind)]
        self.why_not = "wrong code"
        self.add_error("code", WRONG_CODE)
        return ""


def form_for(request: HttpRequest, user: User, *, at: datetime, data: Any = None) -> Proof:
    """Return the form that this account proves itself with: its second factor when it has one, else its password."""
    if factors.has_factor(user):
        return FactorProof(request, user, data, at=at)
    return PasswordProof(request, user, data, at=at)


def passkey_question(request: HttpRequest, user: User, form: Proof) -> dict[str, Any] | None:
    """Return what the browser asks the passkeys of this account, when the form takes one and they work here."""
    if isinstance(form, FactorProof) and passkeys.has_passkey(request, user):
        return passkeys.ask_for_proof(request, user)
    return None
