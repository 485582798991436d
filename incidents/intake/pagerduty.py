"""PagerDuty's Events API v2, for tools that know nothing else: the routing key is the secret of an intake address.

The form is that of https://developer.pagerduty.com/docs/events-api-v2-overview.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from incidents.enums import Stance
from incidents.intake import reading
from incidents.intake.report import Report, nothing

TRIGGER, ACKNOWLEDGE, RESOLVE = "trigger", "acknowledge", "resolve"
STANCES = {TRIGGER: "", RESOLVE: "", ACKNOWLEDGE: Stance.ACKNOWLEDGED}
KEY_LIMIT = 255
SHOWN_LINKS = 10
LABELS = ("source", "severity", "component", "group", "class")
CHANGE_EVENT = (
    "This is a change event, which belongs to /v2/change/enqueue. An alert says event_action trigger, acknowledge or "
    "resolve."
)
NO_CHANGE = "This is an alert, which belongs to /v2/enqueue. A change event has no event_action."
# What Uptime Kuma names as the source, and Grafana among its details, when somebody tests the way to PagerDuty.
TEST_SOURCE = "Uptime Kuma Test Button"
TEST_LINES = ("alertname = TestAlert", "instance = Grafana", "summary = Notification test")
TESTED = "The test of {} came in. Nothing was opened."
KEPT = "The change event is kept with the deliveries of {}: {}. It opens no incident."


def parse(data: Mapping[str, object]) -> Report:
    """Return what the event says; reading.Unreadable names the field that is wrong."""
    action = data.get("event_action")
    payload = data.get("payload")
    if action is None and isinstance(payload, dict) and "routing_key" in data:
        reading.refuse(CHANGE_EVENT)
    if not isinstance(action, str) or action not in STANCES:
        reading.refuse("event_action must be trigger, acknowledge or resolve.")
    if action == TRIGGER:
        return _triggered(data, payload)
    return Report(
        key=_key(data.get("dedup_key")),
        firing=False,
        title="",
        firing_count=0,
        resolved_count=int(action == RESOLVE),
        instead=STANCES[action],
    )


def parse_change(data: Mapping[str, object], source: str) -> Report:
    """Return what a change event of a source says: it asks for nothing. reading.Unreadable names what is wrong."""
    if "event_action" in data:
        reading.refuse(NO_CHANGE)
    payload = data.get("payload")
    if not isinstance(payload, dict):
        reading.refuse("payload is missing. A change event says in it what changed: summary, and when: timestamp.")
    summary = reading.line(reading.scalar(payload.get("summary"), "payload.summary"))
    if not summary:
        reading.refuse("payload.summary is missing. Say in a few words what changed.")
    return nothing("", summary, KEPT.format(source, summary.rstrip(".")))


def _key(found: object) -> str:
    key = reading.key(found, "dedup_key")
    if len(key) > KEY_LIMIT:
        reading.refuse(f"dedup_key is longer than {KEY_LIMIT} characters.")
    return key


def _triggered(data: Mapping[str, object], payload: object) -> Report:
    if not isinstance(payload, dict):
        reading.refuse("payload is missing. A trigger says in it what hurts: summary, source and severity.")
    title = reading.line(reading.scalar(payload.get("summary"), "payload.summary"))
    if not title:
        reading.refuse("payload.summary is missing. Say in a few words what hurts.")
    labels = _labels(payload)
    key = _key(data["dedup_key"]) if data.get("dedup_key") else _made_key(title, labels)
    if tester := _tester(data, payload):
        return nothing(key, title, TESTED.format(tester))
    return Report(
        key=key,
        firing=True,
        title=title,
        description=_description(data, payload),
        labels=labels,
        label_sets=(_systems(labels),),
        started_at=reading.moment(payload.get("timestamp")),
    )


def _tester(data: Mapping[str, object], payload: Mapping[str, Any]) -> str:
    """Return which tool sends this to be tested; "" when it is no test beyond doubt."""
    if payload.get("source") == TEST_SOURCE:
        return "Uptime Kuma"
    details = payload.get("custom_details")
    fires = details.get("firing") if isinstance(details, dict) else None
    listed = [line.strip(" -") for line in fires.splitlines()] if isinstance(fires, str) else []
    tested = data.get("client") == "Grafana" and all(listed.count(line) == 1 for line in TEST_LINES)
    return "Grafana" if tested and sum(line.startswith("alertname = ") for line in listed) == 1 else ""


def _made_key(title: str, labels: Mapping[str, str]) -> str:
    """Return the key of an event without one: the same words of the same place are the same trouble."""
    said = "\x00".join([title, *(labels.get(name, "") for name in LABELS)])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _labels(payload: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name: reading.line(reading.scalar(payload.get(name), f"payload.{name}"), reading.LABEL_LIMIT) for name in LABELS
    }
    return {name: value for name, value in found.items() if value}


def _systems(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels so that the component, else the source, may name a system without any mapping."""
    named = labels.get("component") or labels.get("source")
    return {**labels, "service": named} if named else labels


def _description(data: Mapping[str, object], payload: Mapping[str, Any]) -> str:
    details = payload.get("custom_details")
    if isinstance(details, dict):
        shown = "\n".join(f"{reading.line(str(name), 120)}: {_shown(value)}" for name, value in details.items())
    else:
        shown = details if isinstance(details, str) else ""
    links = data.get("links")
    listed = [link for link in links if isinstance(link, dict)][:SHOWN_LINKS] if isinstance(links, list) else []
    addresses = [
        f"{reading.line(str(link.get('text') or 'Link'), 120)}: {reading.web_address(link.get('href'))}"
        for link in listed
        if reading.web_address(link.get("href"))
    ]
    client = reading.web_address(data.get("client_url"))
    parts = [shown, "\n".join(addresses), f"Client: {client}" if client else ""]
    return reading.text("\n\n".join(part for part in parts if part))


def _shown(value: object) -> str:
    return reading.line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 500)


def accepted(key: str) -> dict[str, Any]:
    """Return the words in which the Events API says that it took an event."""
    return {"status": "success", "message": "Event processed", "dedup_key": key}


def accepted_change() -> dict[str, Any]:
    """Return the words in which the Events API says that it took a change event, which has no key."""
    return {"status": "success", "message": "Change event processed"}


def refused(sentence: str) -> dict[str, Any]:
    """Return the words in which the Events API refuses an event."""
    return {"status": "invalid event", "message": "Event object is invalid", "errors": [sentence]}
