"""The doors of the workers that may take long: make exports, seal and anchor, reconcile and verify nightly."""

from __future__ import annotations

from celery import shared_task

from portal.assurance.exporting import sweeps
from portal.assurance.services import proving, reconciliation
from portal.audit.decorators import as_system
from portal.lib.clock import database_now

LIMIT_SECONDS = 3 * 3600  # an export gives itself up before, in a sentence


# Acknowledged as soon as it begins: it runs longer than the broker waits, and the next ring finds what was left.
@shared_task(
    name="portal.assurance.tasks.make_exports",
    ignore_result=True,
    acks_late=False,
    soft_time_limit=LIMIT_SECONDS - 60,
    time_limit=LIMIT_SECONDS,
)
@as_system("exports")
def make_exports() -> None:
    """Make the files that are asked for, and let old ones expire."""
    sweeps.make_exports(now=database_now)


@shared_task(name="portal.assurance.tasks.reconcile", ignore_result=True)
@as_system("reconciliation")
def reconcile() -> None:
    """Begin the reconciliation of this night when it is due, and go on with it for some seconds."""
    reconciliation.nightly(now=database_now)


@shared_task(name="portal.assurance.tasks.seal", ignore_result=True)
@as_system("sealer")
def seal() -> None:
    """Seal what was written since."""
    proving.seal(now=database_now)


@shared_task(name="portal.assurance.tasks.anchor", ignore_result=True)
@as_system("anchors")
def anchor() -> None:
    """Sign the head of the chain when it is time, and take anchors off the machine."""
    proving.anchor(now=database_now)


# Acknowledged as soon as it begins, like exports: a row keeps it from being done twice.
@shared_task(
    name="portal.assurance.tasks.verify",
    ignore_result=True,
    acks_late=False,
    soft_time_limit=LIMIT_SECONDS - 60,
    time_limit=LIMIT_SECONDS,
)
@as_system("verification")
def verify() -> None:
    """Verify the whole record when tonight's verification is due."""
    proving.verify_tonight(now=database_now)
