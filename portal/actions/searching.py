"""What is found of action items: title, reference and description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from portal.actions.enums import State
from portal.actions.models import ActionItem
from portal.search.registry import Searchable, Shown


def _rows(user: Any) -> QuerySet[Any]:
    return ActionItem.objects.visible_to(user)


def _show(row: Mapping[str, Any]) -> Shown:
    return Shown(row["title"], f"{row['reference']} · {State(row['state']).label}")


def _page(row: Mapping[str, Any]) -> str:
    return reverse("actions:item", args=[row["reference"]])


FOUND = Searchable(
    kind="action", prefix="ACT", label="Action item", group="Action items", icon="clipboard-list", model=ActionItem,
    columns=("title", "reference", "description"), rows=_rows, show=_show, url=_page, values=("state",), titled=True,
)  # fmt: skip
