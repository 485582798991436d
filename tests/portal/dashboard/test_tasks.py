"""The doors for beat and the doorbell: a sender is rung where something is due, and nowhere else."""

from datetime import timedelta

import pytest
from celery import current_app

from portal.celery import CONFIGURATION, EXPORTS
from portal.dashboard import tasks
from portal.directory.models import SheetDelivery
from portal.lib import clock
from portal.notify.models import Message
from tests.factories.directory import NOON
from tests.factories.notify import make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch):
    found = []
    monkeypatch.setattr(tasks.current_app, "send_task", lambda name, args, **_: found.append((name, *args)))
    monkeypatch.setattr(clock, "database_now", lambda: NOON)
    return found


def test_only_the_lanes_in_which_something_is_due_are_rung(rung):
    make_message(key="a", lane="email")
    make_message(key="b", lane="email")
    make_message(key="c", lane="ntfy")
    Message.objects.filter(lane="ntfy").update(next_attempt_at=NOON + timedelta(seconds=1))
    tasks.ring_lanes()
    assert rung == [("portal.notify.tasks.send", "email")]


def test_what_a_dead_sender_left_is_rung_for_again_and_what_was_sent_is_not(rung):
    make_message(key="a", lane="email")
    make_message(key="b", lane="ntfy")
    Message.objects.filter(lane="email").update(
        state="sending", lease_token="0b5a4e0e-7c39-4f6b-9a57-2d3a5a1f7a10", lease_until=NOON
    )
    Message.objects.filter(lane="ntfy").update(state="sent", settled_at=NOON)
    tasks.ring_lanes()
    assert rung == [("portal.notify.tasks.send", "email")]


def test_beat_takes_the_contact_sheet_off_the_machine_each_night(rung, settings, tmp_path):
    settings.CONTACT_SHEET_FILE = tmp_path / "sheet.html"
    entry = CONFIGURATION["beat_schedule"]["contact-sheet"]
    current_app.tasks[entry["task"]]()
    assert "Contact sheet" in (tmp_path / "sheet.html").read_text()
    assert SheetDelivery.objects.get().delivered_at is not None
    assert entry["options"]["queue"] == EXPORTS  # a mail server that hangs holds up no sweep
    assert CONFIGURATION["task_routes"][entry["task"]] == {"queue": EXPORTS}
