"""What is found of incidents: their reference, title and description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from incidents.enums import Status
from incidents.models import Incident
from portal.search.registry import Searchable, Shown


def _incidents(user: Any) -> QuerySet[Any]:
    return Incident.objects.visible_to(user)


def _incident(row: Mapping[str, Any]) -> Shown:
    state = f"{row['reference']} · {row['severity__code']} · {Status(row['status']).label}"
    label, icon = ("Drill", "life-buoy") if row["is_drill"] else ("", "")
    return Shown(row["title"], state, label, icon)


def _room(row: Mapping[str, Any]) -> str:
    return reverse("incidents:room", args=[row["reference"]])


INCIDENT = Searchable(
    kind="incident", label="Incident", group="Incidents", icon="siren", model=Incident,
    columns=("title", "reference", "description"), rows=_incidents, show=_incident, url=_room,
    values=("severity__code", "status", "is_drill"), titled=True,
)  # fmt: skip
