"""How a form asks why: the field, the page of an act that needs nothing else, and a form refused for want of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest

from portal.audit.reasons import REASON_LENGTH, SAY_WHY, one_line

FIELD = "change_reason"


class ReasonField(forms.CharField):
    """Why something is done, in one line; it is kept in the history for good."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", "Reason")
        options.setdefault("help_text", "Kept in the history for good.")
        options.setdefault("max_length", REASON_LENGTH)
        options["error_messages"] = {
            "required": "Say why, in a few words.",
            "max_length": f"Keep the reason under {REASON_LENGTH} characters.",
            **options.get("error_messages", {}),
        }
        options.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        super().__init__(**options)

    def to_python(self, value: Any) -> str:
        """Return the reason as one line."""
        return one_line(str(super().to_python(value)))


class ReasonForm(forms.Form):
    """The page of an act that needs nothing but its reason."""

    change_reason = ReasonField()


class WithoutReason(forms.BaseModelForm):
    """Put before a model form: it is refused, because what it was about to save needs a reason."""

    reason_sentence: ClassVar[str] = SAY_WHY

    def full_clean(self) -> None:
        """Say so beside the reason; every other error is said too."""
        super().full_clean()
        if self.is_bound:
            self.errors[FIELD] = self.error_class([self.reason_sentence])


def reason_of(request: HttpRequest) -> str:
    """Return the reason that a record's form was sent with; "" when there is none."""
    return one_line(request.POST.get(FIELD, ""))[:REASON_LENGTH]


def without_reason(form: type[Any], sentence: str) -> type[Any]:
    """Return the form class so that it is refused for want of a reason."""
    return type(form.__name__, (WithoutReason, form), {"reason_sentence": sentence})
