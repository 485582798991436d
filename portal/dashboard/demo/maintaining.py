"""Plays the maintenance of the demo company through the services: kept, late, waiting for a signature, forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from maintenance import services
from maintenance.enums import Source, State
from maintenance.models import Occurrence, Plan
from maintenance.sweeps import sweep_maintenance
from portal.audit.actor import acting
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.models import System
from portal.records.evidence import policy
from portal.records.evidence import services as evidence
from portal.records.evidence.incoming import Incoming

BEGAN = timedelta(days=64)
SIGNED_AFTER = timedelta(hours=20)
UNSIGNED = timedelta(days=36)  # longer than from one month's working day to the next month's
JOB = "job: logrotate"


@dataclass(frozen=True)
class Kept:
    """How one plan is kept. `late` is in hours after its date, negative before it; after `until` days ago nobody did.

    `proof` is what is kept as evidence. `signer` signs; with `unsigned` the newest still waits for them.
    """

    task: str
    people: tuple[str, str, str]
    systems: tuple[str, ...]
    late: float
    last_done: int = 7
    until: int = 0
    found: str = ""
    proof: str = ""
    signer: str = ""
    unsigned: bool = False
    by_job: bool = False


KEPT = (
    Kept("Dependency updates", ("tomasz", "mei", "arjun"), ("ticket-desk", "customer-portal"), -26, 30,
         proof="ticket-desk 5.14.2: 31 dependencies, 4 raised, checks of 9 modules passed\n",
         found="Four raised, none with a known weakness left."),
    Kept("Security patches", ("diego", "leila", "hannah"), ("identity", "mail-intake"), -40, 20,
         found="Patched in staging on Tuesday, in production on Thursday."),
    Kept("Log rotation", ("mei", "tomasz", "arjun"), ("ticket-desk", "message-queue"), -2.5, 1, by_job=True,
         found="18 files rotated"),
    Kept("Certificate renewal", ("tomasz", "mei", "arjun"), ("customer-portal", "identity", "mail-intake"), -200, 340,
         signer="kwame", proof="served until 2027-12-04 on all three hosts\n"),
    Kept("Capacity review", ("tomasz", "arjun", "hannah"), ("ticket-database", "search-index"), 3, until=13,
         found="Search scaled twice on Monday; everything else stayed below 60 %."),
    Kept("Security patch assessment", ("diego", "leila", "hannah"), ("identity", "ticket-desk"), -3,
         found="Nothing critical this week."),
    Kept("Vulnerability assessment", ("diego", "leila", "hannah"), ("customer-portal", "ticket-desk"), 30, 30,
         proof="scan of 12 systems: 0 critical, 2 medium, both accepted until March\n"),
    Kept("Access control review", ("leila", "diego", "hannah"), ("identity",), -20, 30, signer="kwame", unsigned=True,
         found="Two leavers still had an account at the invoicing service; both are closed."),
)  # fmt: skip


def play(play: Play) -> int:
    """Keep the plans day by day, with the engine reminding in between; return how many are in force.

    Only accounts do and sign: without the demo's logins there is nobody.
    """
    if not play.people["kwame"].user_id:
        return 0
    play.engine = (sweep_maintenance, *play.engine)  # what it asks for is answered at the same moment
    kept = {play.alone(_put_in_force, play, one, play.now - BEGAN): one for one in KEPT}
    while True:
        moment, occurrence = min(_coming(play, kept), key=lambda found: found[0], default=(play.now, None))
        if occurrence is None or moment >= play.now:
            break
        play.sweep_until(moment)
        occurrence.refresh_from_db()
        if occurrence.state == State.TO_SIGN:
            play.alone(_sign, play, occurrence, kept[occurrence.plan_id], moment)
        else:
            play.alone(_do, play, occurrence, kept[occurrence.plan_id], moment)
    play.sweep_until(play.now)
    play.deliver(until=play.now)
    return len(kept)


def _put_in_force(play: Play, kept: Kept, at: datetime) -> int:
    plan = Plan.objects.get(task=kept.task)
    by = play.people["hannah"]
    owner, backup, manager = (play.people[key] for key in kept.people)
    values = {"owner": owner, "backup": backup, "manager": manager}
    reason = "Everybody named has agreed"
    with acting(by=by, at=at, origin=ORIGIN, reason=reason):
        systems = System.objects.filter(slug__in=kept.systems)
        services.revise(plan, values, systems, by=by, at=at, reason=reason)
        services.put_in_force(
            plan, by=by, at=at, reason=reason, last_done_on=(at - timedelta(days=kept.last_done)).date()
        )
    return plan.pk


def _coming(play: Play, kept: dict[int, Kept]) -> list[tuple[datetime, Occurrence]]:
    """Return when somebody does what stands, or signs it, for all that somebody does before the present."""
    found = []
    for row in Occurrence.objects.standing().filter(plan__in=kept).select_related("plan").order_by("pk"):
        one = kept[row.plan_id]
        if row.state == State.OPEN:
            moment = max(row.due_at + timedelta(hours=one.late), row.starts_at + timedelta(minutes=9))
            if moment < play.now - timedelta(days=one.until):
                found.append((moment, row))
        elif row.done_at is not None and not (one.unsigned and row.done_at > play.now - UNSIGNED):
            found.append((row.done_at + SIGNED_AFTER, row))
    return found


def _do(play: Play, occurrence: Occurrence, kept: Kept, at: datetime) -> None:
    by = play.people[kept.people[0]]
    with acting(by=JOB if kept.by_job else by, at=at, origin=ORIGIN):
        if kept.proof:
            with Incoming(f"{occurrence.reference.lower()}.txt") as incoming:
                incoming.write(kept.proof.encode())
                evidence.collect(
                    occurrence, incoming, source="The terminal of whoever did it", description=kept.task,
                    acquired_at=at, most=policy.MEGABYTE, by=by, at=at,
                )  # fmt: skip
        services.complete(
            occurrence, by=JOB if kept.by_job else by, at=at, found=kept.found,
            source=Source.JOB if kept.by_job else Source.PERSON,
        )  # fmt: skip


def _sign(play: Play, occurrence: Occurrence, kept: Kept, at: datetime) -> None:
    by = play.people[kept.signer]
    with acting(by=by, at=at, origin=ORIGIN):
        services.sign_off(occurrence, by=by, at=at)
