"""What the auditors' side does by itself: load its reference rows after every migration."""

from __future__ import annotations

from portal.assurance import reference
from portal.assurance.exporting import reference as exports
from portal.audit.actor import acting
from portal.lib.migrated import is_complete


def load_reference_data(**signal: object) -> None:
    """Load the reference rows once all tables stand; they do not while some apps are migrated only in part."""
    if is_complete(signal):
        with acting(by="system: reference data", reason=exports.REASON, origin="command"):
            exports.load()
            reference.load()
