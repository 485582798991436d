"""Forms of one's own contact methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings

from portal.directory.enums import BY_TWILIO, MethodKind, Occasion
from portal.directory.models import ContactMethod, NotificationRule, Severity
from portal.directory.models.people import LONGEST_BUNDLE
from portal.lib import durations
from portal.lib.widgets import Hour

DELAYS = (0, 60, 120, 300, 600, 900, 1800, 3600)
BUNDLES = (0, 30, 60, 120, 300, LONGEST_BUNDLE)


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


class RulesForm(forms.Form):
    """Over which methods somebody is paged on an occasion, each after how long. A field for each method."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        methods: Sequence[ContactMethod],
        rules: Sequence[NotificationRule],
        occasion: str,
    ) -> None:
        super().__init__(data, auto_id=f"{occasion}-%s")
        self.methods = methods
        set_to = {row.method_id: row.delay_seconds for row in rules}
        for method in methods:
            seconds = set_to.get(method.pk)
            delays = sorted({*DELAYS, seconds} - {None}, key=lambda delay: delay or 0)
            choices = [(str(delay), f"after {durations.words(delay or 0)}" if delay else "at once") for delay in delays]
            self.fields[f"method-{method.pk}"] = forms.ChoiceField(
                label=f"{method.get_kind_display()}, {method.shown_address}",
                choices=[("", "not used"), *choices],
                initial="" if seconds is None else str(seconds),
                required=False,
                error_messages={"invalid_choice": "Choose one of the times."},
            )
        self.is_set = bool(set_to)
        self.occasion = Occasion(occasion)

    def steps(self) -> list[tuple[int, int]]:
        """Return the chosen methods by id, each with its seconds."""
        chosen = {method.pk: self.cleaned_data[f"method-{method.pk}"] for method in self.methods}
        return [(pk, int(seconds)) for pk, seconds in chosen.items() if seconds]


class HoursForm(forms.Form):
    """Quiet hours, and how long further pages are gathered."""

    quiet_from = forms.TimeField(
        label="From", required=False, widget=Hour, error_messages={"invalid": "Give an hour, as in 22:00."}
    )
    quiet_until = forms.TimeField(
        label="Until", required=False, widget=Hour, error_messages={"invalid": "Give an hour, as in 07:00."}
    )
    bundle_seconds = forms.TypedChoiceField(
        label="Gather further pages for",
        choices=[(seconds, durations.words(seconds) if seconds else "not at all") for seconds in BUNDLES],
        coerce=int,
        help_text="The first page leaves at once. What follows within this time leaves as one message.",
        error_messages={"required": "Choose a time.", "invalid_choice": "Choose one of the times."},
    )


class TestForm(forms.Form):
    """As which severity a test page is sent."""

    __test__ = False  # pytest collects what is called so

    severity = forms.ModelChoiceField(
        Severity.objects.order_by("level"),
        label="As an incident of",
        empty_label=None,
        error_messages={"required": "Choose a severity.", "invalid_choice": "Choose one of the severities."},
    )
