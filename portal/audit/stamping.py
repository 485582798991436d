"""Who and when, written down together."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model

from portal.audit.actor import By, actor_of


def stamp(row: Model, name: str, *, by: By | None, at: datetime | None) -> None:
    """Set `<name>_at` and `<name>_by` of an unsaved change together, or clear both."""
    setattr(row, f"{name}_at", at)
    setattr(row, f"{name}_by", actor_of(by).name if by is not None and at is not None else "")
