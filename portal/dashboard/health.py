"""Whether the engine keeps time, read from the database: /healthz/, the banner and the card on Now."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import Error

from portal.audit import sealing
from portal.deadlines import services as deadlines
from portal.lib import clock, times
from portal.notify import services as notify
from portal.records.evidence import verifying

# Beyond these, in seconds, /healthz/ answers 503. A sweep runs every 2 s; a message is tried at once, and again after
# 15 s, 1 min and 5 min, so that one that waits for 15 min has failed three times at least.
MOST_OVERDUE = 60.0
MOST_UNSENT = 900.0
MOST_SILENT = 60.0
MOST_OFFSET = 10.0


@dataclass(frozen=True)
class Health:
    """What /healthz/ answers. A figure is None when nothing was measured; `problems` are sentences.

    The figures of the seals and of evidence are told and never a problem here: they keep nobody from being paged. The
    watchdog raises them.
    """

    status: str
    oldest_overdue_seconds: float | None = None
    oldest_unsent_seconds: float | None = None
    last_sweep_age_seconds: float | None = None
    clock_offset_seconds: float | None = None
    oldest_unsealed_seconds: float | None = None
    last_anchor_age_seconds: float | None = None
    last_verification_age_seconds: float | None = None
    last_verification_findings: int | None = None
    damaged_evidence: int | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Tell whether the engine keeps time."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the answer of /healthz/, figures in seconds with three decimals."""
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class EngineState:
    """The pulse as staff see it: the sentence of the red banner, or nothing while the engine keeps time."""

    banner: str
    last_sweep_age_seconds: float | None


def read() -> Health:
    """Measure the engine now, on the database's clock. Whatever cannot be read is itself the problem."""
    try:
        at = clock.database_now()
        found = judge(
            overdue=deadlines.oldest_overdue_seconds(at=at),
            unsent=notify.oldest_unsent_seconds(at=at),
            silent=deadlines.last_sweep_age_seconds(at=at),
            offset=clock.offset_seconds(),
        )
        return replace(with_seals(found, sealing.state(), at=at), damaged_evidence=verifying.damaged())
    except Error as problem:
        sentence = f"The database did not answer ({type(problem).__name__}). Check that it runs and is migrated."
        return Health(status="failing", problems=[sentence])


def judge(*, overdue: float, unsent: float, silent: float | None, offset: float) -> Health:
    """Compare the figures (seconds) with what is allowed, and name each that is beyond."""
    problems = []
    if overdue > MOST_OVERDUE:
        problems.append(f"A deadline is overdue for {times.duration(overdue)}. Check that the worker runs.")
    if unsent > MOST_UNSENT:
        problems.append(f"A message waits for {times.duration(unsent)}. Check the mail server and the channels.")
    if silent is None:
        problems.append("No sweep has run yet. Start the worker and beat, or run manage.py sweep --loop.")
    elif silent > MOST_SILENT:
        problems.append(f"The last sweep ran {times.duration(silent)} ago. Check that worker and beat run.")
    if abs(offset) > MOST_OFFSET:
        problems.append(f"This machine's clock is {times.duration(abs(offset))} away from the database's clock.")
    return Health(
        status="failing" if problems else "ok",
        oldest_overdue_seconds=overdue,
        oldest_unsent_seconds=unsent,
        last_sweep_age_seconds=silent,
        clock_offset_seconds=offset,
        problems=problems,
    )


def with_seals(found: Health, seals: sealing.SealState, *, at: datetime) -> Health:
    """Return the same with how the seals stand: when a head last left the machine, when all was last verified."""
    verified = seals.verified
    return replace(
        found,
        oldest_unsealed_seconds=seals.waits(at),
        last_anchor_age_seconds=_age(seals.exported_at, at),
        last_verification_age_seconds=_age(verified.finished_at, at) if verified is not None else None,
        last_verification_findings=verified.found if verified is not None else None,
    )


def _age(moment: datetime | None, at: datetime) -> float | None:
    return max((at - moment).total_seconds(), 0.0) if moment is not None else None


def engine_state(at: datetime) -> EngineState:
    """Return the pulse at `at`. One query."""
    silent = deadlines.last_sweep_age_seconds(at=at)
    return EngineState(_banner(silent), silent)


def _banner(silent: float | None) -> str:
    if silent is None:
        return "The engine has not started yet: no clock is watched and nobody is being paged. Start the worker."
    if silent <= MOST_SILENT:
        return ""
    return (
        f"The engine has not swept for {times.duration(silent)}. "
        "Clocks on this page are right, but nobody is being paged. Check that worker and beat run."
    )
