"""Any JSON, read by lines that say where title, key, status and the rest stand, and by words that mean a state."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from incidents.enums import PayloadField, Stance
from incidents.intake import paths, reading
from incidents.intake.report import Report

SHOWN_LABELS = 40
DEEPEST = 4
MILLISECONDS = 10**11  # a number above it counts milliseconds since 1970, one below it seconds
NOT_MAPPED = "The status “{}” is not mapped, so it was taken as firing. Add a status word for it."


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a mapping: the field, and the path at which it stands. `row` is its id when it is data."""

    field: str
    path: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """How payloads are read: lines in their order, and what each status word means, in lower case.

    `severities` are words of the tool for a severity, by words that everybody uses.
    """

    name: str
    lines: tuple[Line, ...]
    words: Mapping[str, str]
    severities: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """The line that gave a field its value."""

    line: Line
    value: str


def read(data: Mapping[str, object], form: Form) -> tuple[Report, list[Match]]:
    """Return what the payload says, and which lines said it; reading.Unreadable says what was not found."""
    found = {match.line.field: match for match in _matches(data, form.lines)}
    said = {field: match.value for field, match in found.items()}
    title = reading.line(said.get(PayloadField.TITLE, ""))
    key = said.get(PayloadField.KEY, "") or title
    if not key:
        tried = [line.path for line in form.lines if line.field in {PayloadField.KEY, PayloadField.TITLE}]
        reading.refuse(
            f"Neither a title nor a key was found. These were looked for: {', '.join(tried[:12]) or 'none'}. "
            "Add lines to the mapping of this address that say where they stand."
        )
    stance, hints = _stance(said.get(PayloadField.STATUS, ""), form)
    labels = _labels(data, _common(said, form))
    report = Report(
        key=reading.key(key, "key"),
        firing=stance == Stance.FIRING,
        title=title or reading.line(key),
        description=_description(said),
        labels=labels,
        label_sets=tuple(_label_sets(labels, said)),
        firing_count=int(stance == Stance.FIRING),
        resolved_count=int(stance == Stance.RESOLVED),
        started_at=moment(said.get(PayloadField.STARTED_AT, "")),
        instead="" if stance in {Stance.FIRING, Stance.RESOLVED} else stance,
        sentence=_nothing(said) if stance == Stance.NOTHING else "",
        hints=hints,
    )
    return report, list(found.values())


def _common(said: Mapping[str, str], form: Form) -> dict[str, str]:
    """Return what was said, with a word of the tool's own for a severity as everybody says it."""
    word = said.get(PayloadField.SEVERITY, "").strip().casefold()
    return {**said, PayloadField.SEVERITY.value: form.severities[word]} if word in form.severities else dict(said)


def _matches(data: Mapping[str, object], lines: Iterable[Line]) -> Iterator[Match]:
    """Yield for each field the first line at whose path something stands."""
    done = set()
    for line in lines:
        if line.field in done:
            continue
        value = paths.value_of(data, paths.parse(line.path))
        if value:
            done.add(line.field)
            yield Match(line, reading.text(value))


def _stance(word: str, form: Form) -> tuple[str, tuple[str, ...]]:
    if not word:
        return Stance.FIRING, ()
    means = form.words.get(word.strip().casefold())
    if means is None:
        return Stance.FIRING, (NOT_MAPPED.format(reading.line(word, 60)),)
    return means, ()


def _nothing(said: Mapping[str, str]) -> str:
    return f"The status “{reading.line(said.get(PayloadField.STATUS, ''), 60)}” asks for nothing, so nothing changed."


def _description(said: Mapping[str, str]) -> str:
    address = reading.web_address(said.get(PayloadField.URL))
    return reading.text("\n\n".join(part for part in (said.get(PayloadField.DESCRIPTION, ""), address) if part))


def _labels(data: Mapping[str, object], said: Mapping[str, str]) -> dict[str, str]:
    """Return what stands in the payload as labels under its paths, with severity and system as they were found."""
    found: dict[str, str] = {}
    for path, value in _leaves(data, ()):
        if len(found) >= SHOWN_LABELS:
            break
        name = reading.line(paths.render(path), reading.LABEL_NAME_LIMIT)
        text = reading.text(reading.scalar(value, name), reading.LABEL_LIMIT)
        if text:
            found[name] = text
    for field in (PayloadField.SEVERITY, PayloadField.SYSTEM):
        if said.get(field):
            found[field.value] = reading.line(said[field], reading.LABEL_LIMIT)
    return found


def _leaves(value: object, path: paths.Path) -> Iterator[tuple[paths.Path, Any]]:
    if isinstance(value, Mapping) and len(path) < DEEPEST:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif path and isinstance(value, str | int | float | bool):
        yield path, value


def _label_sets(labels: dict[str, str], said: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    systems = [part.strip() for part in said.get(PayloadField.SYSTEM, "").split(paths.LIST_JOIN.strip())]
    for system in [part for part in systems if part] or [""]:
        yield {**labels, PayloadField.SYSTEM.value: system} if system else labels


def moment(found: str) -> datetime | None:
    """Return a moment with its zone, or seconds or milliseconds since 1970; nothing when it is neither."""
    text = found.strip()
    if re.fullmatch(r"\d{9,14}(\.\d+)?", text):
        number = float(text)
        seconds = number / 1000 if number >= MILLISECONDS else number
        return reading.moment(datetime.fromtimestamp(seconds, UTC).isoformat())
    text = re.sub(r"\s+(UTC|GMT)$", "", text)  # Go prints the offset and the name of the zone
    return reading.moment(re.sub(r"\s+([+-]\d{2}):?(\d{2})$", r"\1:\2", text))
