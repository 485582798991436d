"""POST /backups/<token>/: how a backup job reports a run. Every answer has its sentence."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from maintenance import services
from maintenance.enums import Source
from maintenance.models import BackupPlan, BackupRun
from maintenance.policy import Refused
from portal.accounts.second import not_needed_for
from portal.audit.actor import acting
from portal.lib import clock, durations, times
from portal.lib.calls import Unfit, answer, moment_of, object_of, posted

MOST_BYTES = 2**62
MOMENTS = ("started_at", "finished_at", "newest_data_at")
FLAGS = ("completed", "verified", "stored")
ONLY_POST = "A backup job reports by POST. There is nothing to read here."
UNKNOWN = "This address is not known here, or its token was replaced. Ask for a new one."
UNREADABLE = (
    'Send a JSON object such as {"finished_at": "2026-11-17T02:00:00Z", "bytes": 48211, '
    '"newest_data_at": "2026-11-17T01:58:00Z", "verified": true}.'
)


@not_needed_for
@csrf_exempt
@never_cache
@posted(ONLY_POST)
def report(request: HttpRequest, secret: str) -> JsonResponse:
    """Take one run. 404 for a token that is not known, 409 for what cannot be, 422 for a body nobody can read."""
    plan = services.backup_of(secret)
    if plan is None:
        raise Unfit(404, UNKNOWN)
    try:
        return _report(request, plan)
    except Refused as refused:
        return answer(409, str(refused))


def _report(request: HttpRequest, plan: BackupPlan) -> JsonResponse:
    words = _words(request)
    at, by = clock.database_now(), f"job: {plan.reference}"
    with acting(by=by, origin="api", at=at, reason="Reported by the backup job"):
        run, news = services.record_run(plan, by=by, at=at, source=Source.JOB, reason="Reported by its job", **words)
    when = f"{plan.reference}, finished {times.exact(run.finished_at)}"
    if not news and (other := _other(run, words)):
        said = f"was reported already, and said otherwise: {', '.join(other)}"
        return answer(409, f"{when}, {said}. It stays as it was; say on its page what is known since.")
    if not news:
        return answer(200, f"{when}, was reported already. It is kept once, as it was.")
    if not run.completed:
        return answer(201, f"{when}, is kept as one that did not complete.")
    if words["verified"] and not run.verified:
        return answer(201, f"{when}, is kept. It is empty, so it does not count as verified.")
    if not run.verified:
        return answer(201, f"{when}, is kept. It does not count as verified yet.")
    age = durations.words((at - run.newest_data_at).total_seconds()) if run.newest_data_at else ""
    return answer(201, f"{when}, is kept as verified. Its newest data is {age} old.")


def _other(run: BackupRun, words: dict[str, Any]) -> list[str]:
    """Return the fields of which a second report says something else than what is kept."""
    holds = words["completed"] and words["size"] != 0
    kept = {
        "started_at": (words["started_at"] or run.started_at, run.started_at),
        "bytes": (run.size if words["size"] is None else words["size"], run.size),
        "newest_data_at": (words["newest_data_at"] or run.newest_data_at, run.newest_data_at),
        "completed": (words["completed"], run.completed),
        "verified": (words["verified"] and holds, run.verified),
        "stored": (words["stored"] and words["completed"], run.stored),
    }
    return [name for name, (said, stands) in kept.items() if said != stands]


def _words(request: HttpRequest) -> dict[str, Any]:
    """Return what was reported. Unfit is raised for what nobody can read."""
    body = object_of(request, fields={*MOMENTS, *FLAGS, "bytes"}, unreadable=UNREADABLE)
    size = body.get("bytes")
    whole = size is None or (isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= MOST_BYTES)
    moments = {name: moment_of(body, name, unreadable=UNREADABLE) for name in MOMENTS}
    flags = {name: body.get(name, name == "completed") for name in FLAGS}
    if not whole:
        raise Unfit(422, f"bytes is no whole number from 0 on. {UNREADABLE}")
    if (odd := next((name for name, flag in flags.items() if not isinstance(flag, bool)), None)) is not None:
        raise Unfit(422, f"{odd} is neither true nor false. {UNREADABLE}")
    if moments["finished_at"] is None:
        raise Unfit(422, f"Say when it finished: finished_at. {UNREADABLE}")
    return {**moments, **flags, "size": size}
