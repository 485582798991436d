"""A system check of the database: what is searched has its index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

from portal.search import indexes


def check_indexes(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Compare the indexes of each named database with what is registered. Silent in the commands that make them."""
    if settings.DOES_OWNERS_WORK:
        return []
    return [
        checks.Error(
            f"Search has no index of {', '.join(found)}.",
            hint="Make it with: python3 manage.py search rebuild",
            id="search.E001",
        )
        for using in databases or ()
        if (found := indexes.missing(using))
    ]
