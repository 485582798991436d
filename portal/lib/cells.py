"""Cells of a table that no spreadsheet reads as a formula, whatever people or attackers wrote into the record.

A text that could start a formula gets an apostrophe before it: visible, harmless, and easily taken away again. JSON
Lines hold the text as it was.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")
APOSTROPHE = "'"
_PLAIN = "=+-@"
# Whatever normalises to one of them counts as well, such as the full-width equals sign, and a minus that does not.
STARTERS = "".join(
    chr(code) for code in range(0x10000) if unicodedata.normalize("NFKC", chr(code)) in tuple(_PLAIN) or code == 0x2212
)
# What a spreadsheet may pass over before it looks for a formula: blanks, invisible marks and other control characters.
_SKIPPED = r"[\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\u3000]"
_STARTS = re.compile(rf"\A(?=[\t\r\n])|\A(?={_SKIPPED}*[{re.escape(STARTERS)}])")
# Where a reader that splits at a semicolon, a tab or a line break would begin another cell.
_INSIDE = re.compile(rf"(?<=[;\t\r\n])(?=(?:{_SKIPPED}|\")*[{re.escape(STARTERS)}])")
# An apostrophe that stands where one is put.
_BETWEEN = rf"(?:{_SKIPPED}|[\"{APOSTROPHE}])*"
_GUARDED = re.compile(
    rf"(?:\A|(?<=[;\t\r\n])){APOSTROPHE}(?={_BETWEEN}[{re.escape(STARTERS)}])|\A{APOSTROPHE}(?=[\t\r\n])"
)
_ANY = re.compile(rf"[{re.escape(STARTERS)}]|\A[\t\r\n]")


def harmless(text: str) -> str:
    """Return the text with an apostrophe before it when it could start a formula."""
    return APOSTROPHE + text if _STARTS.search(text) else text


def harmless_in_csv(text: str) -> str:
    """Return the text so that none of its parts starts a formula either: some programs split at other signs."""
    if not _ANY.search(text):
        return text
    return _INSIDE.sub(APOSTROPHE, harmless(text))


def in_csv(value: Any) -> str:
    """Return a value as a cell of a CSV file."""
    return "" if value is None else harmless_in_csv(plain(value))


def unguarded(text: str) -> str:
    """Return a cell of a table without the apostrophes that are put there before what could start a formula."""
    return _GUARDED.sub("", text) if APOSTROPHE in text else text


def plain(value: Any) -> str:
    """Return a value as text: yes and no, moments in UTC."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return in_utc(value)
    return str(value)


def in_utc(moment: datetime) -> str:
    """Return the moment in UTC to the microsecond: 2026-11-17T13:48:02.000000Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def in_words(moment: datetime) -> str:
    """Return the moment in UTC for people: 17 Nov 2026, 13:48 UTC; seconds only where there are some."""
    at = moment.astimezone(UTC)
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    seconds = f":{at.second:02d}{fraction}" if at.second or fraction else ""
    return f"{at.day} {at:%b %Y, %H:%M}{seconds} UTC"


def in_zone(moment: datetime, zone: ZoneInfo) -> str:
    """Return the moment in a reader's zone, to the second and with its distance from UTC."""
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def twice(moment: datetime | None, zone: ZoneInfo) -> list[str | None]:
    """Return a moment for two columns: in UTC, and in a reader's zone."""
    return [None, None] if moment is None else [in_utc(moment), in_zone(moment, zone)]
