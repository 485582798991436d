"""What a packet is asked for: a period, how many records of it, and the seed that they are drawn with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from portal.assurance.exporting.policy import Refused
from portal.lib.cells import in_utc

MOST_SAMPLED = 500
LONGEST_SEED = 80
SEED = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
PERIOD = "The period must end after it begins. Choose a later end."
SIZE = f"Sample between 1 and {MOST_SAMPLED} records."
SEED_SENTENCE = f"Give a seed of at most {LONGEST_SEED} letters, digits or signs, such as 20261130."
MOMENT = "“{text}” is no day or moment. Write 2026-11-30, or 2026-11-30T14:00Z."


@dataclass(frozen=True, slots=True)
class Asked:
    """The period holds `starts` and not `ends`. With `privileged`, only changes of privileged records count."""

    starts: datetime
    ends: datetime
    size: int
    seed: str
    privileged: bool = False

    def __post_init__(self) -> None:
        if self.starts >= self.ends:
            raise Refused(PERIOD)
        if not 1 <= self.size <= MOST_SAMPLED:
            raise Refused(SIZE)
        if len(self.seed) > LONGEST_SEED or not SEED.fullmatch(self.seed):
            raise Refused(SEED_SENTENCE)

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Read what an export keeps. Refused is raised for what is no period, size or seed."""
        try:
            starts, ends = (datetime.fromisoformat(str(parameters[name])) for name in ("from", "to"))
            size, seed = int(parameters["sample"]), str(parameters["seed"])
        except (KeyError, ValueError, TypeError) as problem:
            raise Refused("Give a period, the size of the sample and a seed.") from problem
        if starts.tzinfo is None or ends.tzinfo is None:
            raise Refused(MOMENT.format(text=parameters["from"]))
        return cls(starts.astimezone(UTC), ends.astimezone(UTC), size, seed, bool(parameters.get("privileged")))

    def parameters(self) -> dict[str, Any]:
        """Return it as an export keeps it."""
        found: dict[str, Any] = {
            "from": in_utc(self.starts),
            "to": in_utc(self.ends),
            "sample": self.size,
            "seed": self.seed,
        }
        return found | ({"privileged": True} if self.privileged else {})

    def words(self, zone: ZoneInfo) -> str:
        """Return the period in a reader's zone, whole days without their hours."""
        starts, ends = self.starts.astimezone(zone), self.ends.astimezone(zone)
        if starts.time() == ends.time() == time():
            return f"{_day(starts)} to {_day(ends - timedelta(days=1))}, {zone.key}"
        return f"{_day(starts)}, {starts:%H:%M} until before {_day(ends)}, {ends:%H:%M}, {zone.key}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def days(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the period from the beginning of one day to the end of another, both whole, in a zone."""
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def moment(text: str, *, end: bool = False) -> datetime:
    """Return a moment from a command line: a day is taken whole, in UTC. Refused is raised for anything else."""
    try:
        found = datetime.fromisoformat(text)
        if len(text) <= len("2026-11-30") and end:
            found += timedelta(days=1)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise Refused(MOMENT.format(text=text[:40])) from problem
