"""How each kind of address reads what is posted to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from incidents.enums import IntakeKind
from incidents.intake import alertmanager, generic, grafana, pagerduty, plain, presets, reading, sns, uptimekuma
from incidents.intake.generic import Form, Line, Match
from incidents.intake.report import Report
from incidents.models import IntakeToken, PayloadLine, StatusWord

PARSERS: MappingProxyType[str, Callable[[Mapping[str, object]], Report]] = MappingProxyType(
    {
        IntakeKind.ALERTMANAGER: alertmanager.parse,
        IntakeKind.GRAFANA: grafana.parse,
        IntakeKind.PAGERDUTY: pagerduty.parse,
        IntakeKind.SNS: sns.parse,
        IntakeKind.UPTIME_KUMA: uptimekuma.parse,
        IntakeKind.JSON: plain.parse,
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body says; for the generic kind also by which form, and which of its lines said what."""

    report: Report
    form: str = ""
    matches: tuple[Match, ...] = ()


def read(token: IntakeToken, body: bytes) -> Reading:
    """Return what the body says at this address; reading.Unreadable says why it cannot be read."""
    data = reading.read_json(body)
    try:
        if token.kind == IntakeKind.GENERIC:
            return _by_mapping(token, data)
        return Reading(PARSERS[token.kind](data))
    except reading.Unreadable as refusal:
        better = presets.advice(data, token.kind)
        if not better or better in refusal.sentence:
            raise
        raise reading.Unreadable(refusal.status, f"{refusal.sentence} {better}") from None


def _by_mapping(token: IntakeToken, data: Mapping[str, object]) -> Reading:
    form = form_of(token) or presets.form_of(data)
    report, matches = generic.read(data, form)
    return Reading(report, form.name, tuple(matches))


def form_of(token: IntakeToken) -> Form | None:
    """Return the mapping of an address, or nothing when it has no line of its own."""
    rows = PayloadLine.objects.filter(token=token, active=True).order_by("position", "id")
    lines = tuple(Line(row.field, row.path, row.pk) for row in rows)
    if not lines:
        return None
    own = StatusWord.objects.filter(token=token).values_list("word", "means")
    return Form(token.name, lines, {**presets.WORDS, **{word.casefold(): means for word, means in own}})
