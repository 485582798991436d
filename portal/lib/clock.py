"""The clocks: the process clock for edges, the database clock for what is due. Services are given moments instead."""

from datetime import UTC, datetime

from django.db import connection


def now() -> datetime:
    """Return the moment by the clock of this process, in UTC."""
    return datetime.now(UTC)


def database_now() -> datetime:
    """Return the moment by the clock of the database, in UTC. One query; it decides what is due for every process."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            moment: datetime = cursor.fetchone()[0]
            return moment.astimezone(UTC)
        cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)


def offset_seconds() -> float:
    """Return how many seconds the clock of this process is ahead of the database's; negative when behind."""
    before = now()
    database = database_now()
    middle = before + (now() - before) / 2
    return (middle - database).total_seconds()
