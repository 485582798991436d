"""The prerequisites of a change with the newest report of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from changes.enums import GateResult, GateSource
from changes.models import Change, Gate, GateReport


@dataclass(frozen=True, slots=True)
class GateLine:
    """One prerequisite: whether it is met, and what was reported of it last."""

    gate: Gate
    state: str
    report: GateReport | None
    is_portal: bool

    @property
    def look(self) -> tuple[str, str]:
        """Return icon and tone."""
        return {
            "met": ("circle-check", "is-green"), "failed": ("circle-x", "is-red"), "open": ("circle-dashed", "is-grey"),
        }[self.state]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gates:
    """All prerequisites, and how many of them are met."""

    lines: list[GateLine]
    met: int


def gates_of(change: Change, *, user: Any) -> Gates:
    """Return the prerequisites of a change in their order. Two queries."""
    newest: dict[int, GateReport] = {}
    for report in GateReport.objects.visible_to(user).filter(change=change).order_by("pk"):
        newest[report.gate_id] = report
    gates = Gate.objects.visible_to(user).filter(active=True)
    lines = [_line(change, gate, newest.get(gate.pk)) for gate in gates]
    return Gates(lines, sum(line.state == "met" for line in lines))


def _line(change: Change, gate: Gate, report: GateReport | None) -> GateLine:
    if gate.source == GateSource.PORTAL:
        return GateLine(gate, "met" if change.approved_at else "open", None, is_portal=True)
    if report is None:
        return GateLine(gate, "open", None, is_portal=False)
    return GateLine(gate, "met" if report.result == GateResult.PASSED else "failed", report, is_portal=False)
