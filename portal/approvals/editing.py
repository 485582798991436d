"""Who edited a record since it was last approved, by the audit trail: they do not decide on what they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from portal.approvals.enums import StageState
from portal.approvals.models import ApprovalRequest, Stage
from portal.audit.enums import OF_HISTORY
from portal.audit.tables import TrailRow


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits of one kind of record, for the `authors` and `not_for` of its `Approvable`.

    `model` is the label of its model. With `parts`, the rows that belong to a record count with it.
    """

    kind: str
    model: str
    parts: bool = False

    def authors_of(self, pk: int) -> frozenset[int]:
        """Return the accounts that edited a record since it was last approved; all that ever did where it never was."""
        return frozenset(filter(None, self._of(pk, str(pk)).values_list("actor_id", flat=True)))

    def not_for(self, user_id: int) -> Q:
        """Return which requests are of records that an account edited since they were last approved."""
        key = Cast(OuterRef("subject_id"), CharField(max_length=64))
        return Q(Exists(self._of(OuterRef(OuterRef("subject_id")), key).filter(actor_id=user_id)))

    def _of(self, pk: Any, key: Any) -> QuerySet[TrailRow]:
        left = Stage.objects.filter(request=OuterRef("pk")).exclude(state=StageState.APPROVED)
        approved = ApprovalRequest.objects.filter(~Exists(left), kind=self.kind, subject_id=pk).order_by("-asked_at")
        named = ("root_model", "root_id") if self.parts else ("model", "object_id")
        rows = TrailRow.objects.filter(**dict(zip(named, (self.model, key), strict=True)), actor_id__isnull=False)
        rows = rows.filter(action__in=OF_HISTORY.values()).order_by()
        rows = rows.annotate(approved_at=Subquery(approved.values("asked_at")[:1]))
        return rows.filter(Q(approved_at=None) | Q(at__gt=F("approved_at")))
