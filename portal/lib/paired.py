"""Who and when are one fact (law 6): the constraint that every pair of `_at` and `_by` has."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


def paired(model: str, name: str) -> models.CheckConstraint:
    """Return the constraint that `<name>_at` and `<name>_by` are both given or both not; `model` begins its name."""
    at, by = f"{name}_at", f"{name}_by"
    return models.CheckConstraint(
        condition=Q(**{f"{at}__isnull": True, by: ""}) | (Q(**{f"{at}__isnull": False}) & ~Q(**{by: ""})),
        name=f"{model}_{name}_by_whom_and_when",
    )
