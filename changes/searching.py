"""What is found of changes: their reference, title, reason, and the tests and review that they were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from changes.enums import ChangeType, Status
from changes.models import Change
from portal.search.registry import Searchable, Shown


def _changes(user: Any) -> QuerySet[Any]:
    return Change.objects.visible_to(user)


def _change(row: Mapping[str, Any]) -> Shown:
    state = f"{row['reference']} · {ChangeType(row['type']).label} · {Status(row['status']).label}"
    return Shown(row["title"], state)


def _page(row: Mapping[str, Any]) -> str:
    return reverse("changes:change", args=[row["reference"]])


FOUND = Searchable(
    kind="change", label="Change", group="Changes", icon="git-pull-request-arrow", model=Change,
    columns=("title", "reference", "justification", "test_plan", "review"), rows=_changes, show=_change, url=_page,
    values=("type", "status"), titled=True,
)  # fmt: skip
