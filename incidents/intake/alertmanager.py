"""The webhook of Prometheus Alertmanager, version 4, and version 3 whose groupKey is a number.

The form is that of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from incidents.intake import reading
from incidents.intake.report import Report, distinct, nothing

SHOWN_ALERTS = 20  # how many alerts of a group the description lists
NAMELESS = "An alert without a name"
UNASKED = {"DatasourceNoData": "no data", "DatasourceError": "its data source fails"}
TEST_VALUES = "[ metric='foo' labels={instance=bar} value=10 ]"  # what Grafana makes up; a rule's own begin with var=
TESTED = "The test of Grafana came in. Nothing was opened: a rule that fires opens an incident."


@dataclass(frozen=True, slots=True)
class _One:
    firing: bool
    labels: dict[str, str]
    annotations: dict[str, str]
    started_at: datetime | None
    address: str


def parse(data: Mapping[str, object], *, tool: str = "Alertmanager") -> Report:
    """Return what the group says; reading.Unreadable names the field that is wrong.

    A group fires while it says so itself, or while one alert in it does. `tool` is whose group it is, for its link.
    """
    key = reading.key(data.get("groupKey"), "groupKey")
    says_firing = reading.status(data.get("status"), "status")
    if _is_test(data.get("alerts")):
        return nothing(key, reading.line(reading.scalar(data.get("title"), "title")), TESTED)
    group = reading.labels(data.get("groupLabels"), "groupLabels")
    common = group | reading.labels(data.get("commonLabels"), "commonLabels")
    annotations = reading.labels(data.get("commonAnnotations"), "commonAnnotations")
    truncated = reading.count(data.get("truncatedAlerts"), "truncatedAlerts")
    alerts = _alerts(data.get("alerts"), says_firing=says_firing)
    burning = [alert for alert in alerts if alert.firing]
    return Report(
        key=key,
        firing=says_firing or bool(burning),
        title=_title(common, annotations, burning or alerts, truncated),
        description=_description(data, annotations, burning or alerts, truncated, tool),
        labels=common,
        label_sets=distinct([common | alert.labels for alert in burning] or [common]),
        firing_count=len(burning),
        resolved_count=len(alerts) - len(burning),
        truncated=truncated,
        started_at=min((alert.started_at for alert in burning if alert.started_at), default=None),
    )


def _is_test(found: object) -> bool:
    """Tell whether these alerts are what Grafana sends when somebody tests a contact point, at an address of any kind.

    Whoever tests may write labels and annotations of their own; the values are made up even then, and no rule has them.
    """
    return (
        isinstance(found, list)
        and bool(found)
        and all(
            isinstance(one, dict) and one.get("valueString") == TEST_VALUES and not one.get("values") for one in found
        )
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


def _title(common: dict[str, str], annotations: dict[str, str], alerts: list[_One], truncated: int) -> str:
    """Return the words that all alerts of the group share, else those of the first, and how many others there are."""
    first = alerts[0]
    labels = first.labels | common
    name = _name(labels)
    shared = annotations.get("summary") or annotations.get("title")
    where = common.get("instance") or (labels.get("instance", "") if len(alerts) == 1 else "")
    title = shared or first.annotations.get("summary") or (f"{name} on {where}" if name and where else name)
    others = len({_words(alert.annotations, alert.labels) for alert in alerts}) - 1
    if not shared and others:
        more = f" and {len(alerts) - 1 + truncated} more"
        return reading.line(title or NAMELESS, reading.TITLE_LIMIT - len(more)) + more
    return reading.line(title) or NAMELESS


def _words(annotations: dict[str, str], labels: dict[str, str]) -> str:
    return annotations.get("summary") or _name(labels)


def _name(labels: dict[str, str]) -> str:
    """Return the name of the rule; where Grafana could not ask it, the rule that it could not ask and why."""
    name = labels.get("alertname", "")
    rule = labels.get("rulename")
    return f"{rule}: {UNASKED[name]}" if rule and name in UNASKED else name


def _description(
    data: Mapping[str, object], annotations: dict[str, str], alerts: list[_One], truncated: int, tool: str
) -> str:
    parts = [annotations.get("description") or alerts[0].annotations.get("description", "")]
    same = _same_of(alerts)
    if same:
        parts.append(f"All: {reading.line(_pairs(same), 500)}")
    listed = [_listed(alert, same) for alert in alerts[:SHOWN_ALERTS]]
    if len(alerts) > SHOWN_ALERTS:
        listed.append(f"… and {len(alerts) - SHOWN_ALERTS} more")
    if truncated:
        listed.append(f"The source left out {truncated} more.")
    parts.append("\n".join(listed))
    address = reading.web_address(data.get("externalURL"))
    parts.append(f"{tool}: {address}" if address else "")
    return reading.text("\n\n".join(part for part in parts if part))


def _same_of(alerts: list[_One]) -> dict[str, str]:
    """Return the labels that are the same on each of several alerts: they are said once."""
    if len(alerts) == 1:
        return {}
    return dict(set.intersection(*(set(alert.labels.items()) for alert in alerts)))


def _listed(alert: _One, same: Mapping[str, str]) -> str:
    own = {name: value for name, value in alert.labels.items() if name not in same}
    return reading.line(f"- {_pairs(own) or ('as all' if same else 'no labels')} {alert.address}", 500)


def _pairs(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()) if not name.startswith("__"))
