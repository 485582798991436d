"""How changes and their templates are shown to those who approve them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q, QuerySet

from changes import conflicts
from changes.enums import ChangeType, Status, StepKind
from changes.models import Change, ChangeTemplate
from portal.approvals.editing import Edits
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.approvals.registry import Approvable, DefaultStage, Variant
from portal.approvals.shown import Fact, fact
from portal.approvals.subjects import minutes, named
from portal.records.models import Note
from portal.runbooks.models import RunbookVersion

AUTHORITY = DefaultStage("Change authority", "Change approver")
MANAGEMENT = DefaultStage("Management", "Manager")


def _rows() -> QuerySet[Change]:
    people = ("requester", "implementer", "authority", "template")
    return Change.objects.select_related(*people).prefetch_related("systems", "modules", "steps", "runbooks__runbook")


def facts_of(change: Change) -> Iterator[Fact]:
    """Yield all of a change that is decided on. What its release checklist and gates say is not part of it."""
    yield fact("Title", change.title)
    yield fact("Type", change.get_type_display())
    yield fact("Justification", change.justification)
    yield fact("Systems", _several(change.systems.all()))
    yield fact("Modules", _several(change.modules.all()))
    yield fact("Requested by", named(change.requester))
    yield fact("Carried out by", named(change.implementer))
    yield fact("Planned start", _moment(change.planned_start))
    yield fact("Planned end", _moment(change.planned_end))
    yield fact("Outage", minutes(change.outage_minutes) if change.has_outage else "no")
    yield from _plan(change.steps.all(), StepKind.IMPLEMENTATION)
    yield fact("Test plan", change.test_plan)
    yield from _plan(change.steps.all(), StepKind.VALIDATION)
    yield from _plan(change.steps.all(), StepKind.ROLLBACK)
    yield fact("Rollback takes", minutes(change.rollback_minutes))
    yield fact("Point of no return", change.point_of_no_return)
    yield fact("Rollback last rehearsed", change.rollback_rehearsed_on)
    yield fact("Risk", f"{change.risk_points}, {change.get_risk_level_display()}" if change.risk_level else None)
    versions = sorted(change.runbooks.all(), key=lambda one: one.runbook.reference)
    if versions:  # left out where there are none, as the template is
        yield fact("Runbooks", "\n".join(map(_version, versions)))
    if change.template_id:
        yield fact("Template", f"{named(change.template)}, version {change.template_version}")
    if change.authority_id:
        yield fact("Started on the authority of", named(change.authority))


def _plan(steps: Iterable[Any], kind: StepKind) -> Iterator[Fact]:
    mine = sorted((step for step in steps if step.kind == kind), key=lambda step: step.position)
    for number, step in enumerate(mine, start=1):
        takes = f" ({step.minutes} min)" if step.minutes else ""
        yield fact(f"{kind.label} step {number}", f"{step.text}{takes}")


def _version(version: RunbookVersion) -> str:
    """Return a version with the digest of its text, so that its words are approved with the change."""
    runbook = version.runbook
    return f"{runbook.reference} {runbook.title}, version {version.number}, SHA-256 {version.digest}"


def _several(rows: Iterable[object]) -> str:
    return "\n".join(sorted(filter(None, map(named, rows))))


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _not_yet(change: Change) -> str:
    """Return why a change cannot be decided on as it stands."""
    if change.type == ChangeType.EMERGENCY and change.started_at is not None:
        return _decided_afterwards(change)
    if change.type == ChangeType.STANDARD:
        return "A standard change needs no approval of its own: its template was approved."
    if change.status != Status.ASSESSED:
        return f"This change is {change.get_status_display().lower()}. It is decided on once it is assessed."
    denied = _denied(change)
    if denied is not None and denied.digest == CHANGE.digest(change):
        return f"It was rejected by {denied.settled_by}. Its requester edits it and hands it in again."
    return ""


def _decided_afterwards(change: Change) -> str:
    """Return that an emergency under way was decided on; "" while that is owed."""
    denied = _denied(change)
    rejected_by = change.rejected_by or (denied.settled_by if denied is not None else "")
    if rejected_by:
        return f"It was decided on afterwards: {rejected_by} rejected it. That stays on the record."
    if change.approved_at is None:
        return ""
    if change.authority_id is None:
        return "It was approved before it was started."
    return f"It was decided on afterwards: approved by {change.approved_by}."


def _denied(change: Change) -> ApprovalRequest | None:
    """Return the newest request of a change if it was denied since it was assessed or started.

    Whoever denies it on the page of approvals tells the change nothing: it follows, a minute later at most.
    """
    since = change.started_at or change.assessed_at
    latest = ApprovalRequest.objects.filter(kind=CHANGE.kind, subject_id=change.pk).order_by("-pk").first()
    if latest is None or latest.state != RequestState.DENIED or since is None:
        return None
    return latest if latest.settled_at > since else None


def _held_up(change: Change) -> str:
    """Return which freezes hold an approval up; an emergency that was carried out is decided on at any time."""
    if change.started_at is not None:
        return ""
    freezes = conflicts.freezes_of(change)
    names = ", ".join(f"“{one.title}”" for one in freezes)
    return f"It is planned within a freeze: {names}. {freezes[0].detail}" if freezes else ""


def _edits(of: Any) -> QuerySet[Note]:
    """Return the edits of a change since its requester handed it in: its requester never said so."""
    notes = Note.objects.filter(subject_type=ContentType.objects.get_for_model(Change)).order_by()
    later = notes.filter(subject_id=OuterRef("subject_id"), kind="submitted", pk__gt=OuterRef("pk"))
    return notes.filter(~Exists(later), subject_id=of, kind="revised", actor_user_id__isnull=False)


def authors_of(pk: int) -> frozenset[int]:
    """Return who edited a change since its requester handed it in. One query."""
    return frozenset(filter(None, _edits(pk).values_list("actor_user_id", flat=True)))


def vouchers_of(pk: int) -> frozenset[int]:
    """Return on whose word an emergency started. One query."""
    rows = Change.objects.filter(pk=pk, authority__isnull=False).order_by()
    return frozenset(filter(None, rows.values_list("authority_id", flat=True)))


def not_for(user_id: int) -> Q:
    """Return which requests are of changes that an account edited since, or that started on its word."""
    started = Change.objects.filter(pk=OuterRef("subject_id"), authority_id=user_id).order_by()
    return Q(Exists(_edits(OuterRef("subject_id")).filter(actor_user_id=user_id))) | Q(Exists(started))


def variant_of(change: Change) -> str:
    """Return which rule decides on a change: by its risk, and on an emergency that has started that for afterwards."""
    if change.type == ChangeType.EMERGENCY and change.started_at is not None:
        return "emergency"
    return f"normal-{change.risk_level}" if change.risk_level else ""


CHANGE = Approvable(
    kind="change",
    model=Change,
    label="change",
    facts=facts_of,
    rows=_rows,
    url=Change.get_absolute_url,
    stages=(AUTHORITY,),
    lasting=False,
    implementer=lambda change: change.implementer,
    requester=lambda change: change.requester,
    authors=authors_of,
    vouchers=vouchers_of,
    not_for=not_for,
    not_yet=_not_yet,
    held_up=_held_up,
    variants=(
        Variant("normal-low", "Normal, low risk", (AUTHORITY,)),
        Variant("normal-medium", "Normal, medium risk", (AUTHORITY,)),
        Variant("normal-high", "Normal, high risk", (MANAGEMENT, AUTHORITY)),
        Variant("emergency", "Emergency, afterwards", (AUTHORITY,), 24),
    ),
    variant_of=variant_of,
)


def _template_rows() -> QuerySet[ChangeTemplate]:
    return ChangeTemplate.objects.prefetch_related("systems", "steps")


def _template_facts(template: ChangeTemplate) -> Iterator[Fact]:
    yield fact("Name", template.name)
    yield fact("Title of its changes", template.title)
    yield fact("Justification", template.justification)
    yield fact("Systems", _several(template.systems.all()) or "any")
    yield from _plan(template.steps.all(), StepKind.IMPLEMENTATION)
    yield fact("Test plan", template.test_plan)
    yield from _plan(template.steps.all(), StepKind.VALIDATION)
    yield from _plan(template.steps.all(), StepKind.ROLLBACK)
    yield fact("Rollback takes", minutes(template.rollback_minutes))
    yield fact("Point of no return", template.point_of_no_return)
    yield fact("Answers demands of", template.answers_topic)
    yield fact("Revoked", template.revoked_at is not None)


_EDITS_OF_TEMPLATES = Edits("change-template", ChangeTemplate._meta.label_lower, parts=True)
TEMPLATE = Approvable(
    kind="change-template",
    model=ChangeTemplate,
    label="change template",
    facts=_template_facts,
    rows=_template_rows,
    url=ChangeTemplate.get_absolute_url,
    stages=(MANAGEMENT, AUTHORITY),
    authors=_EDITS_OF_TEMPLATES.authors_of,
    not_for=_EDITS_OF_TEMPLATES.not_for,
)
__all__ = ["CHANGE", "TEMPLATE", "facts_of", "variant_of"]
