"""What approvals do by themselves: load their rules after every migration."""

from __future__ import annotations

from portal.approvals import reference
from portal.audit.actor import acting
from portal.lib.migrated import is_complete


def load_reference_data(**signal: object) -> None:
    """Load the rules once all tables stand; they do not while some apps are migrated only in part."""
    if is_complete(signal):
        with acting(by="system: reference data", origin="command", reason="Reference data of a new portal"):
            reference.load()
