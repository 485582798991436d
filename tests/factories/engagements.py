"""Engagements of auditors for tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from portal.assurance.enums import Register
from portal.assurance.models import Engagement, GrantedRecord
from portal.audit.actor import acting

LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_numbers = count(1)


def make_engagement(
    auditor: Any, *, registers: Iterable[str] = tuple(Register), systems: Iterable[Any] = (), **fields: Any
) -> Engagement:
    """An engagement that opens everything at all times, unless told otherwise."""
    number = next(_numbers)
    values = {
        "reference": f"ENG-9{number:05d}",
        "title": f"Audit {number}",
        "starts": LONG_AGO,
        "ends": FAR_AHEAD,
        "reason": "A test",
        "granted_at": LONG_AGO,
        "granted_by": "test",
        **fields,
    }
    with acting(by="test", reason="A test", origin="command"):
        engagement = Engagement.objects.create(
            auditor=auditor, registers=[Register(register).value for register in registers], **values
        )
        if systems:
            engagement.systems.set(list(systems))
    auditor.__dict__.pop("reading_scope", None)
    return engagement


def grant_record(engagement: Engagement, record: Any, **fields: Any) -> GrantedRecord:
    """A restricted record that the engagement opens by name."""
    values = {"reason": "A test", "granted_at": LONG_AGO, "granted_by": "test", **fields}
    return GrantedRecord.objects.create(
        engagement=engagement,
        model=record._meta.label_lower,
        object_id=str(record.pk),
        name=str(record)[:200],
        **values,
    )
