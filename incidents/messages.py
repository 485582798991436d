"""The words of the messages that incidents send, rendered from templates/notify/."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.template import Context, Engine, Template

from incidents.models import Incident

ACKNOWLEDGE_PATH = "/a/"


@cache
def _template(name: str) -> Template:
    return Engine.get_default().get_template(name)


def render(kind: str, context: dict[str, Any]) -> tuple[str, str]:
    """Return title and body of a message of this kind, such as ``incident_page``."""
    values = Context(context, autoescape=False)
    title = _template(f"notify/{kind}.subject.txt").render(values)
    body = _template(f"notify/{kind}.body.txt").render(values)
    return " ".join(title.split())[:300], body.strip() + "\n"


def about(incident: Incident) -> tuple[int, int, str]:
    """Return how a message points to its incident."""
    return ContentType.objects.get_for_model(Incident).pk, incident.pk, incident.reference


def facts(incident: Incident, **more: Any) -> dict[str, Any]:
    """Return what every template of an incident may use."""
    return {"incident": incident, "url": f"/incidents/{incident.reference}/", **more}
