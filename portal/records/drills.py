"""Starting a drill of incidents from another part of the portal, such as with an exercise of a recovery.

The part that has incidents registers how one is started, and who may; whoever exercises something asks. Neither knows
the other: what comes back is a record with a reference, which is linked with what it goes with.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import models, transaction

from portal.audit.actor import By
from portal.directory.models import Severity, System
from portal.lib.visibility import is_restricted
from portal.records import services as records

EXERCISE = "exercise of recovery"
"""The kind of the link from an exercise to the drill that goes with it."""


class Starts(Protocol):
    """How a drill is started: its clocks run and its people are paged from `at`."""

    def __call__(
        self, *, title: str, description: str, severity: Severity, systems: Collection[System], by: By, at: datetime
    ) -> models.Model:
        """Start it and return it."""


@dataclass(frozen=True, slots=True)
class _Starter:
    starts: Starts
    permissions: tuple[str, ...]


_starters: list[_Starter] = []


def register(starts: Starts, *, permissions: Collection[str]) -> None:
    """Let `starts` start drills for whoever has all of these permissions."""
    _starters[:] = [_Starter(starts, tuple(permissions))]


def may_start(user: Any) -> bool:
    """Tell whether somebody may start a drill: not where nobody registered how."""
    return bool(_starters) and bool(user.has_perms(_starters[0].permissions))


@transaction.atomic
def start(
    about: models.Model,
    *,
    title: str,
    description: str,
    severity: Severity,
    systems: Collection[System],
    by: By,
    at: datetime,
) -> models.Model:
    """Start a drill that goes with a record, link the two, and tell it in both timelines.

    LookupError is raised where nobody registered how.
    """
    if not _starters:
        raise LookupError("Nothing here starts drills.")
    begun = _starters[0].starts(
        title=title, description=description, severity=severity, systems=systems, by=by, at=at
    )  # fmt: skip
    records.link(about, begun, kind=EXERCISE, by=by, at=at)
    hidden = is_restricted(type(begun), begun.pk)
    what = "a restricted drill" if hidden else f"the drill {_name(begun)}"
    records.write_note(about, kind="link", text=f"started {what} with it", by=by, at=at)
    records.write_note(begun, kind="link", text=f"started it with the exercise {_name(about)}", by=by, at=at)
    return begun


def _name(record: models.Model) -> str:
    return str(getattr(record, "reference", "") or record)
