"""What is promised, down the dependencies; what is proven of it; and where promises contradict. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from portal.directory.enums import Verdict
from portal.lib import durations, times

NAMES = ("rto", "rpo", "mtd")
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "rto": ("to be back within", "is promised only within"),
        "rpo": ("to lose at most", "may lose"),
    }
)


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised of one system; nothing where nobody has promised it.

    `sources` names, for what is inherited, the system that it comes from.
    """

    rto: timedelta | None = None
    rpo: timedelta | None = None
    mtd: timedelta | None = None
    sources: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could be proven."""
        return self.rto is None and self.rpo is None


NOTHING = Promise()


class Measured(NamedTuple):
    """What was measured: how long until it was back, the time whose data was lost, and whether it came back at all."""

    took: timedelta | None = None
    lost: timedelta | None = None
    succeeded: bool = True


def verdict(measured: Measured, promise: Promise) -> Verdict:
    """Return whether what was measured keeps what is promised.

    Not met as soon as one is broken or it did not succeed; met when each promise was measured and kept; else unknown.
    """
    pairs = [(measured.took, promise.rto), (measured.lost, promise.rpo)]
    if not measured.succeeded or any(m is not None and p is not None and m > p for m, p in pairs):
        return Verdict.NOT_MET
    if promise.is_empty or any(m is None for m, p in pairs if p is not None):
        return Verdict.UNKNOWN
    return Verdict.MET


Edges = Collection[tuple[int, int]]
"""Pairs of systems: what stands on top, and what it needs or consists of."""


def inherit(own: Mapping[int, Promise], edges: Edges) -> dict[int, Promise]:
    """Return what is promised of each system: its own word, else the tightest of those that stand on it.

    A circle does no harm. In time of the edges, and of sorting the promises.
    """
    below: dict[int, list[int]] = defaultdict(list)
    for top, base in edges:
        below[top].append(base)
    found = dict(own)
    for name in NAMES:
        given = {pk: getattr(promise, name) for pk, promise in own.items() if getattr(promise, name) is not None}
        reached = set(given)
        for source in sorted(given, key=lambda pk: (given[pk], pk)):
            waiting = [source]
            while waiting:
                for base in below[waiting.pop()]:
                    if base not in reached:
                        reached.add(base)
                        waiting.append(base)
                        before = found.get(base, NOTHING)
                        sources = {**before.sources, name: source}
                        found[base] = replace(before, sources=sources, **{name: given[source]})
    return found


class Conflict(NamedTuple):
    """A system promises more than something that it needs."""

    top: int
    base: int
    name: str
    promised: timedelta
    below: timedelta

    def sentence(self, names: Mapping[int, str]) -> str:
        """Say it, with what to do."""
        top, base = names.get(self.top, "A system"), names.get(self.base, "another one")
        has, gets = WORDS[self.name]
        return (
            f"{top} promises {has} {_span(self.promised)}, and needs {base}, which {gets} {_span(self.below)}. "
            "Tighten the one or loosen the other."
        )


def conflicts(promises: Mapping[int, Promise], needs: Edges) -> list[Conflict]:
    """Return where a system promises more than what it needs, with inherited promises as they hold."""
    found = []
    for top, base in sorted(needs):
        above, under = promises.get(top, NOTHING), promises.get(base, NOTHING)
        for name in WORDS:
            promised, given = getattr(above, name), getattr(under, name)
            if promised is not None and given is not None and given > promised:
                found.append(Conflict(top, base, name, promised, given))
    return found


class Proof(NamedTuple):
    """The proof that counts, as it is judged: what it is called, when it was, what it measured, how long it holds."""

    words: str
    at: datetime
    measured: Measured
    until: datetime | None


class Judged(NamedTuple):
    """Whether a promise is proven, as a verdict of now, and why in a sentence. `is_promised` is false without any."""

    verdict: Verdict
    reason: str
    is_proven: bool = False
    is_promised: bool = True
    is_overdue: bool = False


class Outcome(NamedTuple):
    """The same without its sentence."""

    verdict: Verdict
    is_proven: bool = False
    is_promised: bool = True
    is_overdue: bool = False


def outcome(promise: Promise, measured: Measured | None, until: datetime | None, *, at: datetime) -> Outcome:
    """Tell whether what is promised now is proven at `at`, by what was measured and how long that holds."""
    if promise.is_empty:
        return Outcome(Verdict.UNKNOWN, is_promised=False)
    if measured is None:
        return Outcome(Verdict.UNKNOWN)
    said = verdict(measured, promise)
    if said != Verdict.MET:
        return Outcome(said)
    is_overdue = until is not None and until < at
    return Outcome(said, is_proven=not is_overdue, is_overdue=is_overdue)


def judge(promise: Promise, proof: Proof | None, *, at: datetime) -> Judged:
    """Tell whether what is promised now is proven at `at`: by a proof that holds still, against today's promise."""
    measured, until = (None, None) if proof is None else (proof.measured, proof.until)
    found = outcome(promise, measured, until, at=at)
    why = _why(promise, proof, found, at)
    return Judged(found.verdict, why, found.is_proven, found.is_promised, found.is_overdue)


def _why(promise: Promise, proof: Proof | None, found: Outcome, at: datetime) -> str:
    if not found.is_promised:
        return "Nothing is promised, so nothing can be proven."
    if proof is None:
        return "It was never measured."
    what = f"{proof.words} on {_day(proof.at, at)}"
    if found.verdict != Verdict.MET:
        return f"{what} {_shortfall(proof.measured, promise)}"
    if proof.until is None:
        return f"{what} kept it."
    if found.is_overdue:
        return f"{what} kept it, and held until {_day(proof.until, at)}. Measure it again."
    return f"{what} kept it, and holds until {_day(proof.until, at)}."


def _shortfall(measured: Measured, promise: Promise) -> str:
    if not measured.succeeded:
        return "failed."
    if measured.took is not None and promise.rto is not None and measured.took > promise.rto:
        return f"took {_span(measured.took)}; {_span(promise.rto)} is promised."
    if measured.lost is not None and promise.rpo is not None and measured.lost > promise.rpo:
        return f"lost the data of {_span(measured.lost)}; {_span(promise.rpo)} is promised."
    if promise.rto is not None and measured.took is None:
        return "did not measure how long it takes."
    return "did not measure how much data is lost."


def _day(moment: datetime, now: datetime) -> str:
    return times.day(moment, now)


def _span(span: timedelta) -> str:
    return durations.words(span.total_seconds()) if span else "nothing"
