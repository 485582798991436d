"""What the directory does by itself: load its reference rows after every migration."""

from __future__ import annotations

from django.db import connections

from portal.audit.actor import acting
from portal.directory import reference
from portal.directory.models import SeverityClock


def load_reference_data(using: str, **_: object) -> None:
    """Load the reference rows once the tables stand; they do not after the app was migrated backwards."""
    if SeverityClock._meta.db_table in connections[using].introspection.table_names():
        with acting(by="system: reference data", origin="command"):
            reference.load()
