"""What the reports of a change's prerequisites come to: one answer for whoever starts it and whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from changes.enums import GateResult, GateSource
from changes.models import Change, Gate, GateReport


@dataclass(frozen=True, slots=True)
class GateLine:
    """One prerequisite: met, failed, of another commit, or open, and what was reported of it last."""

    gate: Gate
    state: str
    report: GateReport | None = None
    newer: str = ""  # the commit that the newest report speaks of, where this one speaks of another

    @property
    def is_portal(self) -> bool:
        """Whether the portal alone ticks it."""
        return bool(self.gate.source == GateSource.PORTAL)

    @property
    def lacking(self) -> str:
        """Return what is said of one that is not met."""
        if self.report is None or not self.newer:
            return str(self.gate.name)
        return f"{self.gate.name} (it was for commit {self.report.commit[:12]}, the newest is {self.newer[:12]})"


def judged(change: Change, gates: Iterable[Gate], reports: Iterable[GateReport]) -> list[GateLine]:
    """Return each prerequisite with its state, from the reports in the order in which they came.

    The newest report of each counts. What passed for one commit says nothing of another: the commit of the newest
    report that names one is the change's, and a prerequisite that passed for an older one is not met.
    """
    newest: dict[int, GateReport] = {}
    commit = ""
    asked = list(gates)
    wanted = {gate.pk for gate in asked}
    for report in reports:
        if report.gate_id in wanted:
            newest[report.gate_id] = report
            commit = report.commit or commit
    return [_line(change, gate, newest.get(gate.pk), commit) for gate in asked]


def _line(change: Change, gate: Gate, report: GateReport | None, commit: str) -> GateLine:
    if gate.source == GateSource.PORTAL:
        return GateLine(gate, "met" if change.approved_at else "open")
    if report is None:
        return GateLine(gate, "open")
    if report.result != GateResult.PASSED:
        return GateLine(gate, "failed", report)
    if report.commit and not same_commit(report.commit, commit):
        return GateLine(gate, "other", report, newer=commit)
    return GateLine(gate, "met", report)


def same_commit(one: str, other: str) -> bool:
    """Whether two names are of one commit: the shorter is how the longer begins, whatever the case."""
    short, long = sorted((one.lower(), other.lower()), key=len)
    return long.startswith(short)
