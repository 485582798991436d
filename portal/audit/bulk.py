"""The one way to write many audited rows at once: with their history and trail, in the same transaction."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models, transaction

from portal.audit import trail
from portal.audit.history import AuditHistory
from portal.audit.models import AuditedModel
from portal.audit.reasons import demand_actor_and_reason

M = TypeVar("M", bound=AuditedModel)
BATCH = 500


def bulk_create_audited(model: type[M], rows: Iterable[M]) -> list[M]:
    """Insert the rows and a history row for each; return them with their ids. Nothing is written when one fails."""
    unsaved = list(rows)
    history = AuditHistory.of[model]
    for row in unsaved:
        demand_actor_and_reason(row)
    with transaction.atomic(savepoint=False):
        # The plain QuerySet on purpose: the model's own refuses, because it would leave no history.
        plain: models.QuerySet[Any] = models.QuerySet(model)
        created: list[M] = plain.bulk_create(unsaved, batch_size=BATCH)
        kept = model.history.model.objects.bulk_create([history.row(row, "+") for row in created], batch_size=BATCH)
        teller = trail.Teller()
        trail.append(
            [
                trail.of_history(row, written, history.differences(row, "+", teller=teller))
                for row, written in zip(created, kept, strict=True)
            ]
        )
        for row in created:
            row.remember_saved(None, None)
    return created
