"""Puts a packet together: the chain and the population first, then the sample that follows, then its pages."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.template import Context, Engine

from portal.accounts.models import User
from portal.assurance.exporting.policy import Refused
from portal.assurance.exporting.sources import Step
from portal.assurance.packets import document, sampling
from portal.assurance.packets.asking import Asked
from portal.assurance.packets.chain import TRAIL, Link, Walk
from portal.assurance.packets.container import Container, Packed, TooLarge
from portal.assurance.packets.records import Sampled
from portal.assurance.packets.sampling import Sample
from portal.assurance.packets.scope import Span, span
from portal.audit import signing
from portal.audit.canonical import compact
from portal.lib import cells

FORMAT = "watchbook-packet-1"
TOO_LARGE = "The packet would be larger than 4 GB. Choose a shorter period."
COLUMNS = (
    "number", "position", "row", "when (UTC)", "action", "model", "object",
    "who", "origin", "reference", "name", "event", "reason", "fields",
)  # fmt: skip
AFTER_PROVEN = ("actor_name", "origin", "reference", "name", "event", "reason", "fields")


@dataclass(frozen=True, slots=True)
class Order:
    """With whose eyes a packet is made, who asked for it, of what, and why; `at` is when it is made."""

    user: User
    asked_by: str
    asked: Asked
    reference: str
    reason: str
    at: datetime


@dataclass
class Counted:
    """What the walk along the chain has come to."""

    members: int = 0
    opened: int = 0
    withheld: int = 0
    definitions: dict[str, str] = field(default_factory=dict)
    sample: dict[int, Link] = field(default_factory=dict)


def build(order: Order, folder: Path, step: Step) -> tuple[Path, int]:
    """Make the packet in a folder of its own; return its path and how many rows its population has.

    Refused says what prevents it: an empty or too long period, or a row that is not as it was sealed.
    """
    part = span(order.user, order.asked, at=order.at)
    counted = _tell_chain(order, part, folder, step)
    records = [Sampled(number, link) for number, link in counted.sample.items()]
    signer = signing.signer()
    about = _about(order, part, counted, signer)
    document.write(folder / "packet.pdf", about, records, folder)
    path = folder / "packet.zip"
    try:
        with Container(path) as container:
            _fill(container, about, part, counted, records, folder)
    except TooLarge as problem:
        raise Refused(TOO_LARGE) from problem
    return path, counted.members


def _tell_chain(order: Order, part: Span, folder: Path, step: Step) -> Counted:
    """Write the chain and the population, batch after batch, and draw the sample while they go by."""
    counted, walk = Counted(), Walk(order.user)
    sample: Sample[Link] = Sample(order.asked.seed, order.asked.size)
    total = part.last - part.first + 1
    step(0, total)
    with (
        (folder / "chain.jsonl").open("w", encoding="utf-8", newline="\n") as chain,
        (folder / "population.csv").open("w", encoding="utf-8-sig", newline="") as population,
    ):
        table = csv.writer(population, quoting=csv.QUOTE_ALL)
        table.writerow(COLUMNS)
        for links in walk.links(part.first, part.last):
            for link in links:
                number = _count(link, order.asked, counted)
                _write(chain, link.as_json(number))
                if number is not None:
                    table.writerow([cells.in_csv(value) for value in _line(number, link)])
                    sample.offer(number, link)
            step(links[-1].position - part.first + 1, total)
    counted.definitions, counted.sample = walk.definitions, sample.drawn()
    return counted


def _count(link: Link, asked: Asked, counted: Counted) -> int | None:
    """Return the number of a position in the population, or nothing when it does not belong."""
    if link.row is None:
        counted.withheld += 1
        return None
    counted.opened += 1
    if not _belongs(link, asked):
        return None
    counted.members += 1
    return counted.members


def _belongs(link: Link, asked: Asked) -> bool:
    if link.definition.source != TRAIL:
        return False
    values = link.values
    at = datetime.fromisoformat(f"{values['at']}+00:00")
    return asked.starts <= at < asked.ends and (not asked.privileged or values["privileged"] == "true")


def _write(file: TextIO, line: dict[str, Any]) -> None:
    file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def _line(number: int, link: Link) -> Iterable[Any]:
    values = link.values
    at = datetime.fromisoformat(f"{values['at']}+00:00")
    proven = [number, link.position, link.seal.row_id, at, values["action"], values["model"], values["object_id"]]
    return [*proven, *((values[name] or "").strip() for name in AFTER_PROVEN)]


def _about(order: Order, part: Span, counted: Counted, signer: signing.Signer) -> dict[str, Any]:
    """Return what the packet says of itself."""
    asked, ends = order.asked, part.ends()
    for name, anchor in part.anchors():
        ends[name] |= {"signed_at": cells.in_utc(anchor.signed_at), "key": anchor.key_id}
    numbers = list(counted.sample)
    return {
        "format": FORMAT,
        "portal": str(settings.PORTAL_URL),
        "company": str(settings.PORTAL_COMPANY),
        "export": order.reference,
        "asked_by": order.asked_by,
        "reader": str(order.user),
        "reason": order.reason,
        "made_at": cells.in_utc(order.at),
        "key": signer.key_id,
        "query": query(order.user, asked),
        "period": {"from": cells.in_utc(asked.starts), "to": cells.in_utc(asked.ends)},
        "conditions": {"privileged": "true"} if asked.privileged else {},
        "population": {"count": counted.members},
        "sample": {
            "asked": asked.size,
            "count": len(numbers),
            "seed": asked.seed,
            "algorithm": sampling.ALGORITHM,
            "method": sampling.WORDS,
            "numbers": numbers,
        },
        "chain": {**ends, "opened": counted.opened, "withheld": counted.withheld},
    }


def query(user: User, asked: Asked) -> str:
    """Return in words what was counted, and how."""
    rows = "All rows about privileged records" if asked.privileged else "All rows"
    period = f"from {cells.in_words(asked.starts)} until before {cells.in_words(asked.ends)}"
    return f"{rows} of the audit trail {period}, as far as {user} may read them, in the order of their seals."


def _fill(
    container: Container, about: dict[str, Any], part: Span, counted: Counted, records: Sequence[Sampled], folder: Path
) -> None:
    """Write all files, then the manifest that names them, then its signature."""
    checker = settings.BASE_DIR / "docs" / "verify_packet.py"
    files: list[tuple[str, bytes | Path]] = [
        ("README.txt", _readme(about)),
        ("packet.pdf", folder / "packet.pdf"),
        ("packet.json", _pretty(about)),
        ("population.csv", folder / "population.csv"),
        ("chain.jsonl", folder / "chain.jsonl"),
        ("definitions.json", _pretty(sorted(counted.definitions.values()))),
        *((f"anchors/{name}.json", f"{anchor.line()}\n".encode()) for name, anchor in part.anchors()),
        ("verify_packet.py", checker),
    ]
    packed = [container.add(name, content) for name, content in files]
    for record in records:
        packed.append(container.add(f"{record.name}.json", _pretty(record.as_json())))
        packed.append(container.add(f"{record.name}.html", record.as_page(about).encode()))
    manifest = _pretty(_manifest(about, packed))
    signer = signing.signer()
    signed = signer.sign(f"{FORMAT}\n".encode() + manifest)
    signature = {"key": signer.key_id, "public_key": signer.public_key, "signature": signed}
    container.add("manifest.json", manifest, plain=True)
    container.add("signature.json", compact(signature).encode() + b"\n", plain=True)
    container.finish()


def _manifest(about: dict[str, Any], packed: Sequence[Packed]) -> dict[str, Any]:
    named = {name: about[name] for name in ("format", "portal", "export", "made_at")}
    return {**named, "files": [file.as_json() for file in packed]}


def _readme(about: dict[str, Any]) -> bytes:
    template = Engine.get_default().get_template("assurance/packet/readme.txt")
    return template.render(Context({"about": about}, autoescape=False)).encode()


def _pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
