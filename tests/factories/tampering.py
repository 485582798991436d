"""A record that somebody will tamper with: rows of every kind, sealed, with numbers that nobody uses in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from portal.audit import anchors, guards, trail
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.audit.sealing import seal
from portal.directory.models import Contact
from portal.records.models import Note
from tests.factories.directory import NOON, make_contact, make_system, make_team
from tests.factories.incidents import make_incident

MINUTE = timedelta(minutes=1)
SEALED_AT = NOON + 10 * MINUTE


def a_record() -> None:
    """Write and seal a record: incidents with systems and notes, people, teams, signs of life without history."""
    systems = [make_system(f"system-{number}") for number in range(4)]
    people: list[Contact] = []
    for number in range(12):
        for model in (TrailRow, Note, Contact.history.model):
            skip_numbers(model)
        incident = make_incident(systems=systems[: number % 4], at=NOON)
        incident.title = f"Worse than thought {number}"
        incident.save()
        people.append(make_contact(f"Person {number}"))
        make_team(f"team-{number}", members=people[-2:])
        trail.record(Action.EVENT, event=f"Looked around {number}", reason=f"Round {number}")
    seal(at=SEALED_AT)
    anchors.anchor(at=SEALED_AT)  # the key becomes known with the first
    for minute in range(3):
        seal(at=SEALED_AT + minute * MINUTE)


def skip_numbers(model: Any, count: int = 3) -> None:
    """Let nobody use the next numbers of a table, as transactions do that are taken back."""
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, {count})", [table, key]
            )
        else:
            cursor.execute(f"UPDATE sqlite_sequence SET seq = seq + {count} WHERE name = %s", [table])


def unused(model: Any) -> list[int]:
    """Return the numbers below the newest that no row has."""
    taken = set(model._base_manager.values_list("pk", flat=True))
    return sorted(set(range(min(taken), max(taken))) - taken)


@contextmanager
def tampered() -> Iterator[Any]:
    """Yield a function that runs SQL as the owner of the tables, without guards; everything is undone afterwards."""
    with transaction.atomic():
        guards._of("default").lift()  # as the owner can; rolling back puts them up again
        with connection.cursor() as cursor:

            def sql(statement: str, *values: Any) -> None:
                cursor.execute(statement, values)

            yield sql
        transaction.set_rollback(True)
