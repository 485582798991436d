"""Broken encodings: bytes read with the right one, and text that was once read with a wrong one."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What UTF-8 looks like once it was read as Windows-1252, or as Latin-1: a lead byte, then as many followers as it asks
# for. Windows leaves five bytes without a letter; they come through as themselves, as all do in Latin-1.
_HIGH = "".join({bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xC0)}) + "".join(
    map(chr, range(0x80, 0xA0))
)
_FOLLOWS = f"[{re.escape(_HIGH)}]"
_BROKEN = re.compile(f"[Â-ß]{_FOLLOWS}|[à-ï]{_FOLLOWS}{{2}}|[ð-ô]{_FOLLOWS}{{3}}")

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Repair:
    """What was mended in one line: its number, what stood there, and what it was meant to be."""

    line: int
    found: str
    became: str


def decoded(content: bytes) -> str:
    """Return a file as text: UTF-8, UTF-16 with its mark, else Windows-1252, which reads anything."""
    if content[:2] in UTF_16:
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def read(content: bytes) -> tuple[str, list[Repair]]:
    """Return a file as text, mended, and what was mended where.

    Of a file that is not UTF-8, each line that would not be read as such is among that: its letters are a guess.
    Letters beside them that were well written were not broken.
    """
    mended, repairs = repaired(decoded(content))
    as_utf8 = content.decode("utf-8-sig", "replace")
    if content[:2] in UTF_16 or "\ufffd" not in as_utf8:
        return mended, repairs
    pairs = zip(_lines(as_utf8), mended.split("\n"), strict=False)
    return mended, [_repair(n, was, now) for n, (was, now) in enumerate(pairs, start=1) if was != now]


def repaired(text: str) -> tuple[str, list[Repair]]:
    """Return the text with line ends of one kind and broken letters mended, and what was mended where."""
    lines, repairs = _lines(text.removeprefix("\ufeff")), []
    for number, line in enumerate(lines, start=1):
        mended = line
        for _ in range(3):  # some text was broken more than once
            mended, before = _BROKEN.sub(lambda match: _mended(match[0]), mended), mended
            if mended == before:
                break
        mended = mended.replace("\x00", "\ufffd")  # PostgreSQL keeps no NUL
        if mended != line:
            lines[number - 1] = mended
            repairs.append(_repair(number, line, mended))
    return "\n".join(lines), repairs


def _repair(number: int, was: str, now: str) -> Repair:
    return Repair(number, was.strip().replace("\x00", "\\0"), now.strip())


def _lines(text: str) -> list[str]:
    """Return the lines of a text, whichever of the three ways they end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _mended(broken: str) -> str:
    try:
        return b"".join(_byte(letter) for letter in broken).decode()
    except UnicodeDecodeError:
        return broken


def _byte(letter: str) -> bytes:
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")
