"""What incidents do by themselves: load their reference rows after every migration."""

from __future__ import annotations

from django.db import connections

from incidents import reference
from incidents.models import EscalationTarget
from portal.audit.actor import acting


def load_reference_data(using: str, **_: object) -> None:
    """Load the reference rows once the tables stand; they do not after the app was migrated backwards."""
    if EscalationTarget._meta.db_table in connections[using].introspection.table_names():
        with acting(by="system: reference data", origin="command"):
            reference.load()
