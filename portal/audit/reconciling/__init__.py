"""Reconciliation: what the database holds, what history says and what the trail tells are one and the same.

History is written with each change. Whatever went around it - raw SQL, a bulk statement on a plain query, an edit of
the database by hand - is found here, named by object and field.
"""

from __future__ import annotations

from portal.audit.reconciling.findings import Finding, Kind, digest_of
from portal.audit.reconciling.running import (
    LastRun,
    advance,
    begin,
    begin_nightly,
    finished,
    last_run,
    parts,
    run,
    waiting_since,
)

__all__ = [
    "Finding",
    "Kind",
    "LastRun",
    "advance",
    "begin",
    "begin_nightly",
    "digest_of",
    "finished",
    "last_run",
    "parts",
    "run",
    "waiting_since",
]
