"""The verbs of a step and of a run as the pages offer them: their words, their form and their service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from portal.records.evidence.forms import CollectForm
from portal.runbooks.checklists import policy, services, subjects
from portal.runbooks.checklists.forms import AttachForm, FailForm, HandOverForm, NoteForm, ReasonForm
from portal.runbooks.models import ChecklistRun, RunStep


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `rule` is its name in the table of policy."""

    slug: str
    rule: str
    label: str
    title: str
    about: str
    icon: str
    form: Callable[..., Any]
    service: Callable[..., Any]
    said: str
    danger: bool = False


STEP_ACTS = {
    act.slug: act
    for act in (
        Act(
            "fail", "fail", "Failed", "It did not work", "The step stays in sight until it is ticked or skipped.",
            "circle-x", FailForm, services.fail, "The step is kept as failed.", danger=True,
        ),
        Act(
            "skip", "skip", "Skip", "Skip this step", "It is left out this time, and the reason stands beside it.",
            "circle-minus", ReasonForm, services.skip, "The step is skipped.",
        ),
        Act(
            "hand-over", "hand over", "Hand over", "Hand it over", "It leaves your board and stands on theirs.",
            "handshake", HandOverForm, services.hand_over, "The step is handed over.",
        ),
        Act(
            "note", "note", "Add note", "Add a note", "A note is never edited; another one corrects it.",
            "message-square-plus", NoteForm, services.add_note, "The note is kept.",
        ),
        Act(
            "attach", "attach", "Attach evidence", "Attach evidence",
            "A log or a picture that is kept as evidence of the same record.", "paperclip", AttachForm,
            services.attach, "The evidence is attached.",
        ),
        Act(
            "undo", "undo", "Undo", "Open it again", "What happened before stays in the record.", "undo-2",
            ReasonForm, services.undo, "The step is open again.",
        ),
    )
}  # fmt: skip
RUN_ACTS = {
    act.slug: act
    for act in (
        Act(
            "end", "end", "End checklist", "End the checklist",
            "Steps that are open are left open, and leave every board.", "circle-stop", ReasonForm,
            services.end, "The checklist has ended.", danger=True,
        ),
        Act(
            "resume", "resume", "Resume", "Resume the checklist", "What was left open is open again.", "rotate-ccw",
            ReasonForm, services.resume, "The checklist goes on.",
        ),
    )
}  # fmt: skip


UPLOAD = Act(
    "upload", "attach", "Attach a file", "Attach a file",
    "A log, a picture, an export. It is kept as evidence of the same record, under its SHA-256, and never changed.",
    "upload", CollectForm, services.attach_file, "The file is kept and attached.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb that fits now, and the address of its form."""

    act: Act
    url: str


def offers_of_step(step: RunStep, user: Any) -> list[Offer]:
    """Return what `user` may do with a step now."""
    if not user.has_perm("runbooks.change_runstep"):
        return []
    fitting = [act for act in STEP_ACTS.values() if policy.can(act.rule, step.state)]
    if step.run.is_over:
        fitting = [act for act in fitting if act.slug in {"note", "attach", "undo"}]
    if step.run.subject_type_id is None:
        fitting = [act for act in fitting if act.slug != "attach"]
    elif user.has_perm("records.add_evidence"):
        fitting.insert(next((at for at, act in enumerate(fitting) if act.slug == "attach"), len(fitting)), UPLOAD)
    args = [step.run.reference, step.position]
    return [Offer(act, reverse("checklists:act-on-step", args=[*args, act.slug])) for act in fitting]


def offers_of_run(run: ChecklistRun, user: Any) -> list[Offer]:
    """Return what `user` may do with a run now."""
    if not user.has_perm("runbooks.change_checklistrun"):
        return []
    kind = subjects.of_record(run.subject) if run.subject is not None else None
    if run.is_over and kind is not None and kind.is_over(run.subject):
        return []
    act = RUN_ACTS["resume" if run.is_over else "end"]
    return [Offer(act, reverse("checklists:act-on-run", args=[run.reference, act.slug]))]
