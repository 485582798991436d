"""What approvers are shown, as one canonical text: lines "Label: value", of which a digest is taken.

The text can be read back into the same facts, so that no two records that differ have one text. Characters that a
reader could not see, or that change the order in which text is read, are spelled out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

INDENT = "    "
_BRACKET = "⟨"  # begins what is spelled out, and is spelled out itself
NOTHING = "⟨none⟩"  # no text that somebody writes reads like it


class Fact(NamedTuple):
    """One line of what is shown. Labels are unique within a record."""

    label: str
    value: str


class Moved(NamedTuple):
    """One fact that differs between two texts; "" where it was not there."""

    label: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.label}: {plain(self.old)} > {plain(self.new)}"


def plain(value: str) -> str:
    """Return a value as a sentence says it."""
    return "nothing" if value in {"", NOTHING} else value


def fact(label: str, value: object) -> Fact:
    """Return a fact in words: yes and no, NOTHING for nothing.

    ValueError is raised for a label that could not be read back.
    """
    if not label or label != label.strip() or ":" in label or not label.isprintable():
        raise ValueError(f"A label is plain words without a colon: {label!r}")
    if isinstance(value, bool):
        return Fact(label, "yes" if value else "no")
    return Fact(label, NOTHING if value is None or value == "" else visible(str(value)))


def visible(text: str) -> str:
    """Return the text with every character that cannot be seen spelled out, such as ⟨U+202E⟩; line ends stay."""
    return "".join(_seen(character) for character in text.replace("\r\n", "\n"))


def _seen(character: str) -> str:
    hidden = not character.isprintable() and character not in "\n\t"
    return f"⟨U+{ord(character):04X}⟩" if hidden or character == _BRACKET else character


def canonical(facts: Iterable[Fact]) -> str:
    """Return the one text of these facts. ValueError is raised when two of them have the same label."""
    found = list(facts)
    if len({one.label for one in found}) < len(found):
        raise ValueError("Two facts have the same label, so that nobody could tell which of them changed.")
    return "".join(f"{one.label}: {one.value.replace(chr(10), chr(10) + INDENT)}\n" for one in found)


def parsed(text: str) -> list[Fact]:
    """Return the facts of a canonical text."""
    found: list[Fact] = []
    for line in text.removesuffix("\n").split("\n") if text else []:
        if line.startswith(INDENT) and found:
            found[-1] = Fact(found[-1].label, f"{found[-1].value}\n{line.removeprefix(INDENT)}")
        else:
            label, _, value = line.partition(": ")
            found.append(Fact(label, value))
    return found


def digest(text: str) -> str:
    """Return the SHA-256 of a canonical text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: str, new: str) -> list[Moved]:
    """Return what differs between two canonical texts, fact by fact, in the order of the newer one; gone facts last."""
    before, after = dict(parsed(old)), dict(parsed(new))
    labels = [*after, *(label for label in before if label not in after)]
    return [
        Moved(label, before.get(label, ""), after.get(label, ""))
        for label in labels
        if before.get(label) != after.get(label)
    ]
