"""How each kind of address reads what is posted to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from incidents.enums import IntakeKind
from incidents.intake import (
    alertmanager,
    generic,
    grafana,
    mail,
    pagerduty,
    plain,
    presets,
    reading,
    settling,
    sns,
    uptimekuma,
)
from incidents.intake.generic import Form, Line, Match
from incidents.intake.report import Report
from incidents.models import Alert, IntakeToken, PayloadLine, StatusWord

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
    if token.kind == IntakeKind.EMAIL:
        return Reading(_of_mail(token, mail.read(body)))
    data = reading.read_json(body)
    try:
        return _read(token, data)
    except reading.Unreadable as refusal:
        raise presets.advised(refusal, data, token.kind) from None


def _read(token: IntakeToken, data: Mapping[str, object]) -> Reading:
    try:
        if token.kind == IntakeKind.GENERIC:
            return _by_mapping(token, data)
        return Reading(PARSERS[token.kind](data))
    except RecursionError:
        raise reading.Unreadable(400, reading.TOO_DEEP) from None


def _of_mail(token: IntakeToken, found: mail.Mail) -> Report:
    """Return what a mail says. One that answers another is about the same alert, and keeps the id of the first."""
    mine = Alert.objects.filter(token=token).order_by("-id")
    thread = mine.filter(labels__message_id__in=found.thread).first() if found.thread else None
    report = mail.report_of(found, _words(token), thread_key=thread.key if thread is not None else "")
    first = thread or mine.filter(key=settling.short_key(report.key), firing=True).first()
    if first is None or "message_id" not in first.labels:
        return report
    return replace(report, labels={**report.labels, "message_id": first.labels["message_id"]})


def _words(token: IntakeToken) -> dict[str, str]:
    own = StatusWord.objects.filter(token=token).values_list("word", "means")
    return {word.casefold(): means for word, means in own}


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
    return Form(token.name, lines, {**presets.WORDS, **_words(token)})
