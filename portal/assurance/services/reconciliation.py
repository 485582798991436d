"""What follows from reconciliation: it runs every night, and what it finds becomes a security incident.

The incident is asked for by a demand, which incidents answer in their sweep. What an open incident names already asks
for no second one; what was closed without being put right asks again the next night.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from incidents.enums import IncidentType
from incidents.models import Incident
from portal.audit import reconciling
from portal.audit.actor import acting
from portal.audit.models import Reconciliation
from portal.audit.reconciling import Finding
from portal.records import services as records
from portal.records.models import Demand

SYSTEM = "system: reconciliation"
TOPIC = "incident.open"
PREFIX = "reconciliation:"
LEVEL = 2  # SEV-2, where the severity table has it
ANSWER_WITHIN = timedelta(minutes=5)
SLICE = timedelta(seconds=10)
MOST_NAMED = 30
NEXT = (
    "What to do next: put nothing right by hand. Find out who could write to the database past the portal{since}: look "
    "at the accounts of the database, at its own log and at who was on the machine. Run `manage.py audit verify` and "
    "keep what it says. Then set the value through the portal, with a reason, and run `manage.py audit reconcile` anew."
)
Clock = Callable[[], datetime]


def nightly(*, now: Clock) -> int:
    """Begin the run of this night when it is due, and work for some seconds on what is begun; return the rows read."""
    with acting(by=SYSTEM, reason="The run of every night", origin="task", alone=True):
        reconciling.begin_nightly(by=SYSTEM, at=now())
        return reconciling.advance(now=now, budget=SLICE, settle=settle)


def settle(run: Reconciliation, at: datetime) -> Demand | None:
    """Ask for a security incident about what no open one names; return what was asked, if anything."""
    findings = [Finding.from_json(found) for found in run.findings]
    known = _named_by_open_incidents()
    new = [found for found in findings if found.identity not in known]
    if not new:
        return None
    count = run.found - (len(findings) - len(new))
    return records.ask(
        topic=TOPIC,
        key=f"{PREFIX}{run.pk}",
        payload={
            "title": _title(new, count),
            "description": _description(new, count, run, at),
            "level": LEVEL,
            "type": IncidentType.SECURITY.value,
            "findings": sorted({found.identity for found in new}),
        },
        by=SYSTEM,
        at=at,
        answer_by=at + ANSWER_WITHIN,
    )


def _named_by_open_incidents() -> set[str]:
    """Return the identities of findings that an open incident tells, or one that is asked for and not opened yet."""
    asked = list(Demand.objects.filter(topic=TOPIC, key__startswith=PREFIX))
    references = [demand.answer.get("incident", "") for demand in asked if demand.answered_at is not None]
    still_open = set(Incident.objects.open().filter(reference__in=references).values_list("reference", flat=True))
    return {
        identity
        for demand in asked
        if demand.answered_at is None or demand.answer.get("incident") in still_open
        for identity in demand.payload.get("findings", [])
    }


def _title(findings: list[Finding], count: int) -> str:
    if count == 1:
        return f"{findings[0].place} does not agree with its history"[:200]
    return f"{count:,} findings: rows do not agree with their history"


def _description(findings: list[Finding], count: int, run: Reconciliation, at: datetime) -> str:
    before = _last_clean_before(run)
    since = f" since {_utc(before)}, when nothing differed" if before is not None else ""
    named = [f"- {found.outline}" for found in findings[:MOST_NAMED]]
    head = f"Reconciliation read {run.rows:,} rows until {_utc(at)}. History does not account for these:"
    more = [f"- and {count - MOST_NAMED:,} more"] if count > MOST_NAMED else []
    return "\n\n".join([head, "\n".join([*named, *more]), NEXT.format(since=since)])


def _last_clean_before(run: Reconciliation) -> datetime | None:
    clean = Reconciliation.objects.filter(finished_at__isnull=False, found=0, started_at__lt=run.started_at)
    found: datetime | None = clean.order_by("-started_at").values_list("started_at", flat=True).first()
    return found


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
