"""Forms of the on-call pages. Moments are read in the reader's zone, handoffs in the zone of the schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.accounts.models import User
from portal.audit.asking import ReasonField
from portal.directory.enums import TurnUnit
from portal.directory.models import Calendar, Contact, Layer, Schedule, Team
from portal.directory.oncall import hours
from portal.directory.oncall.schedules import Rota
from portal.lib.moments import MomentField
from portal.lib.widgets import Day, Hour
from portal.lib.zones import validate_zone

MOMENT = "%Y-%m-%dT%H:%M"


class AtForm(forms.Form):
    """The moment at which somebody asks who was on call."""

    at = MomentField(label="At this moment")


class ScheduleForm(forms.Form):
    """A new schedule of a team."""

    team = forms.ModelChoiceField(
        Team.objects.none(),
        empty_label="Choose a team",
        error_messages={"required": "Choose the team that is on call.", "invalid_choice": "Choose a team of the list."},
    )
    name = forms.CharField(
        max_length=80, help_text="Such as Primary or Backup.", error_messages={"required": "Give it a name."}
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        validators=[validate_zone],
        help_text="Handoffs keep to the clock of this place, as in Europe/London.",
    )
    reason = ReasonField()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        field.queryset = Team.objects.visible_to(user).filter(active=True).order_by("name")


class LayerForm(forms.Form):
    """A layer: who takes turns, how long they are, and when the layer counts."""

    name = forms.CharField(max_length=80, help_text="Such as Week, Nights or Follow the sun.")
    people = forms.CharField(
        label="People, one on each line, in the order of their turns",
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off"}),
        error_messages={"required": "Name at least one person who takes turns."},
    )
    every = forms.IntegerField(label="A turn lasts", min_value=1, max_value=720, initial=1)
    unit = forms.ChoiceField(label="Counted in", choices=TurnUnit.choices, initial=TurnUnit.WEEKS)
    first_day = forms.DateField(label="First turn begins on", widget=Day, error_messages={"required": "Give a day."})
    handoff = forms.TimeField(label="Handoff at", widget=Hour, initial="09:00")
    hours = forms.CharField(
        label="Only in these hours",
        required=False,
        max_length=300,
        help_text="As in Mon-Fri 18:00-09:00; Sat-Sun 00:00-24:00. Empty means always. A lower layer covers the rest.",
    )
    calendar = forms.ModelChoiceField(
        Calendar.objects.none(),
        required=False,
        label="Only in the working hours of",
        empty_label="No calendar",
        help_text="Its holidays are left out too.",
    )
    position = forms.IntegerField(
        label="Height", min_value=1, max_value=99, initial=1, help_text="The higher layer wins where both count."
    )
    starts = MomentField(label="Counts from", required=False, help_text="Empty means from now on.")
    reason = ReasonField()

    def __init__(self, *args: Any, team: Team, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        calendar = cast("forms.ModelChoiceField[Calendar]", self.fields["calendar"])
        calendar.queryset = Calendar.objects.visible_to(user).order_by("name")
        members = Contact.objects.visible_to(user).filter(teams=team, active=True).order_by("name")
        names = ", ".join(member.name for member in members[:20])
        self.fields["people"].help_text = f"Members of {team}: {names}." if names else "Names as in the directory."

    def clean_people(self) -> list[Contact]:
        """Return the people of these names. Each that nobody has, or more than one, is refused by name."""
        wanted = [" ".join(line.split()) for line in self.cleaned_data["people"].splitlines() if line.strip()]
        found, unknown = people_named(wanted, self.user)
        if unknown:
            raise ValidationError(unknown)
        return found

    def clean_hours(self) -> str:
        """Refuse hours that nobody can read."""
        try:
            return hours.normal(self.cleaned_data["hours"])
        except hours.Unreadable as problem:
            raise ValidationError(str(problem)) from None

    def rota(self) -> Rota:
        """Return what the form says."""
        given = self.cleaned_data
        return Rota(
            name=given["name"],
            members=given["people"],
            first_day=given["first_day"],
            handoff=given["handoff"],
            every=given["every"],
            unit=given["unit"],
            position=given["position"],
            hours=given["hours"],
            calendar=given["calendar"],
        )


def people_named(names: list[str], user: User) -> tuple[list[Contact], list[str]]:
    """Return the active people of these names, in that order, and a sentence for each that nobody or several have."""
    rows = Contact.objects.visible_to(user).filter(active=True)
    by_name: dict[str, list[Contact]] = {}
    for contact in rows:
        by_name.setdefault(contact.name.casefold(), []).append(contact)
    found, refused = [], []
    for name in names:
        match = by_name.get(name.casefold(), [])
        if len(match) == 1:
            found += match
        elif match:
            refused.append(f"Several people are named {name[:60]}. Give one another name in the directory first.")
        else:
            refused.append(f"Nobody in the directory is named {name[:60]}, or they have left.")
    return found, refused


def layer_initial(layer: Layer | None, schedule: Schedule, at: datetime) -> dict[str, Any]:
    """Return what the form of a layer begins with."""
    if layer is None:
        local = timezone.localtime(at)
        return {"name": "Week", "first_day": local.date(), "position": schedule.layers.filter(until=None).count() + 1}
    names = ("name", "every", "unit", "first_day", "handoff", "hours", "calendar", "position")
    people = "\n".join(member.contact.name for member in layer.members.select_related("contact").order_by("position"))
    return {name: getattr(layer, name) for name in names} | {"people": people}


class EndLayerForm(forms.Form):
    """From when on a layer counts no longer."""

    until = MomentField(label="Counts until", required=False, help_text="Empty means until now.")
    reason = ReasonField()


class TakeOverForm(forms.Form):
    """The time in which the reader stands in."""

    starts = MomentField(label="From", required=False, help_text="Empty means from now on.")
    until = MomentField(error_messages={"required": "Say until when."})
    reason = ReasonField(help_text="Kept in the history, such as: Mei is ill.")


class SwapForm(forms.Form):
    """What the reader gives, to whom, and what they take in return."""

    taker = forms.ModelChoiceField(
        Contact.objects.none(),
        label="Ask",
        empty_label="Choose a person",
        error_messages={
            "required": "Choose whom you ask.",
            "invalid_choice": "That person has left or is not in the directory. Choose somebody else.",
        },
    )
    starts = MomentField(label="You give from")
    until = MomentField()
    back_starts = MomentField(label="You take in return from", required=False, help_text="Empty: nothing in return.")
    back_until = MomentField(label="Until", required=False)
    reason = ReasonField(label="Why", help_text="The other person reads it; it is kept in the history.")

    def __init__(self, *args: Any, schedule: Schedule, asker: Contact, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Contact.objects.visible_to(user).filter(active=True)
        near = set(schedule.team.members.values_list("pk", flat=True))
        near |= set(schedule.layers.filter(until=None).values_list("members__contact_id", flat=True))
        field = cast("forms.ModelChoiceField[Contact]", self.fields["taker"])
        field.queryset = people
        rows = list(people.exclude(pk=asker.pk).order_by("name"))  # oneself is not offered, and refused with its reason
        groups = [
            (schedule.team.name, [(one.pk, one.name) for one in rows if one.pk in near]),
            ("Other people", [(one.pk, one.name) for one in rows if one.pk not in near]),
        ]
        field.choices = [("", "Choose a person"), *((name, found) for name, found in groups if found)]

    def clean(self) -> dict[str, Any]:
        """What is returned has a beginning and an end, or neither."""
        given = super().clean() or {}
        if bool(given.get("back_starts")) != bool(given.get("back_until")):
            self.add_error("back_until", "Give both the beginning and the end of what you take in return, or neither.")
        return given

    def back(self) -> tuple[datetime, datetime] | None:
        """Return what is taken in return."""
        given = self.cleaned_data
        return (given["back_starts"], given["back_until"]) if given["back_starts"] else None
