"""Names of files as strangers write them: told in full, safe to show, and safe to save under."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from portal.records.evidence.enums import Caution

LONGEST = 255
LONGEST_FILE = 120
NAMELESS = "evidence"
_PARTS = re.compile(r"[/\\]")
_NOT_IN_FILES = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True, slots=True)
class Named:
    """What is kept of a name: `told` spells out what cannot be seen, `file` is what a download is saved under."""

    told: str
    file: str
    cautions: tuple[Caution, ...]


def named(raw: str) -> Named:
    """Return a name as it came in, fit to be kept, shown and saved under."""
    told = "".join(char if char.isprintable() else _spelled(char) for char in raw)
    cautions = (
        (Caution.PATH, bool(_PARTS.search(html.unescape(raw)))),
        (Caution.HIDDEN, not raw.isprintable()),
        (Caution.LONG, len(told) > LONGEST),
    )
    return Named(_cut(told, LONGEST) or NAMELESS, file_name(raw), tuple(found for found, holds in cautions if holds))


def file_name(raw: str) -> str:
    """Return the last part of a name without anything that a file system or a reader could stumble over."""
    last = _PARTS.split(html.unescape(raw))[-1]
    seen = "".join(char for char in last if char.isprintable())
    plain = _NOT_IN_FILES.sub("_", seen).strip(" .")
    if _DEVICES.match(plain):
        plain = f"_{plain}"
    return _cut(plain, LONGEST_FILE) or NAMELESS


def ending(name: str) -> str:
    """Return how a name ends, such as "png", in small letters; "" when it has no ending."""
    stem, dot, found = name.rpartition(".")
    return found.lower() if dot and stem and len(found) <= 10 else ""


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    tail = f".{ending(name)}" if ending(name) else ""
    return f"{name[: most - len(tail) - 1]}…{tail}"


def _spelled(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
