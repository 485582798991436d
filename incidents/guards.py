"""What the database itself refuses of incidents: an exercise never becomes real, nor a real one an exercise."""

from __future__ import annotations

from portal.audit.triggers import refusing

OF_INCIDENTS = (
    refusing(
        "watchbook_incident_drill",
        table="incidents_incident",
        act="UPDATE",
        what="Incident",
        refusals={"whether it is a drill never changes": "NEW.is_drill IS DISTINCT FROM OLD.is_drill"},
    ),
)
