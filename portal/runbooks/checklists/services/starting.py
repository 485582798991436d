"""Starting a run: steps are copied, so that no later edit of a checklist, runbook or plan bends what is worked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from portal.audit.actor import By, acting, actor_of
from portal.directory.models import Contact
from portal.lib.inserting import insert_values
from portal.records import services as records
from portal.runbooks import holding
from portal.runbooks.checklists import policy, subjects
from portal.runbooks.checklists.enums import StepState, What
from portal.runbooks.checklists.policy import PREFIX, Refused
from portal.runbooks.checklists.services.common import event_of, tell
from portal.runbooks.checklists.services.editing import Line
from portal.runbooks.enums import VersionState
from portal.runbooks.markdown.vocabulary import Place, Role
from portal.runbooks.models import (
    Checklist,
    ChecklistRule,
    ChecklistRun,
    ChecklistStep,
    ChecklistVersion,
    Procedure,
    RunbookVersion,
    RunStep,
)
from portal.runbooks.models.checklist import LONGEST_NAME

RETIRED = "This checklist is worked no more. Choose another one."
EMPTY = "This checklist has no steps yet. Write them first."
NO_PROCEDURE = "This procedure has no steps. Write them into the runbook first."
SUPERSEDED = "{version} is not in force. Start the procedure from the version that is."
NOT_NAMED = "{subject} does not name {version}. Start what it names, or name this one there first."
NO_KEEPER = "Nobody keeps {runbook}. Name its owner, so that the steps stand on a board."
BY_RULE = "system: checklists"
# How the steps of a procedure begin that come before and after its steps proper.
WORKED = {Role.PREREQUISITES: "Beforehand: ", Role.STEPS: "", Role.VALIDATION: "Check: "}


@transaction.atomic
def start(
    checklist: Checklist,
    *,
    by: By,
    at: datetime,
    subject: models.Model | None = None,
    reason: str = "",
    rule: str = "",
) -> ChecklistRun:
    """Start a checklist, for a record or for none; the number of queries does not depend on its steps."""
    if not checklist.active:
        raise Refused(RETIRED)
    _check(subject, shuts_down=checklist.shuts_down)
    version = ChecklistVersion.objects.filter(checklist=checklist).order_by("-number").first()
    lines = list(ChecklistStep.objects.filter(version=version).order_by("position").values(*_COPIED))
    if version is None or not lines:
        raise Refused(EMPTY)
    run = ChecklistRun(checklist=checklist, version=version, plan="", digest="", name=checklist.name, rule=rule)
    return _start(run, lines, subject=subject, by=by, at=at, reason=reason)


@transaction.atomic
def start_procedure(
    procedure: Procedure, *, by: By, at: datetime, subject: models.Model | None = None, reason: str = ""
) -> ChecklistRun:
    """Start a procedure of a runbook: its prerequisites, steps and checks, word for word, as that version has them.

    Refused is raised for a version that is not in force, or that the record does not name where it names some; for a
    procedure that is held back; and while nobody keeps the runbook. The same number of queries whatever its steps.
    """
    version, runbook = procedure.version, procedure.version.runbook
    if not may_work(version, subject):
        sentence = SUPERSEDED if subject is None else NOT_NAMED
        raise Refused(sentence.format(version=version, subject=subject))
    _check(subject, shuts_down=procedure.place == Place.SHUTDOWN, also=[runbook.system_id] if runbook.system_id else ())
    if runbook.keeper is None:
        raise Refused(NO_KEEPER.format(runbook=runbook))
    steps = procedure.steps.filter(role__in=WORKED).order_by("position").values_list("role", "text")
    lines = [
        {"position": position, "text": f"{WORKED[Role(role)]}{text}", "page": "", "team_id": runbook.keeper.pk}
        for position, (role, text) in enumerate(steps[: policy.MOST_STEPS], start=1)
    ]
    if not lines:
        raise Refused(NO_PROCEDURE)
    run = ChecklistRun(runbook_version=version, plan="", digest=version.digest, name=procedure.title[:LONGEST_NAME])
    return _start(run, lines, subject=subject, by=by, at=at, reason=reason)


def may_work(version: RunbookVersion, subject: models.Model | None) -> bool:
    """Tell whether procedures of a version are worked: the record names it, or it is in force where none is named."""
    kind = subjects.of_record(subject) if subject is not None else None
    if kind is not None and kind.versions is not None:
        return kind.versions(subject).filter(pk=version.pk).exists()
    return version.state == VersionState.PUBLISHED


@transaction.atomic
def start_plan(
    lines: Sequence[Line],
    *,
    name: str,
    plan: str,
    digest: str,
    subject: models.Model,
    by: By,
    at: datetime,
    assignee: Contact | None = None,
    reason: str = "",
) -> ChecklistRun:
    """Start a plan of a record, whose lines its owner took from what was approved. A plan is started once.

    `plan` is its name among the plans of that record, `digest` the SHA-256 of what was approved. With `assignee` its
    steps stand on the board of that person, else on those of their teams.
    """
    _check(subject)
    if not lines:
        raise Refused(policy.NO_PLAN.format(name=name))
    if ChecklistRun.objects.of(subject).filter(plan=plan).exists():
        raise Refused(policy.ONCE.format(name=name))
    rows = [
        {
            "position": position,
            "text": line.text,
            "page": line.page,
            "team_id": line.team.pk,
            "assignee_id": assignee.pk if assignee is not None else None,
        }
        for position, line in enumerate(lines, start=1)
    ]
    run = ChecklistRun(name=name[:LONGEST_NAME], plan=plan, digest=digest)
    return _start(run, rows, subject=subject, by=by, at=at, reason=reason)


def _start(
    run: ChecklistRun,
    lines: Sequence[dict[str, Any]],
    *,
    subject: models.Model | None,
    by: By,
    at: datetime,
    reason: str,
) -> ChecklistRun:
    """Write the run with its steps, and tell it. Two statements for all steps, so that the caller's queries are few."""
    with acting(by=by, at=at, reason=reason):
        run.reference = records.next_reference(PREFIX)
        run.subject_type = ContentType.objects.get_for_model(subject) if subject is not None else None
        run.subject_id = subject.pk if subject is not None else None
        run.started_at, run.started_by = at, actor_of(by).name[:LONGEST_NAME]
        run.save()
        waiting: dict[str, Any] = {"run_id": run.pk, "opened_at": at, "state": StepState.OPEN.value}
        insert_values(RunStep, [{**line, **waiting} for line in lines])
        event_of(run, What.STARTED, by=by, at=at).save()
        count = f"{len(lines)} step{'' if len(lines) == 1 else 's'}"
        detail = f"Its rule says so: {run.rule}." if run.rule else ""
        tell(run, f"started the checklist “{run.name}”, {count}", by=by, at=at, detail=detail)
    return run


