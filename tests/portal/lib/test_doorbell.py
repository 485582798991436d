import threading
import time

import pytest
from django.db import transaction

from portal.lib import doorbell


class Broker:
    """Stands in for Celery: keeps what was sent, fails or hangs when told."""

    def __init__(self):
        self.sent, self.failing, self.heard, self.gate = [], False, threading.Event(), threading.Event()
        self.gate.set()

    def send_task(self, name, **options):
        self.gate.wait(5)
        self.heard.set()
        if self.failing:
            raise OSError("no broker")
        self.sent.append((name, options))


@pytest.fixture
def broker(monkeypatch):
    found = Broker()
    monkeypatch.setattr(doorbell, "current_app", found)
    return found


def until(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("It did not happen within five seconds.")


def test_a_ring_sends_the_task(broker):
    doorbell.Doorbell().ring("portal.x")
    until(lambda: broker.sent)
    name, options = broker.sent[0]
    assert (name, options["retry"], options["ignore_result"]) == ("portal.x", False, True)
    assert options["expires"] > 0


def test_nobody_waits_for_a_broker_that_hangs_and_rings_become_one(broker):
    bell = doorbell.Doorbell()
    broker.gate.clear()
    began = time.monotonic()
    bell.ring("portal.first")
    for _ in range(100):
        bell.ring("portal.x")
    assert time.monotonic() - began < 0.3
    broker.gate.set()
    until(lambda: any(name == "portal.x" for name, _ in broker.sent))
    assert len(broker.sent) <= 4


def test_after_a_failure_it_rests_and_then_rings_again(broker):
    bell = doorbell.Doorbell(rest_seconds=0.2)
    broker.failing = True
    bell.ring("portal.lost")
    until(lambda: bell._resting_until)
    broker.failing = False
    bell.ring("portal.forgotten")
    until(lambda: time.monotonic() > bell._resting_until)
    bell.ring("portal.x")
    until(lambda: broker.sent)
    assert [name for name, _ in broker.sent] == ["portal.x"]


@pytest.mark.django_db(transaction=True)
def test_a_ring_on_commit_waits_for_the_commit_and_dies_with_a_rollback(monkeypatch):
    rung = []
    monkeypatch.setattr(doorbell, "ring", rung.append)
    with transaction.atomic():
        doorbell.ring_on_commit("portal.x")
        assert rung == []
    assert rung == ["portal.x"]
    with transaction.atomic():
        doorbell.ring_on_commit("portal.y")
        transaction.set_rollback(True)
    assert rung == ["portal.x"]
