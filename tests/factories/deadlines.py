"""Deadlines for tests, on systems as their subjects, and the two functions that `fire_due` is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from portal.deadlines import services
from portal.deadlines.models import Deadline
from portal.directory.models import System
from tests.factories.directory import NOON, make_system

KIND = "test.timer"


def make_deadline(subject: Any = None, *, due_at: datetime = NOON, **fields: Any) -> Deadline:
    """A pending deadline, due at NOON, started an hour before."""
    fields.setdefault("started_at", due_at - timedelta(hours=1))
    fields.setdefault("kind", KIND)
    return services.start(subject=subject or make_system(), due_at=due_at, **fields)


def lock_systems(ids: list[int], at: datetime) -> dict[int, System]:
    """Lock systems as a domain locks its subjects."""
    rows = System.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True)
    return {row.pk: row for row in rows}


class Handler:
    """Remembers the batches that it was handed; raises for the deadlines whose keys are poison."""

    def __init__(self, *, poison: set[str] | None = None, then: Callable[[], None] | None = None) -> None:
        self.batches: list[list[str]] = []
        self.poison = poison or set()
        self.then = then

    def __call__(self, batch: list[tuple[Deadline, Any]], at: datetime) -> None:
        """Take a batch."""
        if self.then:
            self.then()
        keys = [deadline.key for deadline, _ in batch]
        if self.poison & set(keys):
            raise ValueError(f"cannot handle {sorted(self.poison & set(keys))}")
        self.batches.append(keys)

    @property
    def keys(self) -> list[str]:
        """Return the keys of everything handled, in order."""
        return [key for batch in self.batches for key in batch]
