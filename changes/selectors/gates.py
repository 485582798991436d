"""The prerequisites of a change with the newest report of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from changes.gates import GateLine, judged
from changes.models import Change, Gate, GateReport


@dataclass(frozen=True, slots=True)
class Gates:
    """All prerequisites, and how many of them are met."""

    lines: list[GateLine]
    met: int


def gates_of(change: Change, *, user: Any) -> Gates:
    """Return the prerequisites of a change in their order. Two queries."""
    reports = GateReport.objects.visible_to(user).filter(change=change).order_by("pk")
    lines = judged(change, Gate.objects.visible_to(user).filter(active=True), reports)
    return Gates(lines, sum(line.state == "met" for line in lines))
