"""What maintenance tells of systems that something goes wrong with."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from maintenance import services
from portal.records import hints
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_system
from tests.factories.maintenance import WHY, make_plan, standing

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader():
    return make_user("amara", roles=["responder"])


def hinted(user, *systems, at=NOON):
    return [one.title for one in hints.of(hints.OVERDUE, systems, user=user, at=at).rows]


def test_the_longest_overdue_comes_first_and_names_only_the_systems_asked_about(reader):
    mail, queue = make_system("mail", name="Mail"), make_system("queue", name="Queue")
    make_plan(task="Patch", systems=[mail, queue], anchor=date(2026, 11, 10), at=NOON - timedelta(days=20))
    make_plan(task="Renew", systems=[mail], anchor=date(2026, 11, 2), at=NOON - timedelta(days=20))
    found = hints.of(hints.OVERDUE, [mail], user=reader, at=NOON).rows
    assert [(one.title, one.systems) for one in found] == [("Renew", ("Mail",)), ("Patch", ("Mail",))]


def test_at_its_moment_it_is_not_overdue_and_right_after_it_is(reader):
    mail = make_system("mail")
    due = standing(make_plan(task="Patch", systems=[mail])).due_at
    assert hinted(reader, mail, at=due) == []
    assert hinted(reader, mail, at=due + timedelta(seconds=1)) == ["Patch"]


def test_a_plan_that_is_retired_hints_no_more(reader):
    mail = make_system("mail")
    plan = make_plan(task="Patch", systems=[mail])
    later = standing(plan).due_at + timedelta(days=2)
    services.retire(plan, by="system: test", at=later, reason=WHY)
    assert hinted(reader, mail, at=later) == []


def test_nobody_asks_without_a_system(reader, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert hinted(reader) == []
