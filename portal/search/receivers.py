"""What the indexes do by themselves: stand after every migration, and make room for one."""

from __future__ import annotations

from typing import Any

from django.db import connections

from portal.lib.migrated import is_complete
from portal.search import indexes


def make_room(using: str, plan: list[Any], **_signal: Any) -> None:
    """Drop, before tables are rebuilt, the triggers that SQLite would trip over."""
    if plan and connections[using].vendor == "sqlite":
        indexes.make_room(using)


def install_indexes(using: str, **signal: Any) -> None:
    """Make what is missing, once every table has its columns."""
    if is_complete(signal):
        indexes.install(using)
