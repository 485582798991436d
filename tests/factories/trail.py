"""Rows of the trail for tests, each as if it had been written at its own moment."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from portal.audit.enums import Action
from portal.audit.models import Difference, TrailRow
from portal.audit.trail import canonical
from tests.factories.directory import NOON

_numbers = count(1)


def make_row(*changes: tuple[str, str | None, str | None], **fields: Any) -> TrailRow:
    """A row with these differences. Without more it tells that Amara changed an incident, in a gesture of its own."""
    number = next(_numbers)
    names = " ".join(change[0] for change in changes)
    values: dict[str, Any] = {
        "at": NOON + timedelta(seconds=number),
        "actor_name": "Amara Okafor",
        "actor_id": 7,
        "origin": "web",
        "address": "192.0.2.1",
        "gesture": uuid.uuid4(),
        "action": Action.CHANGED,
        "model": "incidents.incident",
        "object_id": "418",
        "reference": "",
        "name": "Mail is late",
        "fields": f" {names} " if names else "",
        "changes": canonical([Difference(*change) for change in changes]),
        **fields,
    }
    values.setdefault("root_model", values["model"])
    values.setdefault("root_id", values["object_id"])
    return TrailRow.objects.create(**values)


def make_rows(number: int, *, first: datetime = NOON, apart: timedelta = timedelta(minutes=1), **fields: Any) -> None:
    """Many rows, each a gesture of its own unless one is given, in the order of time."""
    gesture = fields.pop("gesture", None)
    TrailRow.objects.bulk_create(
        [
            TrailRow(
                at=first + apart * index,
                actor_name="Amara Okafor",
                actor_id=7,
                origin="web",
                gesture=gesture or uuid.uuid4(),
                action=Action.CHANGED,
                **{
                    "model": "incidents.incident",
                    "object_id": str(index),
                    "root_model": "incidents.incident",
                    "root_id": str(index),
                    "name": f"Object {index}",
                    "fields": " title ",
                    "changes": '[["title","a","b"]]',
                    **fields,
                },
            )
            for index in range(number)
        ]
    )
