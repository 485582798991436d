"""What the part does by itself: load its reference rows after every migration, and read what older versions lack."""

from __future__ import annotations

from portal.audit.actor import acting
from portal.lib import clock
from portal.lib.migrated import is_complete
from portal.runbooks.checklists import reference
from portal.runbooks.services.lines import fill_passages

BY = "system: reference data"


def load_reference_data(**signal: object) -> None:
    """Load the reference rows once all tables stand; they do not while some apps are migrated only in part."""
    if is_complete(signal):
        with acting(by=BY, reason=reference.REASON, origin="command"):
            reference.load(by=BY, at=clock.now())
            fill_passages()
