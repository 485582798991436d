"""The same writes as a sweep of escalations makes, as one statement for each 500 deadlines, with no Python between."""

from __future__ import annotations

from datetime import datetime

import psycopg

BATCH = 500
PAGE = """[SEV-2] %(reference)s, you are paged as on call. Acknowledge before the next person is paged:

    {action_link}

System: a system
Severity: SEV-2 High
Declared: Tue 17 Nov 2026, 11:55:00 GMT, by bench
Policy: Bench version 1, step 1 of 3
"""

# Lock the subjects and claim their deadlines, settle them, and insert note, two messages and the next deadline.
STATEMENT = """
WITH due AS (
    SELECT d.id, d.subject_type_id, d.subject_id, d.due_at, d.generation, i.reference, i.title
    FROM deadlines_deadline d JOIN incidents_incident i ON i.id = d.subject_id
    WHERE d.state = 'pending' AND d.due_at <= %(at)s AND d.kind = 'incident.escalation'
    ORDER BY d.due_at, d.id LIMIT %(batch)s
    FOR UPDATE OF i, d SKIP LOCKED
), settled AS (
    UPDATE deadlines_deadline d
    SET state = 'fired', settled_at = %(at)s, lateness = EXTRACT(EPOCH FROM %(at)s - d.due_at)
    FROM due WHERE d.id = due.id RETURNING d.id
), noted AS (
    INSERT INTO records_note (subject_type_id, subject_id, kind, event_at, recorded_at, actor_name, origin, gesture,
        text, detail, reason, audience, data)
    SELECT subject_type_id, subject_id, 'paged', %(at)s, %(at)s, 'system: escalation', 'task', gen_random_uuid(),
        'paged Person 0 (on call for Bench)', 'Policy Bench version 1, step 1 of 3.', '', '', '{}'
    FROM due
), said AS (
    INSERT INTO notify_message (idempotency_key, kind, about_type_id, about_id, about_reference, generation, lane,
        contact_id, method_id, address, title, body, url_path, action_path, urgent, repeat_seconds, repeat_number,
        state, attempts, created_at, due_at, next_attempt_at, settled_at, error, bundle, waits_while_quiet, is_drill)
    SELECT 'i' || subject_id || ':g1:0.0:c1:' || lane, 'incident_page', subject_type_id, subject_id, reference,
        generation, lane, %(contact)s, CASE WHEN lane = 'email' THEN %(method)s::bigint END, 'person@example.org',
        '[SEV-2] ' || reference || ' ' || title, %(page)s, '/incidents/' || reference || '/', '/a/', true,
        CASE WHEN lane = 'email' THEN 300 END, 0, state, 0, %(at)s, %(at)s, %(at)s,
        CASE WHEN state = 'sent' THEN %(at)s::timestamptz END, '', '', false, false
    FROM due CROSS JOIN (VALUES ('inbox', 'sent'), ('email', 'pending')) AS ways (lane, state)
    ON CONFLICT DO NOTHING
), armed AS (
    INSERT INTO deadlines_deadline (kind, subject_type_id, subject_id, key, generation, started_at, due_at, state,
        payload, attempts, error)
    SELECT 'incident.escalation', subject_type_id, subject_id, '0.1', generation, due_at, due_at + interval '5 min',
        'pending', '{"round": 0, "step": 1, "last": false}', 0, ''
    FROM due
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM settled
"""


def sweep(connection: psycopg.Connection, *, at: datetime) -> int:
    """Settle everything due, one transaction for each batch, and return how many that were."""
    contact, method = connection.execute(
        "SELECT contact_id, id FROM directory_contactmethod ORDER BY id LIMIT 1"
    ).fetchone() or (None, None)
    values = {"at": at, "batch": BATCH, "page": PAGE, "contact": contact, "method": method}
    fired = 0
    while True:
        row = connection.execute(STATEMENT, values).fetchone()
        connection.commit()
        if row is None or not row[0]:
            return fired
        fired += row[0]
