"""Rows out of a CSV file, or out of the first sheet of an XLSX file (ECMA-376), within bounds."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

from portal.lib.cells import unguarded

MOST_ROWS = 5000
LONGEST_FILE = 5 * 1024 * 1024
LONGEST_PART = 50 * 1024 * 1024  # of a part of an XLSX file, unpacked
Rows = dict[int, dict[str, str]]  # by the number of the row in its file
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_COLUMN = re.compile(r"^([A-Z]{1,3})\d+$")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
MOST_COLUMNS = 200


class Unreadable(ValueError):
    """The file is no table that can be taken in; the sentence says what to do."""


def read(name: str, content: bytes) -> Rows:
    """Return the rows of a table under its headings, in lower case, by their number in it. Empty rows are left out.

    Cells that stand under no heading are kept under "". Unreadable is raised for what is no such file, is too large,
    has no headings, has one of them twice, or has nothing below them.
    """
    if len(content) > LONGEST_FILE:
        raise Unreadable("The file is larger than 5 MB. Divide it.")
    lines = _sheet(content) if content[:2] == b"PK" or name.lower().endswith(".xlsx") else _csv(content)
    rows: Rows = {}
    heads: list[str] = []
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if not heads:
            heads = _heads(cells)
            continue
        if len(rows) == MOST_ROWS:
            raise Unreadable(f"The file has more than {MOST_ROWS:,} rows. Divide it.")
        rows[number] = _row(heads, [unguarded(cell).strip() for cell in cells])
    if not heads:
        raise Unreadable("The file is empty. Its first row names the columns, the first of them “task”.")
    if not rows:
        raise Unreadable("The file has headings, and no row below them.")
    return rows


def _heads(cells: list[str]) -> list[str]:
    heads = [cell.strip().lower() for cell in cells]
    twice = next((head for head in heads if head and heads.count(head) > 1), None)
    if twice is not None:
        raise Unreadable(f"The column “{twice[:40]}” stands there twice. Leave one of them.")
    return heads


def _row(heads: list[str], cells: list[str]) -> dict[str, str]:
    row = {head: cell for head, cell in zip(heads, cells, strict=False) if head}
    stray = [cell for place, cell in enumerate(cells) if cell and not (place < len(heads) and heads[place])]
    return row | {"": ", ".join(stray)} if stray else row


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        words = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Unreadable("The file is not UTF-8. Save it as “CSV UTF-8”, or as XLSX.") from problem
    if "\0" in words:
        raise Unreadable("This is no table. Give a CSV or an XLSX file.")
    first = words.partition("\n")[0]
    try:
        cut = ";" if first.count(";") > first.count(",") else ","
        yield from enumerate(csv.reader(io.StringIO(words), delimiter=cut), start=1)
    except csv.Error as problem:
        raise Unreadable(f"The file cannot be read as CSV: {problem}.") from problem


def _sheet(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            sheet = min((n for n in names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)), key=_number)
            shared = _shared(_part(archive, "xl/sharedStrings.xml")) if "xl/sharedStrings.xml" in names else []
            table = _part(archive, sheet)
    except (
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        ParseError,
        OSError,
        RuntimeError,
        NotImplementedError,
    ) as problem:
        if isinstance(problem, Unreadable):
            raise
        raise Unreadable("The file cannot be read as XLSX. Save it anew, or as CSV.") from problem
    number = 0
    for row in table.iter(f"{_MAIN}row"):
        number = max(number + 1, _number(row.get("r", "")[:7] or "0"))  # empty rows may be left out
        yield number, _cells(row, shared)


def _number(name: str) -> int:
    return int(re.sub(r"[^0-9]", "", name) or 0)


def _part(archive: zipfile.ZipFile, name: str) -> Element:
    if archive.getinfo(name).file_size > LONGEST_PART:
        raise Unreadable("The file is too large once it is unpacked. Divide it.")
    with archive.open(name) as part:
        content = part.read(LONGEST_PART + 1)
    # A part in UTF-16 would hide a document type from this look; it has a zero byte in each sign.
    if len(content) > LONGEST_PART or any(sign in content for sign in (b"<!DOCTYPE", b"<!ENTITY", b"\0")):
        raise Unreadable("The file holds what no such file needs. Save it anew, or as CSV.")
    return fromstring(content)  # noqa: S314 - it has no document type, so that nothing in it unfolds


def _shared(part: Element) -> list[str]:
    return [_joined(one) for one in part.iter(f"{_MAIN}si")]


def _joined(part: Element) -> str:
    """Return the texts of a part, with the signs that XML has no other way to write, such as the end of a line."""
    return _ESCAPED.sub(_sign, "".join(text.text or "" for text in part.iter(f"{_MAIN}t")))


def _sign(found: re.Match[str]) -> str:
    sign = chr(int(found[1], 16))
    return sign if sign in "\t\r\n" or sign.isprintable() else found[0]


def _cells(row: Element, shared: list[str]) -> list[str]:
    found: list[str] = []
    for cell in row.iter(f"{_MAIN}c"):
        named = _COLUMN.match(cell.get("r", ""))
        place = _place(named[1]) if named else len(found)
        if place >= MOST_COLUMNS:
            break
        found += [""] * (place - len(found))
        found[place:] = [_text(cell, shared)]
    return found


def _place(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _text(cell: Element, shared: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return _joined(cell)
    value = cell.find(f"{_MAIN}v")
    words = value.text or "" if value is not None else ""
    if cell.get("t") == "s":
        return shared[int(words)] if words.isascii() and words.isdigit() and int(words) < len(shared) else ""
    if cell.get("t") == "b":
        return "yes" if words == "1" else "no"
    return words.removesuffix(".0")
