"""Text that looks like a secret. A runbook names variables and never their values."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from portal.runbooks.markdown.found import Content

_SHAPES: tuple[tuple[str, str], ...] = (
    ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}\b"),
    ("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    ("a Slack address that posts", r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}"),
    ("a Stripe key", r"\b[sr]k_live_[A-Za-z0-9]{16,}\b"),
    ("a Google key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10}"),
    ("a password in an address", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@<>\[\]{}$*]{1,200}:(?!\*+@|x+@|[A-Z_]+@|pass(?:word)?@|secret@)[^\s:/@<>\[\]{}$*]{4,200}@[\w.-]"),
)  # fmt: skip
_PATTERNS = tuple((what, re.compile(shape)) for what, shape in _SHAPES)
_ASSIGNED = re.compile(
    r"(?i)\b([\w-]{0,40}(?:password|passwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key)[\w-]{0,40})\s{0,10}[:=]\s{0,10}[\"'`]?([^\s\"'`,;|)]{8,500})"
)
_HOLDS_PLACE = re.compile(
    r"(?i)[<>\[\]{}$%()]|^(?:x+|\*+|\.+|changeme|example|your|placeholder|redacted|none|null|true|false|todo|secret|password|token)"
    r"|(?:example|placeholder|redacted|changeme|dummy)|^(?:https?:|/|\w+\.\w+\(|--)|^[a-z]+(?:[_-][a-z]+)*$|^[A-Z]+(?:[_-][A-Z]+)*$"
)
_SECRET_NAME = re.compile(r"(?i)password|passwd|secret|token|api_?key|private|credential|dsn|_key$")
_FEWEST_BITS = 3.0
_SHORTEST_RANDOM = 20


@dataclass(frozen=True, slots=True)
class Secret:
    """A line that looks as if it held a secret, and what it looks like. The secret itself is not repeated."""

    line: int
    what: str


def secrets_in(text: str, content: Content) -> list[Secret]:
    """Return the lines of a text that look as if they held a secret, and defaults of variables that do."""
    found = {}
    for number, line in enumerate(text.split("\n"), start=1):
        what = looks_like_secret(line)
        if what:
            found[number] = Secret(number, what)
    for row in content.variables:
        for column in ("default", "value"):
            if row[column] and _is_value(row["name"], row[column].strip("` *")):
                found.setdefault(row.line, Secret(row.line, f"a value of {row['name'].strip('` *')}"))
    return [found[number] for number in sorted(found)]


def looks_like_secret(line: str) -> str:
    """Return what a line looks as if it held, such as "an AWS access key"; "" for nothing."""
    for what, pattern in _PATTERNS:
        if any(len(set(found[0][-12:])) > 2 for found in pattern.finditer(line)):
            return what
    for name, value in _ASSIGNED.findall(line):
        if not _HOLDS_PLACE.search(value) and _is_random(value):
            return f"a value of {name}"
    return ""


def _is_value(name: str, value: str) -> bool:
    """Tell whether what stands beside a variable is its secret, and no word such as "none" or "see vault"."""
    if not value or _HOLDS_PLACE.search(value) or " " in value:
        return False
    return bool(_SECRET_NAME.search(name) and len(value) >= 6 and re.search(r"\d", value)) or (
        len(value) >= _SHORTEST_RANDOM and _is_random(value) and "/" not in value and "." not in value
    )


def _is_random(value: str) -> bool:
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", r"\d", r"[^\w\s]"))
    return kinds > 1 and bits >= _FEWEST_BITS - 0.4 and bool(re.search(r"\d", value))
