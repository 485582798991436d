"""Reading what a stranger posts: JSON within limits, and text that no page, log or database stumbles over."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

BODY_LIMIT = 256 * 1024  # bytes
TITLE_LIMIT = 200  # characters, as are the others
TEXT_LIMIT = 8000
LABEL_NAME_LIMIT = 120
LABEL_LIMIT = 1000
LABELS_LIMIT = 100  # labels that one alert may carry
KEY_LIMIT = 4000

TOO_DEEP = "The JSON is nested too deeply to be read."
GZIP = b"\x1f\x8b"

_JOINERS = "\u200c\u200d"  # they build emoji and Persian words; every other invisible character goes
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


class Unreadable(ValueError):
    """A body that is refused: the HTTP status and the sentence that the source is answered."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class _NoConstant(ValueError):
    """NaN or Infinity, which Python's reader would take."""


def refuse(sentence: str) -> NoReturn:
    """Refuse a body that is JSON, but not of the form that this address reads."""
    raise Unreadable(422, sentence)


def check_size(body: bytes) -> None:
    """Refuse a body over the limit."""
    if len(body) > BODY_LIMIT:
        raise Unreadable(413, "The body is larger than 256 KiB. Send fewer alerts at once, or fewer labels.")


def read_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in the body; Unreadable says what is wrong with any other body."""
    check_size(body)
    if not body.strip():
        raise Unreadable(400, "The body is empty. Send one JSON object.")
    try:
        found = json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise Unreadable(400, TOO_DEEP) from None
    except UnicodeDecodeError:
        raise Unreadable(
            400, _other_than_json(body) or "The body is not JSON: it is not text in UTF-8. Send it in UTF-8."
        ) from None
    except json.JSONDecodeError as problem:
        raise Unreadable(400, _other_than_json(body) or f"The body is not JSON: {line(str(problem), 200)}.") from None
    except ValueError as problem:
        words = str(problem) if isinstance(problem, _NoConstant) else "a number in it is too long"
        raise Unreadable(400, f"The body is not JSON: {words}.") from None
    if not isinstance(found, dict):
        refuse("The body must be one JSON object, in braces.")
    return found


def _other_than_json(body: bytes) -> str:
    """Return the sentence for what tools send when they are set to something else than JSON; "" for anything else."""
    if body.startswith(GZIP):
        return "The body is compressed. Send the JSON as it is, without Content-Encoding."
    if body.lstrip().startswith(b"--") or re.match(rb"[\w.-]{1,40}=", body):
        return "The body is a form, not JSON. Choose application/json as the content type in the tool."
    if body.lstrip().startswith(b"<"):
        return "The body is XML or HTML, not JSON. Choose JSON in the tool."
    return ""


def _no_constant(word: str) -> NoReturn:
    raise _NoConstant(f"{word} is not a value of JSON")


def line(text: str, limit: int = TITLE_LIMIT) -> str:
    """Return the text as one visible line of at most `limit` characters."""
    return _cut(" ".join(_visible(text, keep="").split()), limit)


def text(found: str, limit: int = TEXT_LIMIT) -> str:
    """Return the text without invisible characters, its line breaks kept, at most `limit` characters."""
    lines = _visible(found.replace("\r\n", "\n").replace("\r", "\n"), keep="\n").split("\n")
    return _cut("\n".join(part.rstrip() for part in lines).strip("\n"), limit)


def _visible(found: str, *, keep: str) -> str:
    if found.isascii() and found.isprintable():
        return found
    return "".join(char if char in keep else _shown(char) for char in found)


def _shown(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    category = unicodedata.category(char)
    if category == "Cs":  # half of a surrogate pair: no database stores it
        return "\ufffd"
    if category in {"Zs", "Zl", "Zp"} or char.isspace():
        return " "
    return "" if category in {"Cc", "Cf"} else char


def _cut(found: str, limit: int) -> str:
    return found if len(found) <= limit else f"{found[: limit - 1]}…"


def scalar(found: object, field: str) -> str:
    """Return text, a number or a truth value as text; anything else is refused by the name of its field."""
    if isinstance(found, str):
        return found
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return str(found)
    refuse(f"{field} must be text, not {_kind(found)}.")


def labels(found: object, field: str) -> dict[str, str]:
    """Return a flat object of labels as clean text by name; an absent one is empty."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        refuse(f"{field} must be an object of names and texts, not {_kind(found)}.")
    if len(found) > LABELS_LIMIT:
        refuse(f"{field} holds {len(found)} entries; at most {LABELS_LIMIT} are read.")
    clean: dict[str, str] = {}
    for name, value in found.items():
        name = line(name, LABEL_NAME_LIMIT)  # noqa: PLW2901 - only the clean name is used
        clean[name] = text(scalar(value, f"{field}.{line(name, 60)}"), LABEL_LIMIT)
    return clean


def key(found: object, field: str) -> str:
    """Return the key that names an alert: text, or a number as older versions of Alertmanager send it."""
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        refuse(f"{field} is missing or not a text. It is the key that tells this alert from others.")
    if isinstance(found, float) and not math.isfinite(found):
        refuse(f"{field} is not a number that can be a key.")
    words = str(found)
    if not words.strip():
        refuse(f"{field} is empty. It is the key that tells this alert from others.")
    if len(words) > KEY_LIMIT:
        refuse(f"{field} is longer than {KEY_LIMIT} characters.")
    return words


def status(found: object, field: str) -> bool:
    """Tell whether an alert fires; its status is the word firing or resolved."""
    if found == "firing":
        return True
    if found == "resolved":
        return False
    if found is None:
        refuse(f"{field} is missing. It is the word firing or resolved.")
    shown = f"“{line(found, 40)}”" if isinstance(found, str) else _kind(found)
    refuse(f"{field} must be firing or resolved, not {shown}.")


def count(found: object, field: str) -> int:
    """Return a whole number from 0 to a milliard; an absent one is 0."""
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= 10**9:
        refuse(f"{field} must be a whole number, 0 or more.")
    return found


def moment(found: object) -> datetime | None:
    """Return a moment of RFC 3339 in UTC; nothing when it names no zone, no real moment, or one before 1990."""
    if not isinstance(found, str):
        return None
    try:
        read = datetime.fromisoformat(found.strip())
        if read.tzinfo is None:
            return None
        read = read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if read >= _EARLIEST else None


def web_address(found: object) -> str:
    """Return an address that begins with http:// or https://, or nothing."""
    if not isinstance(found, str) or not found.lower().startswith(("http://", "https://")):
        return ""
    return "".join(line(found, 1000).split())


def _kind(found: object) -> str:
    if isinstance(found, Mapping):
        return "an object"
    if isinstance(found, list):
        return "a list"
    if found is None:
        return "null"
    return "a truth value" if isinstance(found, bool) else "a number" if isinstance(found, int | float) else "a text"
