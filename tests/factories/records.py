"""Shared records for tests: notes, periods and demands about systems."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.records import services
from portal.records.models import Demand, Note
from tests.factories.directory import NOON


def make_note_of(subject: Any, text: str = "Something happened.", **fields: Any) -> Note:
    """One line of a timeline, at NOON."""
    fields.setdefault("at", NOON)
    fields.setdefault("by", "test")
    return services.write_note(subject, kind="test.note", text=text, **fields)


def make_demand(key: str = "a", **fields: Any) -> Demand:
    """An open demand of the topic test.topic, asked at NOON, to be answered within a minute."""
    fields.setdefault("topic", "test.topic")
    fields.setdefault("answer_by", NOON + timedelta(minutes=1))
    return services.ask(key=key, payload=fields.pop("payload", {}), by="test", at=fields.pop("at", NOON), **fields)
