"""A company and many incidents, made in bulk, as the services would have left them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import QuerySet

from incidents.enums import EscalationState
from incidents.escalation.running import ESCALATION, snapshot_of
from incidents.models import Escalation, EscalationPolicy, Incident
from portal.accounts.models import User
from portal.audit import guards
from portal.audit.actor import acting
from portal.deadlines.models import Deadline
from portal.directory.models import Severity, System
from tests.factories.directory import make_contact, make_shift, make_system, make_team
from tests.factories.incidents import make_policy

BATCH = 2000


def company(at: datetime) -> EscalationPolicy:
    """Make people, a team on call, a dozen systems and the policy that pages them: team, then person, then person."""
    with acting(by="bench", reason="A benchmark", origin="command"):
        people = [
            make_contact(  # each page leaves by itself, so that each can be timed
                f"Person {number}",
                user=User.objects.create_user(f"bench{number}", is_staff=True),
                bundle_seconds=0,
            )
            for number in range(6)
        ]
        team = make_team("bench", members=people)
        make_shift(team, people[0], starts=at - timedelta(days=1), until=at + timedelta(days=30))
        systems = [make_system(f"bench-{number}", owner=team) for number in range(12)]
        return make_policy("Bench", steps=[team, people[1], people[2]], systems=systems, delay=300)


def incidents(count: int, *, declared_at: datetime, first: int = 1, **fields: Any) -> list[int]:
    """Insert open SEV-2 incidents, each on one system, numbered from `first`, and return their ids."""
    severity = Severity.objects.get(level=2)
    systems = list(System.objects.filter(slug__startswith="bench-").values_list("pk", flat=True))
    plain: QuerySet[Incident] = QuerySet(Incident)
    rows = plain.bulk_create(
        [
            Incident(
                reference=f"INC-{number:06d}",
                title=f"Disk almost full on host-{number}",
                severity=severity,
                is_major=True,
                declared_at=declared_at,
                declared_by="bench",
                **fields,
            )
            for number in range(first, first + count)
        ],
        batch_size=BATCH,
    )
    through = Incident.systems.through
    through.objects.bulk_create(
        [through(incident_id=row.pk, system_id=systems[row.pk % len(systems)]) for row in rows], batch_size=BATCH
    )
    return [row.pk for row in rows]


def escalating(ids: list[int], policy: EscalationPolicy, *, started_at: datetime, due: list[datetime]) -> None:
    """Start an escalation of each incident, whose first step is due at the given moment."""
    snapshot = snapshot_of(policy).as_json()
    Escalation.objects.bulk_create(
        [
            Escalation(
                incident_id=pk,
                generation=1,
                policy=policy,
                snapshot=snapshot,
                state=EscalationState.RUNNING,
                started_at=started_at,
            )
            for pk in ids
        ],
        batch_size=BATCH,
    )
    subject_type = ContentType.objects.get_for_model(Incident)
    Deadline.objects.bulk_create(
        [
            Deadline(
                kind=ESCALATION,
                subject_type=subject_type,
                subject_id=pk,
                key="0.0",
                generation=1,
                started_at=started_at,
                due_at=due_at,
                payload={"round": 0, "step": 0, "last": False},
            )
            for pk, due_at in zip(ids, due, strict=True)
        ],
        batch_size=BATCH,
    )


def clear() -> None:
    """Empty what a benchmark wrote, keeping the company, and let PostgreSQL take stock."""
    tables = [model._meta.db_table for model in (Deadline, Escalation, Incident.systems.through)]
    with guards.lifted(), connection.cursor() as cursor:
        cursor.execute(
            f"TRUNCATE {', '.join(tables)}, notify_actionlink, notify_message, records_note, records_period, "
            "incidents_incident CASCADE"
        )
    analyze()


def analyze() -> None:
    """Let PostgreSQL take stock after a bulk load."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
