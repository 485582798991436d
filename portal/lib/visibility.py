"""What a reader may see: one method on every QuerySet that reaches a page, a count, a feed or an export.

Three things narrow it: the view permission, the scope within which a reader was granted it, and restricted records. A
reader whose permissions are granted within a scope has a `reading_scope`; nothing here knows where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, Self, TypeVar

from django.db import models

Rows = TypeVar("Rows", bound=models.QuerySet[Any])


class ReadingScope(Protocol):
    """Within what a reader was granted their view permissions: `user.reading_scope`."""

    def narrow(self, rows: Rows) -> Rows:
        """Return the rows of the scope; all of them when the reader may see such rows by a role of their own."""
        ...

    def holds_all(self, model: type[models.Model]) -> bool:
        """Tell whether `narrow` leaves out no row of this model."""
        ...

    def granted(self, model: type[models.Model]) -> frozenset[str]:
        """Return the keys of the restricted records of this model that were granted by name."""
        ...


def scope_of(user: Any) -> ReadingScope | None:
    """Return the scope within which a reader reads, or nothing when their roles alone say what they see."""
    found: ReadingScope | None = getattr(user, "reading_scope", None)
    return found


def in_scope(rows: Rows, user: Any) -> Rows:
    """Return the rows that lie within the reader's scope; all of them without one."""
    scope = scope_of(user)
    return rows if scope is None else scope.narrow(rows)


def reads_all(user: Any, model: type[models.Model]) -> bool:
    """Tell whether the reader's scope leaves out no row of this model. It says nothing of permissions."""
    scope = scope_of(user)
    return scope is None or scope.holds_all(model)


def hidden_keys(model: type[models.Model], user: Any) -> list[str] | None:
    """Return the keys of the restricted records of a model that this reader may not see; nothing when it has none.

    A model says which those are with a classmethod `hidden_from(user)`, which returns keys or None. What was granted
    to the reader by name is not hidden from them.
    """
    asked = getattr(model, "hidden_from", None)
    found: Iterable[Any] | None = asked(user) if asked is not None else None
    if found is None:
        return None
    scope = scope_of(user)
    granted = scope.granted(model) if scope is not None else frozenset()
    return [key for key in map(str, found) if key not in granted]


class Nobody:
    """A reader without any right: every restricted record is hidden from them."""

    pk = None
    is_active = is_staff = is_superuser = is_authenticated = False
    role_names: frozenset[str] = frozenset()
    reading_scope = None

    def has_perm(self, _permission: str, _obj: Any = None) -> bool:
        """Return False."""
        return False


def is_restricted(model: type[models.Model], key: Any) -> bool:
    """Tell whether a record is restricted: hidden from whoever has no right at all."""
    return bool(restricted_among(model, [str(key)]))


def restricted_among(model: type[models.Model], keys: Iterable[str]) -> set[str]:
    """Return which of these records are restricted. Without any of them nothing is asked."""
    asked, wanted = getattr(model, "hidden_from", None), set(keys)
    found: Iterable[Any] | None = asked(Nobody()) if asked is not None and wanted else None
    return set() if found is None else wanted.intersection(map(str, found))


class VisibleQuerySet(models.QuerySet[Any]):
    """Rows that can be narrowed to what one reader may see."""

    def visible_to(self, user: Any) -> Self:
        """Return the rows that `user` may read: those of their scope, without restricted records hidden from them.

        None without the view permission or when inactive.
        """
        meta = self.model._meta
        if not (user.is_active and user.has_perm(f"{meta.app_label}.view_{meta.model_name}")):
            return self.none()
        rows = in_scope(self.all(), user)
        hidden = hidden_keys(self.model, user)
        return rows if hidden is None else rows.exclude(pk__in=hidden)


def narrowed(rows: Rows, user: Any) -> Rows:
    """Return the rows that `user` may see: by `visible_to` where the model has it, else by the view permission."""
    if isinstance(rows, VisibleQuerySet):
        return rows.visible_to(user)
    meta = rows.model._meta
    return in_scope(rows, user) if user.has_perm(f"{meta.app_label}.view_{meta.model_name}") else rows.none()
