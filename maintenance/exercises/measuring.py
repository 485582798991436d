"""What an exercise has measured: how long until everything was back, and how much data would be lost. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from maintenance.exercises.enums import Kind, StepState
from portal.directory.enums import Verdict
from portal.directory.recovery.policy import Measured, Promise, verdict
from portal.lib import times


class Timed(NamedTuple):
    """One step as it was worked. `recovers` says that the system is not back before it is done."""

    position: int
    recovers: bool
    state: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured, and how it was reckoned, in sentences."""

    took: timedelta | None
    lost: timedelta | None
    succeeded: bool
    took_sum: str
    lost_sum: str

    def against(self, promise: Promise) -> Verdict:
        """Return whether it keeps what is promised: in whole seconds, as it is kept, printed and proven."""
        return verdict(Measured(_whole(self.took), _whole(self.lost), self.succeeded), promise)


def _whole(span: timedelta | None) -> timedelta | None:
    return None if span is None else timedelta(seconds=int(span.total_seconds()))


def measure(kind: str, *, started_at: datetime, steps: Iterable[Timed], newest_data_at: datetime | None) -> Result:
    """Return what an exercise has measured.

    The time runs from its start, which stands for the loss, until the last step that recovers was done. What is lost
    is the time from the newest recovered data until the start.
    """
    if kind == Kind.TABLETOP:
        words = "A tabletop recovers nothing, so it measures nothing."
        return Result(None, None, succeeded=True, took_sum=words, lost_sum=words)
    took, succeeded, took_sum = _took(started_at, [step for step in steps if step.recovers])
    if newest_data_at is None:
        return Result(took, None, succeeded, took_sum, "Nobody wrote down how new the recovered data was.")
    lost = started_at - newest_data_at
    lost_sum = (
        f"From the newest recovered data ({_moment(newest_data_at)}) until the start ({_moment(started_at)}): "
        f"{times.duration(lost)}."
    )
    return Result(took, lost, succeeded, took_sum, lost_sum)


def _took(started_at: datetime, steps: list[Timed]) -> tuple[timedelta | None, bool, str]:
    counted = [step for step in steps if step.state != StepState.SKIPPED]
    undone = [str(step.position) for step in counted if step.done_at is None or step.state != StepState.DONE]
    if undone:
        words = f"Step {undone[0]} was" if len(undone) == 1 else f"Steps {', '.join(undone)} were"
        return None, False, f"{words} not done: the system was not recovered."
    if not counted:
        return None, True, "No step that recovers was done, so no time was measured."
    last = max(counted, key=lambda step: (step.done_at or started_at, step.position))
    moment = last.done_at or started_at
    took = moment - started_at
    words = (
        f"From the start ({_moment(started_at)}) until step {last.position} was done ({_moment(moment)}): "
        f"{times.duration(took)}."
    )
    return took, True, words


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %b %Y, %H:%M:%S} UTC"
