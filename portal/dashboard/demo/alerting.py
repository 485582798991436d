"""How the alerts of the demo company come in: posted to the address of its Alertmanager, as any other would be."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from incidents.intake import receiving
from incidents.intake.posts import Answer, Post
from incidents.models import Incident, IntakeToken
from portal.dashboard.demo import company
from portal.dashboard.demo.story import ALERTS, Story
from portal.directory.models import Severity

NAMED = re.compile(r"^([A-Z][a-z]+[A-Z]\w*)(: )?")  # the name of a rule at the beginning of a description
NAMELESS = "ProbeFailed"
# A system that the company's mappings name by another label than its service.
LABELS = {"ticket-database": {"job": "postgres"}}


def fire(token: IntakeToken, story: Story, number: int, *, at: datetime) -> Incident:
    """Let the alert of a story come in, and return the incident that it opened. ValueError is raised when it did not."""
    answer = _post(token, story, number, "firing", at=at)
    if answer.status != "opened" or answer.incident is None:
        raise ValueError(f"{story.title}: {answer.sentence}")
    return answer.incident


def stop(token: IntakeToken, story: Story, number: int, *, at: datetime) -> None:
    """Let the alert of a story say that it no longer fires."""
    _post(token, story, number, "resolved", at=at)


def _post(token: IntakeToken, story: Story, number: int, status: str, *, at: datetime) -> Answer:
    body = json.dumps(payload(story, number, status, at=at)).encode()
    return receiving.take(Post(token, body, content_type="application/json", address="127.0.0.1", at=at))


def payload(story: Story, number: int, status: str, *, at: datetime) -> dict[str, Any]:
    """Return what Alertmanager says of the alert of a story."""
    found = NAMED.match(story.description)
    name = found[1] if found else NAMELESS
    common = {"alertname": name, "severity": Severity.objects.get(level=story.level).code}
    annotations = {"summary": story.title, "description": story.description.removeprefix(f"{name}: ")}
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}", number="{number}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "watchbook",
        "groupLabels": {"alertname": name},
        "commonLabels": common,
        "commonAnnotations": annotations,
        "externalURL": f"https://{ALERTS.lower()}.{company.DOMAIN}",
        "alerts": [
            {
                "status": status,
                "labels": common | LABELS.get(slug, {"service": slug}),
                "annotations": annotations,
                "startsAt": at.isoformat(),
            }
            for slug in story.systems
        ],
    }
