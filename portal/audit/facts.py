"""Tables that carry facts of their own: written once, never changed, guarded in the database and sealed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, NamedTuple

from django.db import models

from portal.audit.enums import Action
from portal.lib.visibility import VisibleQuerySet


class AppendOnly(TypeError):
    """A row that is kept for good was about to be changed or deleted."""


class Telling(NamedTuple):
    """How the trail tells a fact, so that reconciliation can hold one against the other.

    Of the same `gesture`, with this `action` or one of those in `also`, about the record that the field `subject`
    names, by the account in the column `who`, called as in `name`, at the moment in `at`. `copies` are columns that the
    fact and the record have in common, `copies_of_round` those that hold in one round of the record.
    """

    action: Action
    subject: str
    who: str
    name: str
    at: str
    copies: tuple[str, ...] = ()
    copies_of_round: tuple[str, ...] = ()
    also: tuple[Action, ...] = ()

    @property
    def actions(self) -> str:
        """The actions as a list in SQL: they are ours, and hold no quotes."""
        return ", ".join(f"'{action.value}'" for action in (self.action, *self.also))


class AppendOnlyQuerySet(VisibleQuerySet):
    """Rows that are written once, in bulk too, and never changed or deleted."""

    def update(self, **kwargs: Any) -> int:
        """Refuse: AppendOnly is raised."""
        raise self._refusal("edited")

    def bulk_update(self, objs: Any, *args: Any, **kwargs: Any) -> int:
        """Refuse: AppendOnly is raised."""
        raise self._refusal("edited")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse: AppendOnly is raised."""
        raise self._refusal("deleted")

    def _refusal(self, verb: str) -> AppendOnly:
        return AppendOnly(self.model.refusal_of(verb))


class AppendOnlyModel(models.Model):
    """A row that is written once. The database guards its table, and the seal covers it.

    `personal` names columns that say who, beside words: a tombstone makes them go. `codes` are columns of text with
    nobody's words in them, such as a kind or a digest: a tombstone leaves them. `sealed` is false only for what makes
    up the seals themselves. `told_as` says how the trail tells each row, where it tells each by itself.
    """

    append_only: ClassVar[bool] = True
    sealed: ClassVar[bool] = True
    personal: ClassVar[Collection[str]] = ()
    codes: ClassVar[Collection[str]] = ()
    told_as: ClassVar[Telling | None] = None
    correction: ClassVar[str] = "It is kept for good."

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row once; AppendOnly is raised for a second time."""
        if not self._state.adding:
            raise AppendOnly(self.refusal_of("edited"))
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: AppendOnly is raised."""
        raise AppendOnly(self.refusal_of("deleted"))

    @property
    def needed_by(self) -> str:
        """What still needs its words, such as "REV-0003, which is open"; "" when a tombstone may replace them."""
        return ""

    @classmethod
    def refusal_of(cls, verb: str) -> str:
        """Return the sentence that says why a row is not `verb` ("edited", "deleted")."""
        name = str(cls._meta.verbose_name)
        return f"{'An' if name[:1] in 'aeiou' else 'A'} {name} is never {verb}. {cls.correction}"
