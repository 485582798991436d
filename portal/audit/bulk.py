"""The one way to write many audited rows at once: with their history, in the same transaction."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models, transaction

from portal.audit.history import AuditHistory, refuse_nobody
from portal.audit.models import AuditedModel

M = TypeVar("M", bound=AuditedModel)
BATCH = 500


def bulk_create_audited(model: type[M], rows: Iterable[M]) -> list[M]:
    """Insert the rows and a history row for each; return them with their ids. Nothing is written when one fails."""
    unsaved = list(rows)
    history = AuditHistory.of[model]
    for row in unsaved:
        refuse_nobody(row)
    with transaction.atomic(savepoint=False):
        # The plain QuerySet on purpose: the model's own refuses, because it would leave no history.
        plain: models.QuerySet[Any] = models.QuerySet(model)
        created: list[M] = plain.bulk_create(unsaved, batch_size=BATCH)
        model.history.model.objects.bulk_create([history.row(row, "+") for row in created], batch_size=BATCH)
    for row in created:
        row.remember()
    return created
