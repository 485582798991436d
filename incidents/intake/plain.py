"""The plain JSON form of docs/intake.md: what a script or a tool without a form of its own posts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from incidents.intake import reading
from incidents.intake.report import Report, distinct

FIELDS = frozenset(
    {"key", "status", "title", "description", "severity", "system", "systems", "labels", "url", "started_at"}
)
SYSTEMS_LIMIT = 50


def parse(data: Mapping[str, object]) -> Report:
    """Return what the alert says; reading.Unreadable names the field that is wrong.

    Severity and systems become labels, so that they are read by the same mappings. Fields that the form does not know
    are ignored and named: an alert is not lost over a slip.
    """
    firing = reading.status(data.get("status", "firing"), "status")
    labels = reading.labels(data.get("labels"), "labels")
    severity = reading.line(reading.scalar(data.get("severity"), "severity"), reading.LABEL_LIMIT)
    if severity:
        labels["severity"] = severity
    systems = _systems(data)
    sets = [labels | {"system": system} for system in systems] or [labels]
    return Report(
        key=reading.key(data.get("key"), "key"),
        firing=firing,
        title=_title(data, firing=firing),
        description=_description(data),
        labels=labels | ({"system": ", ".join(systems)} if systems else {}),
        label_sets=distinct(sets),
        firing_count=int(firing),
        resolved_count=int(not firing),
        started_at=_started_at(data.get("started_at")),
        ignored=tuple(sorted(reading.line(name, 60) for name in data if name not in FIELDS)[:20]),
    )


def _title(data: Mapping[str, object], *, firing: bool) -> str:
    title = reading.line(reading.scalar(data.get("title"), "title"))
    if firing and not title:
        reading.refuse("title is missing. Say in a few words what hurts.")
    return title


def _description(data: Mapping[str, object]) -> str:
    description = reading.text(reading.scalar(data.get("description"), "description"))
    address = reading.web_address(data.get("url"))
    if data.get("url") and not address:
        reading.refuse("url must be an address that begins with http:// or https://.")
    return "\n\n".join(part for part in (description, address) if part)


def _systems(data: Mapping[str, object]) -> list[str]:
    several = data.get("systems")
    if several is not None and not isinstance(several, list):
        reading.refuse("systems must be a list of names. One name goes into system.")
    found = [data.get("system"), *(several or [])]
    if len(found) > SYSTEMS_LIMIT:
        reading.refuse(f"systems holds more than {SYSTEMS_LIMIT} names.")
    names = [reading.line(reading.scalar(name, "systems"), reading.LABEL_LIMIT) for name in found]
    return list(dict.fromkeys(name for name in names if name))


def _started_at(found: object) -> datetime | None:
    moment = reading.moment(found)
    if found is not None and moment is None:
        reading.refuse("started_at must be a moment with its zone, such as 2026-11-17T13:48:00Z.")
    return moment
