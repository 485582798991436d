"""Digests of what a review is made of and of what was attested, over one canonical text each. Pure functions.

The text of a row of the trail is one JSON list, without blanks between its parts; the digest of an item is the SHA-256
of its lines. The population is the SHA-256 of one line for each item, its number and its digest. docs/auditor.md says
the same, so that anybody can count again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

ROW = (
    *("id", "at", "actor_name", "actor_id", "origin", "action", "model", "object_id", "reference", "name", "event"),
    *("reason", "changes"),
)
"""The columns of the trail that an item covers, in the order of its text."""


def moment(value: datetime | None) -> str | None:
    """Return a moment as text that reads the same in every zone: UTC, to the microsecond."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def line(values: Sequence[Any]) -> str:
    """Return the one text of some values."""
    plain = [moment(value) if isinstance(value, datetime) else value for value in values]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def of_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 of some lines, in hexadecimal."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def of_rows(rows: Iterable[Sequence[Any]]) -> str:
    """Return the digest of rows of the trail, given as values of the columns `ROW` in the order of their ids."""
    return of_lines(line(row) for row in rows)


def of_facts(facts: Mapping[str, Any]) -> str:
    """Return the digest of something that somebody holds."""
    return of_lines([line([dict(facts)])])


def of_population(items: Iterable[tuple[int, str]]) -> str:
    """Return the digest of a population: number and digest of each item, in the order of the numbers."""
    return of_lines(f"{number} {digest}" for number, digest in items)


def of_attestation(head: Mapping[str, Any], verdicts: Iterable[Sequence[Any]]) -> str:
    """Return the digest of what was attested: what stands above the signature, then each item with its last verdict."""
    return of_lines([line([dict(head)]), *(line(verdict) for verdict in verdicts)])
