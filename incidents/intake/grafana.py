"""The webhooks of Grafana: unified alerting, whose groups are those of Alertmanager, and the legacy alerts before it.

Unified: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from incidents.enums import Stance
from incidents.intake import alertmanager, reading
from incidents.intake.report import Report, distinct, nothing

# Fields of a group that Alertmanager never sends.
OWN = ("orgId", "title", "state", "message")
SHOWN_MATCHES = 20
FIRES = {"alerting": "", "no_data": "No data: "}
WAITS = {"pending", "unknown"}
# The test of a legacy channel, in the spelling of its versions; compared without a difference of case.
TEST_RULE, TEST_WORDS = "test notification", "someone is testing the alert notification within grafana."


def parse(data: Mapping[str, object]) -> Report:
    """Return what the alert says; reading.Unreadable names the field that is wrong."""
    if "alerts" in data:
        if not any(name in data for name in OWN):
            reading.refuse("orgId, title and state are missing. A group of Grafana's alerting names one of them.")
        return _unified(data)
    if "ruleId" not in data and "evalMatches" not in data:
        reading.refuse("alerts is missing. Grafana's alerting sends a list of alerts, its legacy alerts a ruleId.")
    return _legacy(data)


def _unified(data: Mapping[str, object]) -> Report:
    known = data if data.get("groupKey") else {**data, "groupKey": _first_fingerprint(data)}
    report = alertmanager.parse(known, tool="Grafana")
    if report.stance == Stance.NOTHING:
        return report
    title = report.title
    if not report.label_sets or title == alertmanager.NAMELESS:
        title = reading.line(reading.scalar(data.get("title"), "title")) or title
    links = [found for alert in _objects(data.get("alerts"))[:1] for found in _links(alert)]
    description = "\n".join(part for part in (report.description, *links) if part)
    return replace(report, title=title, description=reading.text(description))


def _first_fingerprint(data: Mapping[str, object]) -> object:
    first = next(iter(_objects(data.get("alerts"))), {})
    return first.get("fingerprint")


def _links(alert: Mapping[str, Any]) -> list[str]:
    named = {"Panel": "panelURL", "Dashboard": "dashboardURL", "Silence": "silenceURL"}
    values = alert.get("valueString")
    shown = [f"Values: {reading.line(values, 500)}"] if isinstance(values, str) and values.strip() else []
    found = {label: reading.web_address(alert.get(name)) for label, name in named.items()}
    return [*shown, *(f"{label}: {address}" for label, address in found.items() if address)]


def _objects(found: object) -> list[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _legacy(data: Mapping[str, object]) -> Report:
    state = reading.line(reading.scalar(data.get("state"), "state"), 40).casefold()
    name = reading.line(reading.scalar(data.get("ruleName"), "ruleName")) or reading.line(
        reading.scalar(data.get("title"), "title")
    )
    message = reading.scalar(data.get("message"), "message")
    if name.casefold() == TEST_RULE and message.strip().casefold() == TEST_WORDS:
        return nothing("test", name, alertmanager.TESTED)
    rule = reading.key(data.get("ruleId", data.get("ruleName")), "ruleId")
    key = f"rule:{reading.line(reading.scalar(data.get('orgId'), 'orgId'), 40)}:{rule}"
    if state in WAITS or state == "paused":
        return nothing(key, name, f"The rule is {state}, so nothing changed.")
    if state not in {*FIRES, "ok"}:
        reading.refuse("state must be alerting, ok, no_data, pending or paused.")
    matches = _objects(data.get("evalMatches"))
    own = reading.labels(data.get("tags"), "tags")
    sets = [own | _tags(match) for match in matches] or [own]
    shared = dict(set.intersection(*(set(labels.items()) for labels in sets)))
    firing = state in FIRES
    return Report(
        key=key,
        firing=firing,
        title=reading.line(FIRES.get(state, "") + (name or "A rule without a name")),
        description=_legacy_description(data, matches),
        labels=shared,
        label_sets=distinct(sets),
        firing_count=max(len(matches), 1) if firing else 0,
        resolved_count=0 if firing else 1,
    )


def _tags(match: Mapping[str, Any]) -> dict[str, str]:
    metric = reading.line(reading.scalar(match.get("metric"), "evalMatches.metric"), reading.LABEL_LIMIT)
    return ({"metric": metric} if metric else {}) | reading.labels(match.get("tags"), "evalMatches.tags")


def _legacy_description(data: Mapping[str, object], matches: list[Mapping[str, Any]]) -> str:
    listed = [
        f"- {reading.line(reading.scalar(match.get('metric'), 'evalMatches.metric'), 200)}: "
        f"{reading.line(reading.scalar(match.get('value'), 'evalMatches.value'), 60)}"
        for match in matches[:SHOWN_MATCHES]
    ]
    address = reading.web_address(data.get("ruleUrl"))
    parts = [reading.scalar(data.get("message"), "message"), "\n".join(listed), f"Rule: {address}" if address else ""]
    return reading.text("\n\n".join(part for part in parts if part))