def _check(subject: models.Model | None, *, shuts_down: bool = False, also: Collection[int] = ()) -> None:
    """Refuse what is over, and what would shut down a system that must stay up: of the record, or one `also` named."""
    systems = frozenset(also)
    if subject is not None:
        kind = subjects.of_record(subject)
        if kind is None:
            raise ValueError(f"No checklist is worked for {subject._meta.verbose_name_plural}.")
        if kind.is_over(subject):
            raise Refused(policy.SUBJECT_OVER.format(subject=subject))
        systems |= kind.facts(subject).system_ids if shuts_down else frozenset()
    if shuts_down and holding.held(systems):
        raise Refused(holding.HELD)


_COPIED = ("position", "text", "page", "team_id")


def start_matching(subject: models.Model, *, at: datetime) -> list[ChecklistRun]:
    """Start what the rules say for a record as it is now, and what does not run for it yet.

    The caller holds the lock of the record, so that nothing is started twice. Two queries where nothing fits.
    """
    kind = subjects.of_record(subject)
    if kind is None or kind.is_over(subject):
        return []
    rules = ChecklistRule.objects.filter(kind=kind.kind, active=True, checklist__active=True, checklist__version__gt=0)
    rows = list(rules.select_related("checklist", "severity", "system").order_by("checklist_id", "pk"))
    facts = kind.facts(subject) if rows else subjects.Facts()
    fitting: dict[int, ChecklistRule] = {}
    for rule in rows:
        if rule.fits(facts):
            fitting.setdefault(rule.checklist_id, rule)
    if not fitting:
        return []
    running = set(ChecklistRun.objects.of(subject).values_list("checklist_id", flat=True))
    return [
        start(rule.checklist, subject=subject, by=BY_RULE, at=at, rule=str(rule)[:200])
        for checklist_id, rule in fitting.items()
        if checklist_id not in running
    ]
