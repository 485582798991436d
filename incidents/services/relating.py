"""What an incident has to do with other records: a change that is suspected of it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model

from incidents.models import Incident
from incidents.policy import Refused
from incidents.services.common import locked
from portal.audit.actor import By
from portal.records import linking


def suspect(incident: Incident, record: Model, *, by: By, at: datetime, reason: str = "") -> None:
    """Mark a record, such as a change of its systems, as what may have caused an incident: shown on both.

    Refused is raised for what is marked already.
    """
    with locked(incident, by=by, at=at, reason=reason) as row:
        try:
            linking.link(record, row, kind=linking.SUSPECT, words="is suspected of", by=by, at=at, reason=reason)
        except ValueError as problem:
            raise Refused(str(problem)) from None


def clear_suspicion(incident: Incident, record: Model, *, by: By, at: datetime, reason: str) -> None:
    """Take back that a record may have caused an incident. Refused is raised when nobody suspects it."""
    with locked(incident, by=by, at=at, reason=reason) as row:
        try:
            linking.unlink(record, row, kind=linking.SUSPECT, by=by, at=at, reason=reason)
        except ValueError as problem:
            raise Refused(str(problem)) from None
