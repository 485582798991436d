"""Finding what a page is about, among what its reader may see; Http404 where there is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from portal.lib.visibility import narrowed
from portal.runbooks import holding
from portal.runbooks.checklists import subjects
from portal.runbooks.checklists.services.starting import WORKED
from portal.runbooks.checklists.subjects import Mark
from portal.runbooks.enums import VersionState
from portal.runbooks.markdown.vocabulary import Place
from portal.runbooks.models import Checklist, ChecklistRun, Procedure, RunStep, Step


def run_for(user: Any, reference: str) -> ChecklistRun:
    """Return the run with this reference."""
    rows = ChecklistRun.objects.visible_to(user).select_related("checklist", "version", "runbook_version__runbook")
    found: ChecklistRun | None = rows.filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No run {reference} can be seen.")
    return found


def step_for(user: Any, run: ChecklistRun, position: int) -> RunStep:
    """Return a step of a run that the reader may see."""
    rows = RunStep.objects.visible_to(user).select_related("team", "assignee")
    found: RunStep | None = rows.filter(run=run, position=position).first()
    if found is None:
        raise Http404(f"{run.reference} has no step {position}.")
    found.run = run
    return found


def checklist_for(user: Any, slug: str) -> Checklist:
    """Return the checklist with this name in addresses."""
    found: Checklist | None = Checklist.objects.visible_to(user).filter(slug=slug).first()
    if found is None:
        raise Http404(f"No checklist {slug} can be seen.")
    return found


def subject_for(user: Any, kind: str, pk: int) -> Any:
    """Return a record that checklists are worked for."""
    registered = subjects.of_kind(kind)
    if registered is None:
        raise Http404("No checklist is worked for records of this kind.")
    found = narrowed(registered.model._default_manager.all(), user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such record.")
    return found


def procedures_for(user: Any, subject: Any) -> QuerySet[Procedure]:
    """Return the procedures that can be worked for a record: of the versions of runbooks that it names, else in force.

    Those that would shut down a system that must stay up now are left out, as on the pages of runbooks.
    """
    kind = subjects.of_record(subject) if subject is not None else None
    rows: QuerySet[Procedure] = Procedure.objects.visible_to(user)
    if kind is None or rows.query.is_empty():
        return rows.none()
    systems = kind.facts(subject).system_ids
    if kind.versions is not None:
        rows = rows.filter(version__in=kind.versions(subject).order_by().values("pk"))
    else:
        in_force = Q(version__state=VersionState.PUBLISHED, version__runbook__retired_at=None)
        rows = rows.filter(in_force, version__runbook__system__in=systems)
    keys = systems | set(
        rows.order_by().values_list("version__runbook__system", flat=True).exclude(version__runbook__system=None)
    )
    held = holding.held(keys)
    if held & systems:
        rows = rows.exclude(place=Place.SHUTDOWN)
    elif held:
        rows = rows.exclude(place=Place.SHUTDOWN, version__runbook__system__in=held)
    worked = Step.objects.filter(procedure=OuterRef("pk"), role__in=list(WORKED))
    return (
        rows.filter(Exists(worked))
        .select_related("version__runbook")
        .order_by("version__runbook__title", "version", "position")
    )


def records_of(runs: Iterable[ChecklistRun], user: Any) -> dict[int, Any]:
    """Return the record of each run, by the run's key, where the reader may see it. One query for each kind."""
    listed = list(runs)
    found: dict[tuple[int, int], Any] = {}
    for type_id in {run.subject_type_id for run in listed if run.subject_type_id is not None}:
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            keys = {run.subject_id for run in listed if run.subject_type_id == type_id}
            rows = narrowed(model._default_manager.all(), user).in_bulk(keys)
            found |= {(type_id, pk): row for pk, row in rows.items()}
    ends = {run.pk: (run.subject_type_id or 0, run.subject_id or 0) for run in listed}
    return {pk: found[end] for pk, end in ends.items() if end in found}


def marks_of(subject: Any) -> tuple[Mark, ...]:
    """Return the pills that belong beside the name of a record, such as that of a drill."""
    kind = subjects.of_record(subject) if subject is not None else None
    return tuple(kind.marks(subject)) if kind is not None else ()
