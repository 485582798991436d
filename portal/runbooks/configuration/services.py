"""Marking what was found of a system's configuration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from portal.audit.actor import By, acting, actor_of, current
from portal.directory.models import System
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.configuration.knowing import MARK_THEM, Item, known_of
from portal.runbooks.models import ConfigurationMark

NOT_ASKED = "The runbook in force does not ask for that any more. Open the page again."
NOTHING = "Choose what you looked at: nothing was marked."


@transaction.atomic
def mark(system: System, items: Iterable[Item], *, present: bool, by: By, at: datetime) -> list[ConfigurationMark]:
    """Say that these items are there, or that they are not. Each mark is kept; the last one counts."""
    chosen = list(items)
    if not chosen:
        raise Refused(NOTHING)
    (known,) = known_of([system], at=at)
    if not set(chosen) <= {one.item for one in known.items}:
        raise Refused(NOT_ASKED)
    actor = actor_of(by)
    with acting(by=by, at=at):
        context = current()
        made = [
            ConfigurationMark(
                system=system,
                kind=item.kind,
                name=item.name,
                present=present,
                marked_at=at,
                marked_by=actor.name[:200],
                actor_user_id=actor.user_id,
                origin=context.origin if context else "",
            )
            for item in chosen
        ]
        return list(ConfigurationMark.objects.bulk_create(made))


def check_verified(systems: Iterable[System], *, at: datetime) -> str:
    """Refuse unless everything that is asked of these systems is marked present. Return what a reader should know.

    That is how many marks are stale: they count, and say how old they are.
    """
    known = known_of(systems, at=at)
    refusals = [one.refusal for one in known if one.refusal]
    if refusals:
        raise Refused(" ".join([*refusals, MARK_THEM]))
    stale = sum(len(one.stale) for one in known)
    return f"{stale} mark{' is' if stale == 1 else 's are'} stale: looked at too long ago." if stale else ""
