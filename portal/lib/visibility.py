"""What a reader may see: one method on every QuerySet that reaches a page, a count, a feed or an export."""

from __future__ import annotations

from typing import Any, Self

from django.db import models


class VisibleQuerySet(models.QuerySet[Any]):
    """Rows that can be narrowed to what one reader may see."""

    def visible_to(self, user: Any) -> Self:
        """Return the rows that `user` may read: all with the view permission, none without it or when inactive."""
        meta = self.model._meta
        if user.is_active and user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
            return self.all()
        return self.none()
