"""Starting a run: the steps of the version in force are copied, so that no later edit bends what is worked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from portal.audit.actor import By, acting, actor_of
from portal.lib.inserting import insert_values
from portal.records import services as records
from portal.runbooks import holding
from portal.runbooks.checklists import policy, subjects
from portal.runbooks.checklists.enums import StepState, What
from portal.runbooks.checklists.policy import PREFIX, Refused
from portal.runbooks.checklists.services.common import event_of, tell
from portal.runbooks.models import Checklist, ChecklistRule, ChecklistRun, ChecklistStep, ChecklistVersion, RunStep

RETIRED = "This checklist is worked no more. Choose another one."
EMPTY = "This checklist has no steps yet. Write them first."
BY_RULE = "system: checklists"


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
    _check(checklist, subject)
    version = ChecklistVersion.objects.filter(checklist=checklist).order_by("-number").first()
    lines = list(ChecklistStep.objects.filter(version=version).order_by("position").values(*_COPIED))
    if version is None or not lines:
        raise Refused(EMPTY)
    with acting(by=by, at=at, reason=reason):
        run = ChecklistRun.objects.create(
            reference=records.next_reference(PREFIX),
            checklist=checklist,
            version=version,
            name=checklist.name,
            rule=rule,
            subject_type=ContentType.objects.get_for_model(subject) if subject is not None else None,
            subject_id=subject.pk if subject is not None else None,
            started_at=at,
            started_by=actor_of(by).name[:200],
        )
        waiting: dict[str, Any] = {"run_id": run.pk, "opened_at": at, "state": StepState.OPEN.value}
        insert_values(RunStep, [{**line, **waiting} for line in lines])
        event_of(run, What.STARTED, by=by, at=at).save()
        count = f"{len(lines)} step{'' if len(lines) == 1 else 's'}"
        detail = f"Its rule says so: {rule}." if rule else ""
        tell(run, f"started the checklist “{run.name}”, {count}", by=by, at=at, detail=detail)
    return run


def _check(checklist: Checklist, subject: models.Model | None) -> None:
    """Refuse what is worked no more, what is over, and what would shut down a system that must stay up."""
    if not checklist.active:
        raise Refused(RETIRED)
    if subject is None:
        return
    kind = subjects.of_record(subject)
    if kind is None:
        raise ValueError(f"No checklist is worked for {subject._meta.verbose_name_plural}.")
    if kind.is_over(subject):
        raise Refused(policy.SUBJECT_OVER.format(subject=subject))
    if checklist.shuts_down and holding.held(kind.facts(subject).system_ids):
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
