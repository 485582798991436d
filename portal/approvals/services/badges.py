"""How records stand: approved as they are, asked for, changed since, or not approved."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef

from portal.approvals import registry
from portal.approvals.enums import RequestState, StageState, Stands, Verdict
from portal.approvals.models import ApprovalRequest, Decision, Stage
from portal.approvals.policy import Refused
from portal.approvals.registry import Approvable
from portal.approvals.services.ending import NOT_APPROVED


@dataclass(frozen=True, slots=True)
class Standing:
    """How one record stands, the request behind it, and who approved it when."""

    stands: Stands
    request: ApprovalRequest | None = None
    at: datetime | None = None
    by: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """Return how it stands in words."""
        return str(self.stands.label)

    @property
    def approved(self) -> bool:
        """Tell whether the record is approved exactly as it stands."""
        return self.stands == Stands.APPROVED


def standing(subject: models.Model) -> Standing:
    """Return how one record stands now. ValueError is raised for a record that is not approved here."""
    kind = registry.of_subject(subject)
    if kind is None:
        raise ValueError(f"A {subject._meta.verbose_name} is not approved here.")
    return standings(kind, [subject.pk])[subject.pk]


def check_approved(subject: models.Model) -> ApprovalRequest:
    """Return the approval of a record; Refused is raised when it is not approved exactly as it stands."""
    found = standing(subject)
    if found.request is None or not found.approved:
        raise Refused(NOT_APPROVED)
    return found.request


def standings(kind: Approvable, pks: Collection[int]) -> dict[int, Standing]:
    """Return how records of one kind stand, by their ids, in a fixed number of queries."""
    requests: dict[int, list[ApprovalRequest]] = {pk: [] for pk in pks}
    open_stages = Stage.objects.filter(request=OuterRef("pk")).exclude(state=StageState.APPROVED)
    rows = ApprovalRequest.objects.filter(kind=kind.kind, subject_id__in=pks).order_by("-pk")
    for request in rows.annotate(was_approved=~Exists(open_stages)):
        requests[request.subject_id].append(request)
    subjects = kind.rows().in_bulk(list(pks))
    digests = {pk: kind.digest(subject) for pk, subject in subjects.items()}
    found = {pk: _stands(known, digests.get(pk, "")) for pk, known in requests.items()}
    return _with_people(found)


def _stands(requests: Iterable[Any], digest: str) -> tuple[Stands, ApprovalRequest | None]:
    """Return the word and the request behind it, from the newest request to the oldest."""
    for request in requests:
        if request.state in {RequestState.APPROVED, RequestState.FINAL}:
            return (Stands.APPROVED if request.digest == digest else Stands.CHANGED), request
        if request.state == RequestState.PENDING:
            return Stands.ASKED, request
        if request.state == RequestState.VOIDED and request.was_approved:
            return Stands.CHANGED, request
    return Stands.NOT, None


def _with_people(found: dict[int, tuple[Stands, ApprovalRequest | None]]) -> dict[int, Standing]:
    ids = [request.pk for _, request in found.values() if request is not None]
    decisions: dict[int, list[Any]] = {}
    for row in Decision.objects.filter(request__in=ids, verdict=Verdict.APPROVE).order_by("pk"):
        decisions.setdefault(row.request_id, []).append(row)
    made: dict[int, Standing] = {}
    for pk, (word, request) in found.items():
        mine = [row for row in decisions.get(request.pk, ()) if row.round == request.round] if request else []
        made[pk] = Standing(word, request, mine[-1].decided_at if mine else None, tuple(row.decided_by for row in mine))
    return made
