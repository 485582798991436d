"""The worker of exports: takes one after another, makes its file in batches, and lets old files expire.

It runs in a queue of its own, or as a loop of `manage.py sweep`: making a file may take minutes, and nothing that pages
people may wait for it. Every batch is a short read of its own; no transaction is open while a file is made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import Error, connections

from portal.assurance.exporting import policy, registry, services, storing
from portal.assurance.exporting.services import Held
from portal.assurance.exporting.sources import Made, Step, Work
from portal.lib.zones import zone_or_utc

log = structlog.get_logger(__name__)
Now = Callable[[], datetime]
LONGEST_TURN = timedelta(minutes=30)
WAIT_AFTER_ERROR = timedelta(seconds=15)
TOO_LONG = "It took longer than two hours. Narrow it, for instance to a shorter period, and ask again."
FULL = (
    "The portal has no room left for the file. Tell whoever runs it that the disk of its data folder is full, and ask "
    "again when there is room."
)
UNEXPECTED = "The file could not be made ({kind}). Ask again; if it fails again, tell whoever runs the portal."


class LeaseLost(Exception):
    """Another worker has taken the export over, so that this one stops."""


def make_exports(*, now: Now, most: int = 20) -> int:
    """Make the files that are asked for, one after another, and return how many were taken.

    After half an hour no other is begun: a worker's task has an end, and the next ring goes on.
    """
    began, taken = now(), 0
    services.expire(at=began)
    while taken < most and (at := now()) - began < LONGEST_TURN and (held := services.take(at=at)) is not None:
        taken += 1
        make(held, now=now)
    return taken


def make(held: Held, *, now: Now, tell: Step | None = None) -> bool:
    """Make the file of one export that is held, and settle it; tell whether it is ready. `tell` hears of progress."""
    try:
        made = _made(held, now, tell)
        size, digest = storing.settle(made.path)
        return services.finish(held, made, size=size, digest=digest, at=now())
    except LeaseLost:
        log.warning("Another worker has taken this export over.", export=held.export.reference)
    except policy.Refused as refusal:
        services.fail(held, str(refusal), at=now())
    except policy.TryLater as reason:
        log.info("An export waits.", export=held.export.reference, reason=str(reason))
        services.put_back(held, wait=WAIT_AFTER_ERROR, at=now(), tried=False)
    except Error as problem:
        # A database that went away, or a writer that waited too long: it is tried again by whoever comes next.
        log.warning("The database did not answer.", export=held.export.reference, problem=type(problem).__name__)
        connections.close_all()
        services.put_back(held, wait=WAIT_AFTER_ERROR, at=now())
    except Exception as problem:
        log.exception("An export failed.", export=held.export.reference)
        sentence = FULL if storing.is_full(problem) else UNEXPECTED.format(kind=type(problem).__name__)
        services.fail(held, sentence, at=now())
    finally:
        storing.tidy(held.export, held.token)
    return False


def _made(held: Held, now: Now, tell: Step | None) -> Made:
    export, started = held.export, now()

    def step(done: int, total: int | None) -> None:
        at = now()
        if policy.too_long(started, at):
            raise policy.Refused(TOO_LONG)
        if not services.sign_of_life(held, done=done, total=total, at=at):
            raise LeaseLost
        if tell is not None:
            tell(done, total)

    source = registry.source(export.source)
    source.check(export.requester, export.parameters)
    work = Work(
        asked_by=export.asked_by,
        user=export.requester,
        parameters=export.parameters,
        format=export.kind,
        reference=export.reference,
        reason=export.reason,
        zone=zone_or_utc(export.zone),
        asked_at=export.asked_at,
        at=started,
    )
    return source.make(work, storing.begin(export, held.token), step)
