"""The webhook of Uptime Kuma: a heartbeat of one monitor, a test, or a certificate that runs out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.intake import reading
from incidents.intake.report import Report, nothing

DOWN, UP, PENDING, MAINTENANCE = range(4)
WAITS = {PENDING: "pending", MAINTENANCE: "under maintenance"}
CERTIFICATE = re.compile(  # [name of the monitor][its address] what is wrong
    r"\[(?P<name>[^\]]{1,200})\]\s?\[(?P<url>https?://[^\]]{0,1000})\]\s?(?P<words>\S.{0,2000})", re.DOTALL
)
NO_ADDRESS = ("https://", "http://")  # what a monitor without an address has; compared with anything


def parse(data: Mapping[str, object]) -> Report:
    """Return what the heartbeat says; reading.Unreadable names the field that is wrong."""
    if not {"heartbeat", "monitor", "msg"} <= data.keys():
        reading.refuse("heartbeat, monitor and msg must all be there, as Uptime Kuma's webhook sends them.")
    message = reading.text(reading.scalar(data.get("msg"), "msg"))
    beat, monitor = data.get("heartbeat"), data.get("monitor")
    if beat is None or monitor is None:
        return _without_heartbeat(message)
    if not isinstance(beat, dict) or not isinstance(monitor, dict):
        reading.refuse("heartbeat and monitor must be objects.")
    status = beat.get("status")
    name = reading.line(reading.scalar(monitor.get("name"), "monitor.name")) or "A monitor without a name"
    key = f"monitor:{reading.key(monitor.get('id', beat.get('monitorID')), 'monitor.id')}"
    if isinstance(status, bool) or not isinstance(status, int) or status not in {DOWN, UP, *WAITS}:
        reading.refuse("heartbeat.status must be 0 (down), 1 (up), 2 (pending) or 3 (maintenance).")
    if status in WAITS:
        return nothing(key, name, f"{name} is {WAITS[status]}, so nothing changed.")
    labels = _labels(monitor)
    return Report(
        key=key,
        firing=status == DOWN,
        title=reading.line(f"{name} is down" if status == DOWN else f"{name} is up"),
        description=_description(message, beat, monitor),
        labels=labels,
        label_sets=(labels,),
        firing_count=int(status == DOWN),
        resolved_count=int(status == UP),
        started_at=_moment(beat.get("time")),
    )


def _without_heartbeat(message: str) -> Report:
    if not message.strip():
        reading.refuse("heartbeat is empty, and so is msg: there is nothing to read.")
    if message.rstrip().endswith("Testing"):
        return nothing("test", reading.line(message), "The test came in. Nothing was opened.")
    # A certificate that runs out is told each day with one day less: the same trouble.
    lasting = re.sub(r"\d+", "#", message)
    named = CERTIFICATE.fullmatch(message.strip())
    labels = _labels({"name": named["name"]}) if named else {}
    return Report(
        key=f"message:{hashlib.sha256(lasting.encode()).hexdigest()[:32]}",
        firing=True,
        title=reading.line(f"{named['name']}: {named['words']}" if named else message),
        description=f"{named['words']}\n\n{reading.web_address(named['url'])}".strip() if named else message,
        labels=labels,
        label_sets=(labels,) if labels else (),
    )


def _labels(monitor: Mapping[str, Any]) -> dict[str, str]:
    tags = monitor.get("tags")
    listed = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    found = {"monitor": monitor.get("name"), "type": monitor.get("type"), "host": monitor.get("hostname")}
    found |= {str(tag.get("name")): tag.get("value") for tag in listed[: reading.LABELS_LIMIT - len(found)]}
    labels = reading.labels({name: _flat(value) for name, value in found.items()}, "monitor.tags")
    labels.setdefault("service", labels.get("monitor", ""))
    return {name: value for name, value in labels.items() if value}


def _flat(value: object) -> object:
    return value if value is None or isinstance(value, str | int | float) else ""


def _description(message: str, beat: Mapping[str, Any], monitor: Mapping[str, Any]) -> str:
    found = monitor.get("url")
    address = "" if found in NO_ADDRESS else reading.web_address(found)
    said = beat.get("msg")
    parts = [message, said if isinstance(said, str) and said not in message else "", address]
    return reading.text("\n\n".join(part for part in parts if part))


def _moment(found: object) -> datetime | None:
    """Return the moment of a heartbeat: Uptime Kuma writes it in UTC without saying so."""
    return reading.moment(found) or (reading.moment(f"{found}+00:00") if isinstance(found, str) else None)
