"""What kind of file it is, from its bytes. What the sender says of it is not believed."""

from __future__ import annotations

import mimetypes
import re
from contextlib import suppress

import puremagic

from portal.records.evidence.enums import Caution
from portal.records.evidence.naming import ending

HEAD = 64 * 1024
SEARCHED = 32 * 1024 * 1024  # of a file that a browser could run: how far script is looked for
OVERLAP = 64
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
_ACTIVE = re.compile(
    rb"^\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|svg|\?xml|!--|script|body|head|iframe)", re.IGNORECASE
)
_ACTIVE_TYPES = frozenset({"image/svg+xml", "text/html", "application/xhtml+xml", "application/xml", "text/xml"})
_SCRIPT = re.compile(rb"<\s*script|\bon[a-z]{3,20}\s*=|javascript\s*:", re.IGNORECASE)
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
_PROMISING = ("image/", "audio/", "video/", "application/pdf")


class Sniffer:
    """Reads along while a file streams by: remembers how it begins, and looks for script where a browser would."""

    def __init__(self) -> None:
        self.head = b""
        self._seen = 0
        self._rest = b""
        self._script = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]
        if not self._script and self._seen < SEARCHED and _looks_active(self.head):
            self._script = _SCRIPT.search(self._rest + chunk) is not None
        self._rest = (self._rest + chunk)[-OVERLAP:]
        self._seen += len(chunk)

    @property
    def content_type(self) -> str:
        """The kind of file, such as "image/png"."""
        return kind_of(self.head)

    def cautions(self, name: str) -> list[Caution]:
        """Return what a reader should know of the file before opening it; `name` is what it is called."""
        found = self.content_type
        active = found in _ACTIVE_TYPES or _looks_active(self.head)
        checks = (
            (Caution.ACTIVE, active),
            (Caution.SCRIPT, self._script),
            (Caution.PROGRAM, self.head.startswith(_PROGRAMS)),
            (Caution.NAMED_OTHERWISE, _promises_otherwise(name, found)),
        )
        return [caution for caution, holds in checks if holds]


def kind_of(head: bytes) -> str:
    """Return the kind of file whose first bytes these are. ASCII and UTF-8 without control characters are text."""
    if (text := _text(head)) is not None:
        return _kind_of_text(text)
    found = ""
    with suppress(puremagic.PureError, ValueError, IndexError, UnicodeDecodeError):
        found = puremagic.from_string(head, mime=True)
    return found[:100] if re.fullmatch(r"[\w.+-]+/[\w.+-]+", found) else UNKNOWN


def _kind_of_text(text: str) -> str:
    start = text.lstrip("\ufeff \t\r\n")[:2000].lower()
    if "<svg" in start:
        return "image/svg+xml"
    if start.startswith(("<!doctype html", "<html", "<script", "<body", "<head", "<iframe")):
        return "text/html"
    if start.startswith("<?xml"):
        return "application/xml"
    if start.startswith("%pdf-"):
        return "application/pdf"
    return TEXT


def _text(head: bytes) -> str | None:
    """Return the bytes as text, when they are; a letter that the end cuts in two does no harm."""
    try:
        found = head.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.start < len(head) - 4 or not problem.start:
            return None
        found = head[: problem.start].decode("utf-8")
    controls = sum(char < " " and char not in "\t\r\n\f\x1b" for char in found)
    return found if not controls else None


def _looks_active(head: bytes) -> bool:
    return _ACTIVE.match(head) is not None or b"<svg" in head[:2000].lower()


def _promises_otherwise(name: str, found: str) -> bool:
    """Tell whether a name promises a picture, a sound, a film or a PDF, and the bytes are something else."""
    promised, _ = mimetypes.guess_type(f"x.{ending(name)}") if ending(name) else (None, None)
    if not promised or not promised.startswith(_PROMISING):
        return False
    family = promised.split("/")[0]
    return promised != found and not (family != "application" and found.startswith(f"{family}/"))
