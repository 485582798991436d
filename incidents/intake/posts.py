"""One post to an intake address, and what its source is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from incidents.models import Incident, IntakeToken
from portal.audit.actor import Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """What the source is told: the HTTP status, a word, a sentence, and the incident that it is about.

    `key` is what the source knows its alert by, as it was read.
    """

    status_code: int
    status: str
    sentence: str
    incident: Incident | None = None
    ignored: tuple[str, ...] = ()
    key: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        found: dict[str, Any] = {"status": self.status, "sentence": self.sentence}
        if self.incident is not None:
            found["incident"] = self.incident.reference
            found["url"] = f"{settings.PORTAL_URL}{self.incident.get_absolute_url()}"
        if self.ignored:
            found["ignored"] = list(self.ignored)
        return found


@dataclass(frozen=True, slots=True)
class Post:
    """One post as it came: its body, its headers by lower-case name, and from where.

    `is_change` says that it came to the door of change events, where nothing is an alert.
    """

    token: IntakeToken
    body: bytes
    content_type: str
    address: str
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    is_change: bool = False

    @property
    def by(self) -> Actor:
        """Return the source as the record names it."""
        return Actor(f"source: {self.token.name}")
