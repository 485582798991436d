"""Sweeps side by side: a deadline that one of them holds is never handled by another."""

import threading

import pytest
from django.db import connection, connections

from portal.deadlines import services
from portal.deadlines.models import Deadline
from tests.factories.deadlines import KIND, Handler, lock_systems, make_deadline
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db(transaction=True)


def in_thread(call):
    """Run `call` on a connection of its own and return its result."""
    results = []

    def run():
        try:
            results.append(call())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return results[0]


def sweep(handle, limit=500):
    return services.fire_due(kinds=[KIND], at=NOON, lock=lock_systems, handle=handle, limit=limit)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer: the second sweep waits instead")
def test_a_second_sweep_skips_what_the_first_one_holds():
    for number in range(4):
        make_deadline(key=str(number))
    inner = Handler()
    outer = Handler(then=lambda: in_thread(lambda: sweep(inner)))
    assert sweep(outer, limit=2).count == 2
    assert sorted(outer.keys) == ["0", "1"]
    assert sorted(inner.keys) == ["2", "3"]


def test_sweeps_racing_over_the_same_rows_handle_each_once():
    for number in range(60):
        make_deadline(key=str(number))
    handler, start = Handler(), threading.Barrier(4)

    def run():
        try:
            start.wait(20)
            while Deadline.objects.filter(state="pending").exists():
                sweep(handler, limit=7)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(handler.keys, key=int) == [str(number) for number in range(60)]
