"""What every alert of a storm asks of the database, written by hand.

A storm consists of alerts that say what they said before. The ORM builds the same few statements anew for each, and
that took more of the processor than all else that such an alert needs.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from django.db import connection

from incidents.enums import OPEN, DeliveryResult, Status
from incidents.intake.posts import Answer, Post
from incidents.models import Alert, Incident, IntakeDelivery, IntakeToken

ALERTS = Alert._meta.db_table
INCIDENTS = Incident._meta.db_table
DELIVERIES = IntakeDelivery._meta.db_table

KEYS_LOCK = 0x57424B  # a number of our own beside the key, so that no other lock is met
STATES = ", ".join(f"'{Status(status).value}'" for status in OPEN)
STANDING = f"""
    SELECT a.id, i.id, i.reference FROM {ALERTS} a JOIN {INCIDENTS} i ON i.id = a.incident_id
    WHERE a.token_id = %s AND a.key = %s AND a.firing AND a.digest = %s AND i.status IN ({STATES})
    ORDER BY a.id DESC LIMIT 1
"""  # noqa: S608 - names of our own models
COUNT = f"UPDATE {ALERTS} SET title = %s, last_at = %s, count = count + 1 WHERE id = %s"  # noqa: S608 - likewise
KEPT = f"""
    INSERT INTO {DELIVERIES}
    (token_id, received_at, address, content_type, body, result, status_code, sentence, incident_id)
"""
KEEP = f"{KEPT} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
# The three above in one, for PostgreSQL. Of the busiest alert of a storm each row waits for the one before: its locks
# are held for as long as the server needs, and not while this process answers others between two statements.
AGAIN = f"""
    WITH known(alert_id, incident_id, reference) AS ({STANDING} FOR NO KEY UPDATE OF i),
    counted AS (
        UPDATE {ALERTS} a SET title = %s, last_at = %s, count = count + 1 FROM known WHERE a.id = known.alert_id
    ),
    kept AS (
        {KEPT} SELECT %s, %s, %s, %s, %s, %s, %s, replace(%s, '{{}}', known.reference), known.incident_id FROM known
    )
    SELECT incident_id, reference FROM known
"""  # noqa: S608 - likewise


def token_with(digest: str) -> IntakeToken | None:
    """Return the address whose secret has this digest, unless it is unknown or revoked."""
    return next(iter(IntakeToken.objects.raw(_by_digest(), [digest])), None)


@cache
def _by_digest() -> str:
    columns = ", ".join(field.attname for field in IntakeToken._meta.concrete_fields)
    return f"SELECT {columns} FROM {IntakeToken._meta.db_table} WHERE digest = %s AND revoked_at IS NULL"  # noqa: S608


def locked_standing(token: IntakeToken, key: str, digest: str) -> tuple[int, Incident] | None:
    """Lock the open incident that a firing alert of just these words has; return the alert's id and the incident.

    Of the incident no more than its id and its reference is read; the rest is read when it is asked for.
    """
    lock = " FOR NO KEY UPDATE OF i" if connection.features.has_select_for_no_key_update else ""
    with connection.cursor() as cursor:
        cursor.execute(STANDING + lock, [token.pk, key, digest])
        row = cursor.fetchone()
    if row is None:
        return None
    alert, *incident = row
    return alert, Incident.from_db(connection.alias, ["id", "reference"], incident)


def count(alert: int, *, title: str, at: datetime) -> None:
    """Count an alert once more, as it reads now."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [title, connection.ops.adapt_datetimefield_value(at), alert])


def counted_at_once(
    post: Post, *, key: str, digest: str, title: str, content_type: str, sentence: str
) -> Incident | None:
    """Count and keep an alert of just these words in one statement of its own; return its open incident.

    `sentence` is what it is answered, with {} for the reference. Nothing is done, and nothing returned, where no
    incident is open for it, and on SQLite, which changes one table in a statement.
    """
    if connection.vendor != "postgresql":
        return None
    at, accepted = connection.ops.adapt_datetimefield_value(post.at), DeliveryResult.ACCEPTED.value
    delivery = [post.token.pk, at, post.address[:45], content_type, post.body, accepted, 200, sentence]
    with connection.cursor() as cursor:
        cursor.execute(AGAIN, [post.token.pk, key, digest, title, at, *delivery])
        row = cursor.fetchone()
    return None if row is None else Incident.from_db(connection.alias, ["id", "reference"], row)


def keep(post: Post, answer: Answer, result: DeliveryResult, *, content_type: str, body: bytes) -> None:
    """Keep what came and what it was answered, for inspection."""
    at = connection.ops.adapt_datetimefield_value(post.at)
    incident = None if answer.incident is None else answer.incident.pk
    said: list[str | int | None] = [result.value, answer.status_code, answer.sentence, incident]
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [post.token.pk, at, post.address[:45], content_type, body, *said])


def wait_for_others(key: str) -> None:
    """Wait until no other transaction holds this key, and hold it; SQLite lets one write at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))::text", [KEYS_LOCK, key])
