"""The webhook of Prometheus Alertmanager, version 4, and version 3 whose groupKey is a number.

The form is that of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.intake import reading
from incidents.intake.report import Report, distinct

SHOWN_ALERTS = 20  # how many alerts of a group the description lists
NAMELESS = "An alert without a name"


@dataclass(frozen=True, slots=True)
class _One:
    firing: bool
    labels: dict[str, str]
    annotations: dict[str, str]
    started_at: datetime | None
    address: str


def parse(data: Mapping[str, object]) -> Report:
    """Return what the group says; reading.Unreadable names the field that is wrong.

    A group fires while it says so itself, or while one alert in it does.
    """
    key = reading.key(data.get("groupKey"), "groupKey")
    says_firing = reading.status(data.get("status"), "status")
    group = reading.labels(data.get("groupLabels"), "groupLabels")
    common = group | reading.labels(data.get("commonLabels"), "commonLabels")
    annotations = reading.labels(data.get("commonAnnotations"), "commonAnnotations")
    truncated = reading.count(data.get("truncatedAlerts"), "truncatedAlerts")
    alerts = _alerts(data.get("alerts"), says_firing=says_firing)
    burning = [alert for alert in alerts if alert.firing]
    return Report(
        key=key,
        firing=says_firing or bool(burning),
        title=_title(common, annotations, burning or alerts),
        description=_description(data, annotations, burning or alerts, truncated),
        labels=common,
        label_sets=distinct([common | alert.labels for alert in burning] or [common]),
        firing_count=len(burning),
        resolved_count=len(alerts) - len(burning),
        truncated=truncated,
        started_at=min((alert.started_at for alert in burning if alert.started_at), default=None),
    )


def _alerts(found: object, *, says_firing: bool) -> list[_One]:
    if not isinstance(found, list):
        reading.refuse("alerts must be a list of alerts.")
    if not found:
        reading.refuse("alerts is empty. A group holds at least one alert.")
    return [_one(alert, f"alerts[{number}]", says_firing) for number, alert in enumerate(found)]


def _one(found: object, field: str, says_firing: bool) -> _One:  # noqa: FBT001 - the group's own word, passed once
    if not isinstance(found, dict):
        reading.refuse(f"{field} must be an object.")
    own = found.get("status")
    return _One(
        firing=says_firing if own is None else reading.status(own, f"{field}.status"),
        labels=reading.labels(found.get("labels"), f"{field}.labels"),
        annotations=reading.labels(found.get("annotations"), f"{field}.annotations"),
        started_at=reading.moment(found.get("startsAt")),
        address=reading.web_address(found.get("generatorURL")),
    )


def _title(common: dict[str, str], annotations: dict[str, str], alerts: list[_One]) -> str:
    first = alerts[0]
    labels = first.labels | common
    name = labels.get("alertname", "")
    words = annotations.get("summary") or annotations.get("title") or first.annotations.get("summary", "")
    where = common.get("instance") or (labels.get("instance", "") if len(alerts) == 1 else "")
    title = words or (f"{name} on {where}" if name and where else name)
    return reading.line(title) or NAMELESS


def _description(data: Mapping[str, object], annotations: dict[str, str], alerts: list[_One], truncated: int) -> str:
    parts = [annotations.get("description") or alerts[0].annotations.get("description", "")]
    listed = [_listed(alert) for alert in alerts[:SHOWN_ALERTS]]
    if len(alerts) > SHOWN_ALERTS:
        listed.append(f"… and {len(alerts) - SHOWN_ALERTS} more")
    if truncated:
        listed.append(f"The source left out {truncated} more.")
    parts.append("\n".join(listed))
    address = reading.web_address(data.get("externalURL"))
    parts.append(f"Alertmanager: {address}" if address else "")
    return reading.text("\n\n".join(part for part in parts if part))


def _listed(alert: _One) -> str:
    words = ", ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()) if not name.startswith("__"))
    return reading.line(f"- {words or 'no labels'} {alert.address}", 500)
