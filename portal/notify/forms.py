"""Forms of one's own contact methods."""

from __future__ import annotations

from django import forms
from django.conf import settings

from portal.directory.enums import BY_TWILIO, MethodKind


def kinds() -> list[tuple[str, str]]:
    """Return the kinds of contact methods that this portal can use, with their names."""
    return [(kind.value, str(kind.label)) for kind in MethodKind if settings.TWILIO_URL or kind not in BY_TWILIO]


class AddMethodForm(forms.Form):
    """A new way to be reached. The service checks that the address has the form of its kind."""

    kind = forms.ChoiceField(
        choices=kinds,
        error_messages={"required": "Choose what kind of address it is.", "invalid_choice": "Choose one of the kinds."},
    )
    address = forms.CharField(
        max_length=300,
        help_text="amara@example.org, +44 20 7946 0018, ntfys://ntfy.sh/my-topic, pover://user-key@token, or the "
        "webhook of Slack or of a Teams workflow.",
        error_messages={"required": "Write the address.", "max_length": "Keep the address under 300 characters."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class CodeForm(forms.Form):
    """The code that was sent to a contact method."""

    code = forms.RegexField(
        r"^\s*[0-9]{3}\s?[0-9]{3}\s*\Z",
        error_messages={
            "required": "Type the six figures of the code.",
            "invalid": "The code has six figures. Type them as they stand in the message.",
        },
    )
