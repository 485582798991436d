"""Forms of the directory's pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.accounts.models import User
from portal.audit.asking import ReasonField
from portal.directory.models import Contact, Team
from portal.lib.moments import MomentField


class PutOnCallForm(forms.Form):
    """Who is on call for a team, until when. Times are read in the reader's zone."""

    contact = forms.ModelChoiceField(
        Contact.objects.none(),
        label="Person",
        error_messages={
            "required": "Choose who is on call.",
            "invalid_choice": "That person has left or is not in the directory. Choose somebody else.",
        },
    )
    starts = MomentField(
        label="From",
        required=False,
        help_text="Empty means from now on.",
        error_messages={"invalid": "Give a day and an hour."},
    )
    until = MomentField(
        help_text="Nobody is on call after it unless somebody follows.",
        error_messages={"required": "Say until when.", "invalid": "Give a day and an hour."},
    )
    reason = ReasonField(
        help_text="Kept in the history, such as: stands in for Mei until Monday.",
        error_messages={"required": "Say why: it decides who is called."},
    )

    def __init__(self, *args: Any, team: Team, user: User, at: datetime, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"until": a_week_on(at)})
        super().__init__(*args, **kwargs)
        people = Contact.objects.visible_to(user).filter(active=True).order_by("name")
        field = cast("forms.ModelChoiceField[Contact]", self.fields["contact"])
        field.queryset = people
        field.choices = self._by_membership(team, list(people))

    @staticmethod
    def _by_membership(team: Team, people: list[Contact]) -> list[tuple[str, Any]]:
        members = set(team.members.values_list("pk", flat=True))
        inside = [(person.pk, person.name) for person in people if person.pk in members]
        outside = [(person.pk, person.name) for person in people if person.pk not in members]
        groups = [(team.name, inside), ("Other people", outside)]
        return [("", "Choose a person"), *((name, choices) for name, choices in groups if choices)]


def a_week_on(at: datetime) -> datetime:
    """Return nine in the morning, a week after the local day of `at`: the end that the form proposes."""
    local = timezone.localtime(at) + timedelta(days=7)
    return local.replace(hour=9, minute=0, second=0, microsecond=0)


def add_refusal(form: forms.Form, refusal: ValidationError) -> None:
    """Show what a service refused in the form: beside the field that it names, else above all of them."""
    named = refusal.message_dict if hasattr(refusal, "error_dict") else {"": refusal.messages}
    for name, sentences in named.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)
