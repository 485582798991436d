"""What is known of the payloads of common tools: how each is recognised, and the mapping that reads it.

An address of the generic kind without lines of its own reads by the first of these that the payload fits. A form named
at the address is copied into lines, which are data from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from incidents.enums import PayloadField, Stance
from incidents.intake import generic, paths, reading
from incidents.intake.generic import Form, Line

_FIRING = """alarm alert alerting anomalous bad crit critical down degraded emergency err error fail failed failure
fatal firing high major minor new open opened outage problem trigger triggered unhealthy unreachable unknown warn
warning worse nodata no_data"""
_RESOLVED = """clear cleared close closed fixed green healthy inactive normal ok okay recovered recovery resolve
resolved success up"""
_ACKNOWLEDGED = "ack acknowledge acknowledged acknowledgement"
_NOTHING = "paused pending test testing maintenance"
WORDS: Mapping[str, str] = MappingProxyType(
    {
        word: means
        for means, words in (
            (Stance.FIRING, _FIRING),
            (Stance.RESOLVED, _RESOLVED),
            (Stance.ACKNOWLEDGED, _ACKNOWLEDGED),
            (Stance.NOTHING, _NOTHING),
        )
        for word in words.split()
    }
)


@dataclass(frozen=True, slots=True)
class Preset:
    """The payload of one tool: the paths that only it has, its lines by field, and words beside the usual ones.

    `severities` are words of its own for a severity, in lower case, by the words that everybody uses.
    """

    slug: str
    label: str
    marks: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    words: Mapping[str, str] = field(default_factory=dict)
    severities: Mapping[str, str] = field(default_factory=dict)

    def form(self) -> Form:
        """Return how its payloads are read."""
        lines = tuple(Line(name, path) for name, found in self.fields.items() for path in found)
        return Form(self.label, lines, {**WORDS, **self.words}, self.severities)


def _fields(**found: str) -> Mapping[str, tuple[str, ...]]:
    """Return paths by field; alternatives are separated by a bar."""
    return {PayloadField(name): tuple(path.strip() for path in text.split("|")) for name, text in found.items()}


PRESETS = (
    Preset(
        "new-relic", "New Relic", ("condition_name", "incident_id", "current_state"),
        _fields(
            title="condition_name", key="incident_id", status="current_state", severity="severity",
            system="targets[*].name", description="details", url="incident_url", started_at="timestamp",
        ),
    ),
    Preset(
        "pingdom", "Pingdom", ("check_id", "check_name", "current_state"),
        _fields(
            title="check_name", key="check_id", status="current_state", severity="importance_level",
            system="check_params.hostname", description="long_description | description",
            url="check_params.full_url", started_at="state_changed_timestamp",
        ),
    ),
    Preset(
        "stackdriver", "Google Cloud Monitoring", ("incident.incident_id", "incident.policy_name", "incident.state"),
        _fields(
            title="incident.summary | incident.policy_name + incident.condition_name", key="incident.incident_id",
            status="incident.state", severity="incident.severity", system="incident.resource_name",
            description="incident.documentation.content", url="incident.url", started_at="incident.started_at",
        ),
    ),
    Preset(
        "checkmk", "Checkmk", ("notification_type", "what", "host"),
        _fields(
            title="summary | host + service", key="site + host + service", status="notification_type | status",
            severity="severity", system="host", description="output + long_output",
        ),
        {"downtimestart": Stance.NOTHING, "downtimeend": Stance.NOTHING, "downtimecancelled": Stance.NOTHING,
         "flappingstart": Stance.NOTHING, "flappingstop": Stance.NOTHING},
    ),
    Preset(
        "librenms", "LibreNMS", ("device_id", "rule_id", "hostname"),
        _fields(
            title="title", key="hostname + rule_id", status="state", severity="severity",
            system="sysName | hostname", description="msg",
        ),
        {"0": Stance.RESOLVED, "1": Stance.FIRING, "2": Stance.ACKNOWLEDGED, "3": Stance.FIRING, "4": Stance.FIRING},
    ),
    Preset(
        "datadog", "Datadog", ("event_type", "title", "alert_transition"),
        _fields(
            title="alert_title | title", key="alert_id + aggreg_key | aggreg_key | id", status="alert_transition",
            severity="alert_priority | priority", system="hostname", description="body", url="link",
            started_at="last_updated | date",
        ),
        {"re-triggered": Stance.FIRING, "warn": Stance.FIRING, "no data": Stance.FIRING, "renotify": Stance.FIRING},
    ),
    Preset(
        "axiom", "Axiom", ("action", "event.monitorID"),
        _fields(
            title="event.title", key="event.monitorID", status="action",
            description="event.body + event.description", started_at="event.timestamp",
        ),
    ),
    Preset(
        "coralogix", "Coralogix", ("alert_id", "alert_action", "name"),
        _fields(
            title="name", key="alert_id", status="alert_action", severity="fields[key=severityLowercase].value",
            system="fields[key=application].value", description="description", url="alert_url",
        ),
    ),
    Preset(
        "signalfx", "Splunk Observability", ("detectorUrl", "incidentId"),
        _fields(
            title="messageTitle | inputs.messageTitle | rule | detector | originatingMetric", key="incidentId",
            status="status | statusExtended", severity="severity",
            system="dimensions.service", description="messageBody", url="detectorUrl", started_at="timestamp",
        ),
        {"manually resolved": Stance.RESOLVED, "auto resolved": Stance.RESOLVED, "stopped": Stance.RESOLVED},
    ),
    Preset(
        "azure-monitor", "Azure Monitor", ("data.essentials.alertRule", "data.essentials.monitorCondition"),
        _fields(
            title="data.essentials.alertRule", key="data.essentials.alertId",
            status="data.essentials.monitorCondition", severity="data.essentials.severity",
            system="data.essentials.configurationItems[*]", description="data.essentials.description",
            started_at="data.essentials.firedDateTime",
        ),
        {"fired": Stance.FIRING},
        {"sev0": "critical", "sev1": "error", "sev2": "warning", "sev3": "info", "sev4": "info"},
    ),
    Preset(
        "better-stack", "Better Stack", ("data.attributes.cause", "data.type"),
        _fields(
            title="data.attributes.name + data.attributes.cause", key="data.id", status="data.attributes.status",
            system="data.attributes.name", description="data.attributes.cause", url="data.attributes.url",
            started_at="data.attributes.started_at",
        ),
        {"started": Stance.FIRING},
    ),
    Preset(
        "dynatrace", "Dynatrace", ("ProblemID", "State"),
        _fields(
            title="ProblemTitle | ProblemID", key="ProblemID", status="State", severity="ProblemSeverity",
            system="ImpactedEntity", description="ProblemDetailsText | ProblemDetails", url="ProblemURL",
        ),
        {"merged": Stance.NOTHING},
        {"availability": "critical", "performance": "warning", "resource_contention": "warning",
         "custom_alert": "warning"},
    ),
    Preset(
        "graylog", "Graylog", ("event_definition_id", "event"),
        _fields(
            title="event_definition_title | event.message", key="event_definition_id + event.key",
            severity="event.priority", system="event.source", started_at="event.timestamp",
            description="event.message | event_definition_description",
        ),
        {},
        {"1": "low", "2": "medium", "3": "high", "4": "critical"},
    ),
    Preset(
        "graylog-stream", "Graylog's streams", ("stream.id", "check_result"),
        _fields(
            title="stream.title | check_result.result_description", key="stream.id", system="stream.title",
            description="check_result.result_description", started_at="check_result.triggered_at",
        ),
    ),
    Preset(
        "new-relic-workflow", "New Relic's workflows", ("issueUrl", "state"),
        _fields(
            title="title", key="id", status="state", severity="priority", system="impactedEntities[*]",
            description="alertConditionNames[*]", url="issueUrl", started_at="createdAt",
        ),
        {"activated": Stance.FIRING, "created": Stance.FIRING},
    ),
    Preset(
        "opsgenie", "Opsgenie", ("action", "alert.alertId"),
        _fields(
            title="alert.message", key="alert.alertId", status="action", severity="alert.priority",
            system="alert.entity | alert.source", description="alert.description", started_at="alert.createdAt",
        ),
        {"create": Stance.FIRING, "delete": Stance.RESOLVED, "unacknowledge": Stance.NOTHING,
         "addnote": Stance.NOTHING, "addtags": Stance.NOTHING, "assignownership": Stance.NOTHING,
         "updatepriority": Stance.FIRING, "escalate": Stance.FIRING},
    ),
    Preset(
        "sentry", "Sentry", ("action", "data.issue.title"),
        _fields(
            title="data.issue.title", key="data.issue.id", status="action", severity="data.issue.level",
            system="data.issue.project.slug", description="data.issue.culprit",
            url="data.issue.web_url | data.issue.permalink", started_at="data.issue.firstSeen",
        ),
        {"created": Stance.FIRING, "unresolved": Stance.FIRING, "assigned": Stance.NOTHING,
         "archived": Stance.NOTHING, "ignored": Stance.NOTHING},
    ),
    Preset(
        "splunk", "Splunk", ("search_name", "results_link"),
        _fields(
            title="search_name", key="search_name", severity="result.severity", system="result.host",
            description="result.message | result._raw", url="results_link",
        ),
    ),
    Preset(
        "uptime-robot", "UptimeRobot", ("monitorID", "monitorFriendlyName"),
        _fields(
            title="monitorFriendlyName", key="monitorID", status="alertTypeFriendlyName",
            system="monitorFriendlyName", description="alertDetails", url="monitorURL", started_at="alertDateTime",
        ),
    ),
    Preset(
        "victorops", "Splunk On-Call", ("message_type", "entity_id"),
        _fields(
            title="entity_display_name | entity_id", key="entity_id", status="message_type", severity="message_type",
            system="host_name", description="state_message", started_at="state_start_time",
        ),
        {"info": Stance.NOTHING},
    ),
    Preset(
        "riemann", "Riemann", ("host", "service", "state"),
        _fields(
            title="host + service", key="host + service", status="state", severity="state", system="service",
            description="description", started_at="time",
        ),
    ),
)  # fmt: skip
COMMON = Preset(
    "common", "names that many tools use", (),
    _fields(
        title="title | alert_name | alertname | name | summary | subject | message | text | event_name | rule_name | "
        "rule.name | Name | content | description",
        key="dedup_key | key | fingerprint | alert_id | incident_id | alert_key",
        status="status | state | current_state | alert_status | action | Status",
        severity="severity | priority | level | labels.severity | event_severity",
        system="system | service | host | hostname | resource | labels.service",
        description="description | message | body | details | output",
        url="url | link | alert_url | incident_url | web_url | html_url | generatorURL",
        started_at="started_at | startsAt | created_at | timestamp | time",
    ),
)  # fmt: skip
BY_SLUG = {preset.slug: preset for preset in (*PRESETS, COMMON)}

# Forms that have a kind of their own: the word for them, the kind, and the paths that only they have.
KINDS = (
    ("PagerDuty Events v2", "pagerduty", ("event_action",)),
    ("CloudWatch over SNS", "sns", ("TopicArn", "Type")),
    ("CloudWatch over SNS", "sns", ("AlarmName", "NewStateValue")),
    ("Grafana alerting", "grafana", ("alerts", "orgId")),
    ("Grafana alerting", "grafana", ("ruleId", "state")),
    ("Grafana alerting", "grafana", ("evalMatches",)),
    ("Prometheus Alertmanager", "alertmanager", ("groupKey", "alerts")),
    ("Uptime Kuma", "uptime-kuma", ("heartbeat", "monitor", "msg")),
)


def preset_of(data: Mapping[str, object]) -> Preset:
    """Return the preset that a payload fits; that of common names when it fits none."""
    return next((preset for preset in PRESETS if all(_stands(data, mark) for mark in preset.marks)), COMMON)


def advice(data: Mapping[str, object], kind: str) -> str:
    """Return a sentence that names the kind of address a payload belongs to; "" when it is this one or unknown."""
    for label, fits, marks in KINDS:
        if all(_stands(data, mark) for mark in marks):
            return "" if fits == kind else f"This looks like {label}: post it to an address of the kind {fits}."
    preset = preset_of(data)
    if preset is COMMON or kind == "generic":
        return ""
    return f"This looks like {preset.label}: post it to an address of the kind generic."


def advised(refusal: reading.Unreadable, data: Mapping[str, object], kind: str) -> reading.Unreadable:
    """Return the refusal of a payload, with the kind of address that would read it where one is known."""
    better = advice(data, kind) or _at_any(data, kind)
    if not better or better in refusal.sentence:
        return refusal
    return reading.Unreadable(refusal.status, f"{refusal.sentence} {better}")


def _at_any(data: Mapping[str, object], kind: str) -> str:
    """Return that the generic kind would read a payload that bears no mark of this kind, when it would."""
    marks = {mark for _, fits, found in KINDS if fits == kind for mark in found}
    if kind == "generic" or any(_stands(data, mark) for mark in marks):
        return ""
    try:
        generic.read(data, COMMON.form())
    except (reading.Unreadable, RecursionError):
        return ""
    return "An address of the kind generic would read it."


def _stands(data: Mapping[str, object], path: str) -> bool:
    found: object = data
    for step in paths.parse(path)[0]:
        if not isinstance(found, Mapping) or step not in found:
            return False
        found = found[step]
    return True


def form_of(data: Mapping[str, object]) -> Form:
    """Return how a payload is read at an address without lines of its own; Unreadable names a better kind."""
    better = advice(data, "generic")
    if better:
        reading.refuse(better)
    return preset_of(data).form()
