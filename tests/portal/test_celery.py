"""Tasks follow one another on one connection to the database, as long as it is good."""

import pytest
from celery import signals
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

from portal.celery import app
from portal.dashboard.tasks import sweep


@pytest.fixture
def fixup():
    """What Celery does around each task of a worker on Django."""
    return DjangoWorkerFixup(app)


def backend():
    """Return the process of the server that this connection talks to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.fixture
def on_postgresql(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is opened anew at no cost")


def test_a_task_goes_on_with_the_connection_of_the_one_before(on_postgresql, fixup):
    before = backend()
    fixup.on_task_postrun(sender=sweep)
    fixup.on_task_prerun(sender=sweep)
    signals.task_prerun.send(sender=sweep)
    assert backend() == before


def test_a_connection_that_broke_meanwhile_is_opened_anew(on_postgresql, fixup):
    before = backend()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [before])
    other.close()
    signals.task_prerun.send(sender=sweep)
    assert backend() != before


def test_a_task_that_runs_within_a_request_closes_nothing_of_it(transactional_db, monkeypatch):
    closed = []
    monkeypatch.setattr("portal.celery.db.close_old_connections", lambda: closed.append(1))
    sweep.push_request(is_eager=True)
    try:
        signals.task_prerun.send(sender=sweep)
    finally:
        sweep.pop_request()
    assert closed == []
