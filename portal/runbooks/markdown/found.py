"""What is understood of a runbook, as plain values. `line` is the number of the line that each was read from."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.runbooks.markdown.vocabulary import Place, Role


@dataclass(frozen=True, slots=True)
class Step:
    """A numbered step, something to tick, or a point under a label that says what it is for."""

    role: Role
    text: str
    line: int
    number: str = ""
    depth: int = 0
    detail: str = ""
    tick: bool = False
    owner: str = ""


@dataclass(slots=True)
class Procedure:
    """How something is done. `place` says which of the template's, PROCEDURES that it is any other."""

    title: str
    place: Place
    line: int
    above: tuple[str, ...] = ()
    said: dict[Role, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def of(self, role: Role) -> list[Step]:
        """Return its steps of one role."""
        return [step for step in self.steps if step.role is role]


@dataclass(slots=True)
class Issue:
    """An entry of the troubleshooting guide: how it shows, how it is found out, what helps, what prevents it."""

    title: str
    line: int
    above: tuple[str, ...] = ()
    said: dict[Role, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, or a line, whose parts are understood: our name of each column with what stands in it."""

    values: dict[str, str]
    line: int

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True)
class Objective:
    """A recovery objective as it was written. `minutes` is set where the words mean one time and nothing else."""

    kind: Role
    text: str
    line: int
    tier: str = ""
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What a text says of its system in one line: its name, version, owner, when it was updated, whom to call."""

    role: Role
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """A step of a checklist template; `team` is the word that the text has for who does it, `group` its part."""

    text: str
    line: int
    team: str = ""
    group: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """A list of steps that a text means to be ticked. `cadence` is daily, weekly, monthly, emergency or ""."""

    name: str
    line: int
    steps: tuple[ChecklistStep, ...]
    cadence: str = ""


@dataclass(slots=True)
class Content:
    """All that is understood of a text. `understood` are the numbers of the lines that became structure."""

    title: str = ""
    purpose: str = ""
    facts: list[Fact] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    dashboards: list[Row] = field(default_factory=list)
    metrics: list[Row] = field(default_factory=list)
    procedures: list[Procedure] = field(default_factory=list)
    thresholds: list[Row] = field(default_factory=list)
    response_times: list[Row] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    severities: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)
    variables: list[Row] = field(default_factory=list)
    objectives: list[Objective] = field(default_factory=list)
    commands: list[Row] = field(default_factory=list)
    logs: list[Row] = field(default_factory=list)
    references: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    checklists: list[Checklist] = field(default_factory=list)
    tables: int = 0
    checkboxes: int = 0
    numbered: int = 0
    understood: set[int] = field(default_factory=set)
    places: list[tuple[Place, str, int]] = field(default_factory=list)
