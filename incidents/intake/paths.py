"""The path language of generic mappings: where in a JSON payload a value stands.

title                       a field
event.monitor.name          fields within fields
alerts[0].labels.host       an item of a list; [-1] is the last one
targets[*].name             that field of every item, joined by ", "
fields[key=severity].value  the first item whose field "key" says "severity"
labels["app.kubernetes.io"] a field whose name holds . [ ] + or quotes
host + service              several, joined by a space; what is missing is left out
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from incidents.intake import reading

LENGTH = 300
MOST_STEPS = 20
MOST_VALUES = 50
JOIN, LIST_JOIN = " ", ", "
_NAME = re.compile(r"[^\s.\[\]+\"'=]+")
_INDEX = re.compile(r"\[(-?\d{1,6})\]")
_QUOTED = re.compile(r'\["((?:[^"\\]|\\.)*)"\]')
_CHOSEN = re.compile(r"\[([^\s.\[\]+\"'=]+)=([^\[\]+\"']*)\]")


class BadPath(ValueError):
    """A path that cannot be read, with the sentence that says why."""


@dataclass(frozen=True, slots=True)
class Every:
    """Each item of a list."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The first item of a list whose field has this value."""

    name: str
    value: str


Step = str | int | Every | Chosen
Path = tuple[Step, ...]


def parse(text: str) -> tuple[Path, ...]:
    """Return the paths that are joined; BadPath says what cannot be read."""
    if len(text) > LENGTH:
        raise BadPath(f"A path has at most {LENGTH} characters.")
    found = tuple(_one(part.strip()) for part in _parts(text))
    if not found:
        raise BadPath("Write where the value stands, such as event.title.")
    return found


def _parts(text: str) -> Iterator[str]:
    """Yield what stands between the plus signs that are in no quotes."""
    begun, quoted, escaped = 0, False, False
    for place, char in enumerate(text):
        if char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and not escaped
        if char == "+" and not quoted:
            yield text[begun:place]
            begun = place + 1
    yield text[begun:]


def _one(text: str) -> Path:
    steps: list[Step] = []
    place = 0
    while place < len(text):
        step, place = _step(text, place, first=not steps)
        steps.append(step)
    if not steps:
        raise BadPath("A part of the path is empty. Write a field before and after each plus sign.")
    if len(steps) > MOST_STEPS:
        raise BadPath(f"A path has at most {MOST_STEPS} steps.")
    return tuple(steps)


def _step(text: str, place: int, *, first: bool) -> tuple[Step, int]:
    if text.startswith("[*]", place):
        return Every(), place + 3
    if found := _INDEX.match(text, place):
        return int(found[1]), found.end()
    if found := _QUOTED.match(text, place):
        return _unquoted(found[1]), found.end()
    if found := _CHOSEN.match(text, place):
        return Chosen(found[1], found[2].strip()), found.end()
    if not first and text[place] == ".":
        place, first = place + 1, True
    if first and (found := _NAME.match(text, place)):
        return found[0], found.end()
    raise BadPath(f"“{text[place : place + 20]}” cannot be read here. Write fields with dots, items as [0] or [*].")


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        raise BadPath("The name in quotes cannot be read.") from None


def render(path: Path) -> str:
    """Return the path as `parse` reads it."""
    words = ""
    for step in path:
        if isinstance(step, Every):
            words += "[*]"
        elif isinstance(step, Chosen):
            words += f"[{step.name}={step.value}]"
        elif isinstance(step, int):
            words += f"[{step}]"
        elif _NAME.fullmatch(step):
            words += f".{step}" if words else step
        else:
            words += f"[{json.dumps(step)}]"
    return words


def value_of(data: object, paths: tuple[Path, ...]) -> str:
    """Return what stands there as text: "" when nothing does, or an object or a list."""
    found = (LIST_JOIN.join(_texts(data, path)) for path in paths)
    return JOIN.join(text for text in found if text)


def _texts(data: object, path: Path) -> list[str]:
    values = [data]
    for step in path:
        values = [found for value in values for found in _inside(value, step)][:MOST_VALUES]
    return [text for value in values if (text := _text(value))]


def _inside(value: object, step: Step) -> list[object]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, Mapping) and step in value else []
    if not isinstance(value, list):
        return []
    if isinstance(step, Every):
        return value[:MOST_VALUES]
    if isinstance(step, Chosen):
        fits = (one for one in value if isinstance(one, Mapping) and _text(one.get(step.name)) == step.value)
        return [one for one, _ in zip(fits, range(1), strict=False)]
    return [value[step]] if -len(value) <= step < len(value) else []


def _text(value: object) -> str:
    if isinstance(value, str | int | float | bool):
        return reading.scalar(value, "").strip()
    return ""
