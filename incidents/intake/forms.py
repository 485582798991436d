"""The forms of the pages of sources."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from incidents.intake.reading import BODY_LIMIT
from incidents.models import IntakeToken
from portal.audit.asking import ReasonForm


class TryForm(forms.Form):
    """A payload and the address at which it is tried."""

    source = forms.ModelChoiceField(
        label="Source",
        queryset=IntakeToken.objects.none(),
        empty_label="Choose a source",
        error_messages={
            "required": "Choose the source whose address is meant.",
            "invalid_choice": "This source is not there any more. Choose another.",
        },
    )
    payload = forms.CharField(
        label="Payload",
        max_length=BODY_LIMIT,
        strip=False,
        help_text="Paste what the tool posts. Nothing is written, and nobody is paged.",
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "mono"}),
        error_messages={
            "required": "Paste the payload that the tool posts.",
            "max_length": "It is larger than 256 KiB, which every address refuses with 413.",
        },
    )

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        chosen = cast(forms.ModelChoiceField, self.fields["source"])
        chosen.queryset = IntakeToken.objects.visible_to(user).filter(revoked_at=None).order_by("name")
        chosen.label_from_instance = lambda obj: f"{obj.name} ({obj.get_kind_display()})"  # type: ignore[method-assign]


class PinForm(ReasonForm):
    """The certificate that signatures of a topic are checked by."""

    certificate = forms.CharField(
        label="Certificate",
        required=False,
        max_length=10_000,
        help_text="In PEM, from BEGIN CERTIFICATE to END CERTIFICATE. Empty: it is fetched from SNS again.",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        error_messages={"max_length": "That is longer than any certificate. Paste one alone."},
    )
    field_order = ("certificate", "change_reason")
