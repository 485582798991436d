"""CloudWatch alarms over Amazon SNS: the envelope of a topic, and the alarm in it, sent by itself or by EventBridge.

The forms are those of https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html and of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incidents.intake import reading
from incidents.intake.report import Report, distinct, nothing

NOTIFICATION = "Notification"
CONFIRMATION, UNSUBSCRIBED = "SubscriptionConfirmation", "UnsubscribeConfirmation"
TOPIC = re.compile(r"arn:aws[a-z-]{0,20}:sns:[a-z0-9-]{1,30}:\d{1,20}:[\w.-]{1,256}")
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
STATES = {"ALARM": True, "OK": False}
BY_EVENTBRIDGE = "CloudWatch Alarm State Change"
RAW = "The topic sends raw messages, which nothing vouches for. Switch raw message delivery off for this subscription."
WAITS = "The topic asks to post here. An administrator confirms it under Sources; nothing is fetched before."
ENDED = "The topic no longer posts here."


def parse(data: Mapping[str, object]) -> Report:
    """Return what the envelope says; reading.Unreadable names the field that is wrong. It proves no signature."""
    kind = type_of(data)
    topic = topic_of(data)
    if kind == CONFIRMATION:
        return nothing(topic, topic, WAITS)
    if kind == UNSUBSCRIBED:
        return nothing(topic, topic, ENDED)
    return _alarm(_message(data), topic)


def type_of(data: Mapping[str, object]) -> str:
    """Return the type of an envelope."""
    kind = data.get("Type")
    if kind is None and "AlarmName" in data:
        reading.refuse(RAW)
    if not isinstance(kind, str) or kind not in {NOTIFICATION, CONFIRMATION, UNSUBSCRIBED}:
        reading.refuse("Type must be Notification, SubscriptionConfirmation or UnsubscribeConfirmation.")
    return kind


def topic_of(data: Mapping[str, object]) -> str:
    """Return the topic of an envelope."""
    topic = data.get("TopicArn")
    if not isinstance(topic, str) or not TOPIC.fullmatch(topic):
        reading.refuse("TopicArn is missing, or is no topic of SNS.")
    return topic


def _message(data: Mapping[str, object]) -> dict[str, Any]:
    text = data.get("Message")
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.get("detail-type") == BY_EVENTBRIDGE:
        found = _alarm_of(found)
    if not isinstance(found, dict) or "AlarmName" not in found:
        reading.refuse(
            "Message is no alarm of CloudWatch. Only its alarms are read here; subscribe other topics elsewhere."
        )
    return found


def _alarm_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what EventBridge says of an alarm as the alarm itself would say it, so that both mean one incident."""
    detail = _object(event.get("detail"))
    if "alarmName" not in detail:
        reading.refuse("Message.detail.alarmName is missing.")
    state, configuration = _object(detail.get("state")), _object(detail.get("configuration"))
    return {
        "AlarmName": detail["alarmName"],
        "AlarmDescription": configuration.get("description"),
        "AWSAccountId": event.get("account"),
        "NewStateValue": state.get("value"),
        "NewStateReason": state.get("reason"),
        "StateChangeTime": state.get("timestamp"),
        "Trigger": _trigger_of(configuration.get("metrics")),
    }


def _trigger_of(metrics: object) -> dict[str, Any]:
    """Return the first metric that an alarm of EventBridge watches, in the form of the alarm itself."""
    first = _object(metrics[0]) if isinstance(metrics, list) and metrics else {}
    metric = _object(_object(first.get("metricStat")).get("metric"))
    dimensions = _object(metric.get("dimensions"))
    return {
        "Namespace": metric.get("namespace"),
        "MetricName": metric.get("name"),
        "Dimensions": [{"name": name, "value": value} for name, value in dimensions.items()],
    }


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _alarm(alarm: Mapping[str, Any], topic: str) -> Report:
    name = reading.line(reading.scalar(alarm.get("AlarmName"), "Message.AlarmName")) or "An alarm without a name"
    state = reading.line(reading.scalar(alarm.get("NewStateValue"), "Message.NewStateValue"), 40)
    region = topic.split(":")[3]
    account = reading.line(reading.scalar(alarm.get("AWSAccountId"), "Message.AWSAccountId"), 40) or topic.split(":")[4]
    key = f"{account}:{region}:{reading.key(alarm.get('AlarmName'), 'Message.AlarmName')}"
    if state == "INSUFFICIENT_DATA":
        return nothing(key, name, f"{name} has too little data to say, so nothing changed.")
    if state not in STATES:
        reading.refuse("Message.NewStateValue must be ALARM, OK or INSUFFICIENT_DATA.")
    labels = {"alarm": name, "account": account, "region": region, **_labels(alarm.get("Trigger"))}
    firing = STATES[state]
    return Report(
        key=key,
        firing=firing,
        title=name,
        description=_description(alarm, _console(topic, name)),
        labels=labels,
        label_sets=distinct([labels]),
        firing_count=int(firing),
        resolved_count=int(not firing),
        started_at=_moment(alarm.get("StateChangeTime")),
    )


def _labels(trigger: object) -> dict[str, str]:
    """Return namespace, metric and dimensions; an alarm made of other alarms has none."""
    if not isinstance(trigger, dict):
        return {}
    named = {"namespace": trigger.get("Namespace"), "metric": trigger.get("MetricName")}
    listed = trigger.get("Dimensions")
    for one in listed[: reading.LABELS_LIMIT // 2] if isinstance(listed, list) else []:
        if isinstance(one, dict):
            named[str(one.get("name"))] = one.get("value")
    flat = {name: value for name, value in named.items() if isinstance(value, str | int | float)}
    return reading.labels(flat, "Message.Trigger.Dimensions")


def _console(topic: str, name: str) -> str:
    """Return where AWS shows the alarm; the topic stands in the region and partition of its alarms."""
    _, partition, _, region, *_ = topic.split(":")
    host = CONSOLES.get(partition)
    if host is None:
        return ""
    return f"CloudWatch: https://{host}/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(name, safe='')}"


def _description(alarm: Mapping[str, Any], link: str) -> str:
    parts = [alarm.get("AlarmDescription"), alarm.get("NewStateReason"), link]
    return reading.text("\n\n".join(part for part in parts if isinstance(part, str) and part))


def _moment(found: object) -> datetime | None:
    """Return the moment of a change; AWS writes the offset without a colon."""
    return reading.moment(re.sub(r"([+-]\d{2})(\d{2})$", r"\1:\2", found)) if isinstance(found, str) else None
