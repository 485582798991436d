"""Handoffs and swaps are told once, whoever looks and however often; the digest once a week."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.dashboard.duty import telling
from portal.deadlines.models import Sweep
from portal.directory.oncall import swaps
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_shift, make_team
from tests.factories.oncall import make_schedule

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HANDOFF = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday, after the digest of its week


@pytest.fixture
def people():
    return [make_contact(name) for name in ("Mei", "Jonas", "Amara")]


@pytest.fixture
def schedule(people):
    return make_schedule(make_team("ops"), *people)


def said(at):
    """Return who is told what by a look at that moment."""
    before = set(Message.objects.values_list("pk", flat=True))
    telling.look(at=at)
    new = Message.objects.exclude(pk__in=before).exclude(kind="duty_digest").select_related("contact")
    return sorted((message.contact.name, message.kind) for message in new)


def test_a_handoff_is_told_a_day_before_and_as_it_happens_and_only_once(schedule):
    assert said(HANDOFF - DAY - HOUR) == []
    assert said(HANDOFF - DAY) == [("Jonas", "duty_soon")]
    assert said(HANDOFF - HOUR) == []
    assert said(HANDOFF + timedelta(minutes=1)) == [("Jonas", "duty_begun"), ("Mei", "duty_over")]
    assert said(HANDOFF + HOUR) == []
    message = Message.objects.get(kind="duty_over")
    assert "Jonas has taken over" in message.body
    assert "09:00:00 GMT" in message.body


def test_a_look_long_after_the_handoff_tells_nobody_what_they_know(schedule):
    assert said(HANDOFF + 3 * HOUR) == []


def test_a_turn_with_nobody_after_it_says_so(people):
    team = make_team("ops")
    make_shift(team, people[0], until=NOON)
    assert said(NOON) == [("Mei", "duty_over")]
    assert "nobody follows" in Message.objects.get(kind="duty_over").title


def test_two_looks_at_once_tell_the_same_once(schedule):
    telling.look(at=HANDOFF)
    Sweep.objects.all().delete()  # as another process would look that has not seen this one's mark
    before = Message.objects.count()
    assert telling.look(at=HANDOFF) == 0
    assert Message.objects.count() == before


def test_a_swap_tells_who_is_asked_and_then_who_asked(schedule, people):
    swap = swaps.ask(schedule, people[0], people[2], span=(NOON, HANDOFF), by="test", at=NOON, reason="A wedding")
    assert ("Amara", "duty_swap_asked") in said(NOON + HOUR)
    assert "A wedding" in Message.objects.get(kind="duty_swap_asked").body
    swaps.accept(swap, by=people[2], at=NOON + HOUR)
    assert ("Mei", "duty_swap_answered") in said(NOON + 2 * HOUR)
    assert "Amara takes over" in Message.objects.get(kind="duty_swap_answered").body


def test_managers_read_once_a_week_what_will_go_wrong(people):
    manager = make_contact("Hannah", user=make_user("hannah", roles=["manager"]))
    make_schedule(make_team("ops"), people[0], hours="Mon-Fri 00:00-24:00")
    before, after = HANDOFF.replace(hour=7), HANDOFF.replace(hour=8)
    telling.look(at=HANDOFF - 3 * DAY)  # a week whose Monday was slept through
    for at in (before, after, after + HOUR, after + DAY):
        telling.look(at=at)
    found = Message.objects.filter(kind="duty_digest", contact=manager, lane="email").order_by("created_at")
    assert [message.created_at for message in found] == [HANDOFF - 3 * DAY, after]
    assert "Nobody is on call for Operations from Sat 28 Nov, 00:00" in found[1].body
    assert "Mei alone takes all turns of Operations" in found[1].body
