"""The forms that ask for an export: in which format, of which period, and why."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from portal.accounts.models import User
from portal.assurance.exporting.enums import ExportFormat
from portal.assurance.exporting.policy import Refused
from portal.assurance.exporting.sources import Source
from portal.assurance.packets.asking import LONGEST_SEED, MOST_SAMPLED, SEED_SENTENCE, SIZE, Asked, days
from portal.assurance.selectors.trail_filters import Filters
from portal.audit.asking import ReasonField
from portal.lib.widgets import Day
from portal.lib.zones import zone_or_utc

LATEST_YEAR = 2999
DAY = {"required": "Choose a day.", "invalid": "Write a day, such as 30 Nov 2026."}

EXPLAINED = {
    ExportFormat.XLSX: "Excel: for reading and sorting.",
    ExportFormat.CSV: "CSV: for spreadsheets and other programs, in UTF-8.",
    ExportFormat.JSONL: "JSON Lines: for programs; every text exactly as it was written.",
}


class AskForm(forms.Form):
    """In which format a list is wanted, and why."""

    format = forms.ChoiceField(
        label="Format",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a format.", "invalid_choice": "Choose one of these formats."},
    )
    reason = ReasonField(
        label="Why you take this out of the portal",
        help_text="Kept in the trail for good, with the figures of the file.",
    )

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["format"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [(choice.value, EXPLAINED.get(choice, choice.label)) for choice in source.formats]
        field.initial = source.formats[0].value

    def parameters(self) -> dict[str, Any]:
        """Return how the form narrows the export; the address of its page narrows it too."""
        return {}


class PacketForm(AskForm):
    """A period of the trail, how many of its rows are drawn, and the seed that they are drawn with."""

    first_day = forms.DateField(label="First day", widget=Day, error_messages=DAY)
    last_day = forms.DateField(label="Last day", widget=Day, error_messages=DAY)
    privileged = forms.BooleanField(
        label="Only privileged records", required=False, help_text="Policies, roles, accounts, approvals and the like."
    )
    size = forms.IntegerField(
        label="Records in the sample",
        initial=25,
        min_value=1,
        max_value=MOST_SAMPLED,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), SIZE),
    )
    seed = forms.CharField(
        label="Seed",
        max_length=LONGEST_SEED,
        help_text="The sample follows from it. Type one of your own, so that nobody here could know it before.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": SEED_SENTENCE, "max_length": SEED_SENTENCE},
    )
    field_order = ["first_day", "last_day", "privileged", "size", "seed", "reason"]

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["format"].initial = ExportFormat.PACKET.value

    def clean(self) -> dict[str, Any] | None:
        """Refuse a period or a seed that means nothing, each beside its field."""
        found = super().clean()
        if {"first_day", "last_day"} <= self.cleaned_data.keys():
            if self.cleaned_data["first_day"] > self.cleaned_data["last_day"]:
                self.add_error("last_day", "The last day must not come before the first.")
            elif max(self.cleaned_data["first_day"], self.cleaned_data["last_day"]).year > LATEST_YEAR:
                self.add_error("last_day", "Choose a day of this century.")
        if not self.errors:
            try:
                self.parameters()
            except Refused as refusal:
                self.add_error("seed", str(refusal))
        return found

    def parameters(self) -> dict[str, Any]:
        """Return the period from the beginning of the first day to the end of the last, in the reader's zone."""
        given = self.cleaned_data
        starts, ends = days(given["first_day"], given["last_day"], self.zone)
        return Asked(starts, ends, given["size"], given["seed"], given["privileged"]).parameters()


def form_of(source: Source, user: User, data: Any = None, *, filters: Filters | None = None, at: datetime) -> AskForm:
    """Return the form that asks for an export of this source. The seed that it offers is random.

    `filters` of the trail fill the period in.
    """
    if ExportFormat.PACKET not in source.formats:
        return AskForm(data, source=source)
    zone = zone_or_utc(user.time_zone)
    offered: dict[str, Any] = {"seed": secrets.token_hex(8), "last_day": at.astimezone(zone).date()}
    if filters is not None:
        offered |= _period(filters, zone, at) | {"privileged": filters.what == "privileged"}
    return PacketForm(data, source=source, zone=zone, initial=offered)


def _period(filters: Filters, zone: ZoneInfo, at: datetime) -> dict[str, date]:
    """Return the first and the last day that filters of the trail ask for, as far as they do."""
    with timezone.override(zone):
        starts, ends = filters.bounds(at)
    found = {"first_day": starts.astimezone(zone).date()} if starts else {}
    return found | ({"last_day": (ends.astimezone(zone) - timedelta(microseconds=1)).date()} if ends else {})
