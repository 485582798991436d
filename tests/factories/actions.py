"""Action items for tests, opened through the services as everybody else opens them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from portal.actions import services
from portal.actions.models import ActionItem
from tests.factories.directory import NOON, make_contact

_numbers = count(1)


def make_item(*, at: datetime = NOON, by: Any = "system: test", **values: Any) -> ActionItem:
    """An open action item, due two weeks after it was opened."""
    given = {
        "title": f"Mend something {next(_numbers)}",
        "kind": "corrective",
        "due_at": at + timedelta(days=14),
        "owner": values.pop("owner", None) or make_contact("Amara Okafor"),
    }
    return services.open_item(**{**given, **values}, by=by, at=at)
