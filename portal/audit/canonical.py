"""The one text of a row, and the digests that are taken of it. docs/seal-format.md says the same for everybody else.

The database writes the text of a row itself (portal.audit.reading), so that what is sealed is what was stored; here is
the same in Python, for tests, packets and whoever wants to understand it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

FORMAT = "watchbook-seal-1"
BEGINNING = bytes(32)  # what the first seal has in place of the digest before it
SALT_BYTES = 32
FOR_PAYLOAD, FOR_HISTORY = slice(0, 16), slice(16, 32)  # two salts: who learns the first cannot try the history
NOTHING = "-"  # stands for a column that is null
NO_TEXT = "-1"  # stands for the length of a text that is null
WITH_LENGTH = frozenset({"text", "json"})  # kinds whose text may hold a comma: its length in bytes stands before it
LARGEST_EXPONENT = 400


class Column(NamedTuple):
    """One column that a digest covers: its name in the database, its kind, and the part of the seal it belongs to."""

    name: str
    kind: str
    part: str


# Values as text.


def compact(value: Any) -> str:
    """Return JSON with sorted names, without spaces and with letters as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def told(kind: str, value: Any) -> str | None:
    """Return the text of a Python value; None for null."""
    if value is None:
        return None
    if kind == "json":
        return json_text(json.dumps(value))
    if kind.startswith("decimal"):
        return _decimal(value)
    return _TELLING.get(kind, str)(value)


def _moment(value: datetime) -> str:
    return _without_zeros(str(value.astimezone(UTC).replace(tzinfo=None)))


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal(value: Decimal) -> str:
    """Return a number in full, without zeros at its end; one of more than 400 digits as digits and exponent."""
    if not value.is_finite():
        return str(value)
    if not value:
        return "0"
    if abs(value.adjusted()) <= LARGEST_EXPONENT:
        return _without_zeros(format(value, "f"))
    sign, digits, exponent = value.as_tuple()
    kept = "".join(map(str, digits)).lstrip("0")
    cut = kept.rstrip("0")
    return f"{'-' * sign}{cut}E{int(exponent) + len(kept) - len(cut)}"


_TELLING: dict[str, Any] = {
    "boolean": lambda value: "true" if value else "false",
    "moment": _moment,
    "date": date.isoformat,
    "time": lambda value: _without_zeros(str(time.isoformat(value))),
    "span": lambda value: str(value // timedelta(microseconds=1)),
    "bytes": lambda value: bytes(value).hex(),
}


def json_text(text: str) -> str:
    """Return the one text of a JSON value: sorted names, no spaces, numbers in full. What is no JSON stays as it is."""
    try:
        return _written(json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number))
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _no_number(text: str) -> None:
    raise ValueError(text)


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(name)}:{_written(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return compact(value)


def row_text(columns: Sequence[Column], values: Sequence[str | None]) -> bytes:
    """Return the text of some columns of a row: their values separated by commas, texts with their length before."""
    words: list[str] = []
    for column, value in zip(columns, values, strict=True):
        if column.kind not in WITH_LENGTH:
            words.append(NOTHING if value is None else value)
        elif value is None:
            words.append(NO_TEXT)
        else:
            words.append(f"{len(value.encode())},{value}")
    return ",".join(words).encode()


def values_of(columns: Sequence[Column], text: bytes) -> list[str | None]:
    """Return the values that the text of a row holds, in the order of its columns. ValueError: it is no such text."""
    found: list[str | None] = []
    rest: bytes | None = text
    for column in columns:
        if rest is None:
            raise ValueError("The text ends before its last column.")
        with_length = column.kind in WITH_LENGTH
        value: bytes | None
        value, comma, after = rest.partition(b",")
        if with_length and value != NO_TEXT.encode():
            length = int(value)
            value, comma, after = after[:length], after[length : length + 1], after[length + 1 :]
            if len(value) != length or comma not in {b"", b","}:
                raise ValueError("A length does not fit.")
        elif with_length or value == NOTHING.encode():
            value = None
        found.append(None if value is None else value.decode())
        rest = after if comma else None
    if rest is not None:
        raise ValueError("The text goes on after its last column.")
    return found


def relation_text(relation: str, rows: Sequence[bytes]) -> bytes:
    """Return what follows the text of a history row for one many-to-many field: its name, how many, and their texts."""
    return b"".join([f"\n{relation},{len(rows)}".encode(), *(b"\n" + row for row in rows)])


# Digests.


def payload_digest(salt: bytes, payload: bytes) -> bytes:
    """Return the salted digest of a payload or of a history row: it says nothing once the salt is destroyed."""
    return sha256(salt + payload).digest()


def link_text(
    position: int,
    source: str,
    row_id: int,
    shapes: tuple[str, str],
    digests: tuple[bytes, bytes | None],
    envelope: bytes,
) -> bytes:
    """Return the text that ties a position to a row: format, position, source, id, shapes, digests and envelope.

    `shapes` and `digests` are those of the row and of its history row; "-" and None where there is no history row.
    """
    payload, history = digests
    told = history.hex() if history is not None else NOTHING
    head = f"{FORMAT},{position},{source},{row_id},{shapes[0]},{shapes[1]},{payload.hex()},{told},"
    return head.encode() + envelope


def link(text: bytes) -> bytes:
    """Return the digest of a link's text."""
    return sha256(text).digest()


def chained(previous: bytes, link: bytes) -> bytes:
    """Return the digest of a position: of the one before it and its link."""
    return sha256(previous + link).digest()
