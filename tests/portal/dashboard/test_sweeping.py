"""One look at everything that is due."""

from datetime import timedelta

import pytest

from incidents.models import Incident
from portal.dashboard import sweeping
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.notify.models import Message, MessageState
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.incidents import make_incident, make_policy
from tests.factories.notify import make_message

pytestmark = pytest.mark.django_db


def at(moment):
    return lambda: moment


def test_a_sweep_fires_what_is_due_and_nothing_else():
    make_policy(default=True, steps=[make_contact(), make_contact()])
    make_incident(severity=1, systems=[make_system()])

    settled = sweeping.sweep_deadlines(now=at(NOON))

    assert settled == 1  # the first step; the second and every clock lie ahead
    assert Deadline.objects.filter(state=DeadlineState.PENDING, due_at__lte=NOON).count() == 0


def test_a_sweep_leaves_its_pulse_also_when_nothing_was_due():
    sweeping.sweep_deadlines(now=at(NOON))

    assert deadlines.last_sweep_age_seconds(at=NOON + timedelta(seconds=5)) == 5


def test_one_sweep_catches_up_after_an_outage():
    make_policy(default=True, steps=[make_contact(), make_contact()])
    make_incident(severity=1, systems=[make_system()])

    sweeping.sweep_deadlines(now=at(NOON + timedelta(days=1)))

    assert deadlines.oldest_overdue_seconds(at=NOON + timedelta(days=1)) == 0


def test_deadlines_come_before_the_messages_that_they_decide(mailoutbox):
    make_policy(default=True, steps=[make_contact()])
    make_incident(systems=[make_system()])

    done = sweeping.sweep_once(now=at(NOON))

    assert done["deadlines"] == 1
    assert len(mailoutbox) == 1
    assert Message.objects.filter(state=MessageState.SENT, lane="email").count() == 1


@pytest.mark.parametrize(("only", "state", "sent"), [("deadlines", "fired", 0), ("messages", "pending", 1)])
def test_only_one_half_when_asked(only, state, sent, mailoutbox):
    make_message()
    make_policy(default=True, steps=[make_contact()])
    incident = make_incident(systems=[make_system()])

    sweeping.sweep_once(now=at(NOON), only=only)

    step = Deadline.objects.get(subject_id=incident.pk, kind="incident.escalation", key="0.0")
    assert step.state == state
    assert len(mailoutbox) == sent


def test_what_is_swept_twice_happens_once():
    make_policy(default=True, steps=[make_contact()])
    make_incident(systems=[make_system()])
    sweeping.sweep_once(now=at(NOON))
    messages = Message.objects.count()

    again = sweeping.sweep_once(now=at(NOON))

    assert again == {"deadlines": 0, "messages": 0, "exports": 0}
    assert Message.objects.count() == messages
    assert Incident.objects.count() == 1
