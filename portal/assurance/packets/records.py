"""A sampled record: its bytes and seal as JSON, and the same as a page for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from portal.assurance.packets.chain import Link
from portal.assurance.telling import kind_of
from portal.audit.canonical import FOR_PAYLOAD
from portal.audit.enums import Action
from portal.audit.tables import Difference


@dataclass(frozen=True, slots=True)
class Sampled:
    """A row of the population that was drawn."""

    number: int
    link: Link

    @property
    def name(self) -> str:
        """Return how its files are called, without their ending."""
        return f"sample/{self.number:06d}"

    @property
    def differences(self) -> list[Difference]:
        """Return what changed, as the row tells it."""
        return [Difference(*found) for found in json.loads(self.link.values["changes"] or "[]")]

    def as_json(self) -> dict[str, Any]:
        """Return everything that the record's proof needs, and the record itself as it can be read."""
        link = self.link
        assert link.row is not None  # noqa: S101 - the population is laid open
        salt = link.seal.salt
        return {
            **link.as_json(self.number),
            "salt": None if salt is None else bytes(salt)[FOR_PAYLOAD].hex(),
            "payload": link.row.payload.decode(),
            "link": bytes(link.seal.link).hex(),
            "digest": bytes(link.seal.digest).hex(),
            "record": link.values,
            "differences": [found._asdict() for found in self.differences],
        }

    def as_page(self, about: dict[str, Any]) -> str:
        """Return the record as an HTML page that needs nothing else."""
        return render_to_string("assurance/packet/record.html", {"record": self.facts(), "about": about})

    def facts(self) -> dict[str, Any]:
        """Return what a page tells of the record."""
        values, seal = self.link.values, self.link.seal
        return {
            "number": self.number,
            "when": f"{moment(values['at'])}",
            "who": values["actor_name"] or "",
            "account": values["actor_id"] or "",
            "origin": " from ".join(filter(None, [values["origin"], values["address"]])),
            "action": action(values["action"]),
            "privileged": values["privileged"] == "true",
            "kind": kind_of(values["model"] or ""),
            "what": named(values["reference"] or "", values["name"] or ""),
            "object": " ".join(filter(None, [values["model"], values["object_id"]])),
            "event": values["event"] or "",
            "reason": values["reason"] or "",
            "gesture": values["gesture"] or "",
            "destroyed": seal.salt is None,
            "differences": self.differences,
            "position": seal.position,
            "row": seal.row_id,
            "payload_digest": bytes(seal.payload_digest).hex(),
            "link": bytes(seal.link).hex(),
            "digest": bytes(seal.digest).hex(),
            "file": f"{self.name}.json",
        }


def named(reference: str, name: str) -> str:
    """Return how a record is called; its name may begin with its reference already."""
    return name if name.startswith(reference) else f"{reference} {name}".strip()


def action(value: str | None) -> str:
    """Return an action in words."""
    return str(Action(value).label) if value in Action.values else value or ""


def moment(text: str | None) -> str:
    """Return a moment of a row's text with its zone, to the microsecond."""
    whole, _, fraction = (text or "").partition(".")
    return f"{whole}.{fraction:0<6} UTC"
