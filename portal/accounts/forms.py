"""Forms of one's own account."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from portal.accounts.models import User

WRONG = "User name and password do not fit together. Check both and try again."


class SignInForm(AuthenticationForm):
    """User name and password. One sentence for every failure, so that it never says which accounts exist."""

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}


class ProfileForm(forms.ModelForm):
    """What people may change about their own account."""

    class Meta:
        model = User
        fields = ["first_name", "last_name", "time_zone"]
        help_texts = {"time_zone": "Times are shown to you in this zone, such as Europe/London or Asia/Tokyo."}
