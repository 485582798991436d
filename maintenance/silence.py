"""A backup that is silent past its frequency and grace opens an incident: once for each silence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from maintenance import policy
from maintenance.models import BackupPlan
from maintenance.services.backups import OPEN_INCIDENT, SILENCE, last_completed
from maintenance.services.common import say
from portal.audit.actor import acting
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.lib import durations, times
from portal.records import services as records

BACKUPS = "system: backups"


def sweep_backups(*, at: datetime) -> int:
    """Ask for the incidents of all silences that are due; return how many there were."""
    if not deadlines.kinds_due([SILENCE], at=at):
        return 0
    with acting(by=BACKUPS, origin="task", at=at, reason="A backup was silent."):
        return deadlines.fire_due(kinds=[SILENCE], at=at, lock=_lock, handle=_handle).count


def _lock(ids: list[int], _at: datetime) -> Mapping[int, BackupPlan]:
    """Lock the plans in id order, skipping those of which a run is recorded just now; they wait for the next sweep."""
    rows = BackupPlan.objects.filter(pk__in=ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return BackupPlan.objects.select_related("system", "owner").in_bulk(list(rows.values_list("pk", flat=True)))


def _handle(batch: list[tuple[Deadline, BackupPlan]], at: datetime) -> None:
    for deadline, plan in batch:
        if not plan.is_in_force:
            continue
        last = last_completed(plan)
        since = f"since {times.in_utc(last.finished_at)}" if last else "so far"
        every = durations.words(plan.frequency.total_seconds())
        whose = f" {plan.owner} answers for it." if plan.owner is not None and plan.owner.active else ""
        records.ask(
            topic=OPEN_INCIDENT, key=f"backup:{plan.pk}:{deadline.generation}", system=plan.system,
            payload={
                "title": f"No backup of {plan.system}: {plan.what}"[:200],
                "description": f"{plan.reference} runs every {every}, and none has completed {since}. Until it does, "
                f"more and more data of {plan.system} stands in no backup. It goes to {plan.place}.{whose}",
                "level": policy.SILENCE_LEVEL, "dedup_key": f"backup:{plan.pk}",
            },
            by=BACKUPS, at=at, answer_by=at + policy.ANSWER_WITHIN,
        )  # fmt: skip
        say(plan, "silent", f"is silent: none has completed {since}; an incident was asked for", by=BACKUPS, at=at)
