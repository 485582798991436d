"""What maintenance does by itself: load its reference rows after every migration."""

from __future__ import annotations

from maintenance import reference
from portal.audit.actor import acting
from portal.lib import clock
from portal.lib.migrated import is_complete


def load_reference_data(**signal: object) -> None:
    """Load the reference rows once all tables stand; they do not while some apps are migrated only in part."""
    if is_complete(signal):
        with acting(by=reference.BY, reason=reference.REASON, origin="command"):
            reference.load(at=clock.now())
