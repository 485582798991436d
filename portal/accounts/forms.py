"""Forms of one's own account."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

from portal.accounts import proving, throttle
from portal.accounts.models import User

WRONG = "User name and password do not fit together. Check both and try again."


class SignInForm(AuthenticationForm):
    """User name and password. One sentence for every failure, so that it never says which accounts exist.

    `wait` says that passwords of this name are not looked at just now, and what to do.
    """

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at, self.wait = at, ""

    def clean(self) -> dict[str, Any]:
        """Count the try of a name before its password is looked at; refuse it while it has to wait.

        An address that is locked for this name is refused by django-axes, and counts no more.
        """
        name, request = self.cleaned_data.get("username", ""), cast(Any, self.request)
        given = name and self.cleaned_data.get("password")
        if not given or not AxesProxyHandler.is_allowed(request, {"username": name}):
            return super().clean()
        try:
            count = throttle.try_name(name, request.META.get("REMOTE_ADDR", ""), at=self.at)
        except throttle.TooManyTries as refused:
            self.wait = str(refused)
            raise forms.ValidationError(self.wait) from refused
        request.sign_in_waits = throttle.told_wait(count)
        found = super().clean()
        throttle.fitted(count)
        return found


class PasswordForm(PasswordChangeForm):
    """A new password, asked for with the old one. `why_not` says why the old one was refused.

    A wrong one counts with every other wrong proof of the account: see portal.accounts.throttle.
    """

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at, self.why_not = at, ""
        self.fields[
            "new_password1"
        ].help_text = "At least 12 characters: not numbers alone, not a common password, not like your name."
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        """Return the old password; refuse a wrong one, and each once too much was wrong."""
        try:
            throttle.spend(self.user, at=self.at)
        except throttle.TooManyProofs as refused:
            self.why_not = proving.LOCKED
            raise forms.ValidationError(str(refused)) from refused
        try:
            given: str = super().clean_old_password()
        except forms.ValidationError:
            self.why_not = "wrong password"
            raise
        throttle.forget(self.user)
        return given


class ProfileForm(forms.ModelForm):
    """What people may change about their own account."""

    class Meta:
        model = User
        fields = ["first_name", "last_name", "time_zone"]
        help_texts = {"time_zone": "Times are shown to you in this zone, such as Europe/London or Asia/Tokyo."}
