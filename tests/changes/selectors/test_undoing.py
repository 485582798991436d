"""Whether there is time to undo a change: against the promise of its systems, and within its window."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes import services
from changes.selectors.undoing import undoing_of
from tests.factories.changes import HOUR, TOMORROW, make_change, make_scheduled, make_started, verify
from tests.factories.directory import NOON, make_system

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def undoing(change, at=NOON):
    return undoing_of(change, user=change.requester, at=at)


def test_a_plan_that_fits_warns_of_nothing():
    found = undoing(make_change(systems=[make_system(rto=60)]))
    assert (found.estimate, found.rto, found.left) == (10 * MINUTE, HOUR, 30 * MINUTE)
    assert (found.warnings, found.urgent) == ([], "")


def test_the_tightest_promise_counts():
    systems = [make_system(rto=60), make_system("fast", rto=5), make_system()]
    found = undoing(make_change(systems=systems))
    assert found.rto_of == "Fast"
    assert "longer than Fast may be down (5 min)" in found.warnings[0]


def test_a_window_without_room_for_it_is_warned_of():
    steps = {"implementation": [("Do it", 55)], "rollback": [("Undo it", 10)]}
    assert "only 5 min are left in the window" in undoing(make_change(steps=steps)).warnings[0]
    steps["implementation"] = [("Do it", 65)]
    assert "nothing is left in the window" in undoing(make_change(steps=steps)).warnings[0]


def test_steps_without_minutes_say_nothing_of_what_is_left():
    steps = {"implementation": [("Do it", None)], "rollback": [("Undo it", 10)]}
    assert undoing(make_change(steps=steps)).left is None


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (timedelta(0), ""),
        (49 * MINUTE, ""),
        (51 * MINUTE, "Only 9 min are left in the window, and the rollback takes 10 min."),
        (62 * MINUTE, "The window ended 2 min ago."),
    ],
)
def test_while_somebody_is_at_it_the_time_that_is_left_is_watched(after, words):
    found = undoing(make_started(), at=TOMORROW + after)
    assert found.urgent.startswith(words)
    assert bool(found.urgent) == bool(words)


def test_what_it_really_took_is_kept_and_nothing_is_urgent_any_more():
    change = make_scheduled()
    change = services.start(change, by=change.implementer, at=TOMORROW)
    change = services.roll_back(change, by=change.implementer, at=TOMORROW + 55 * MINUTE, reason="Errors")
    assert undoing(change, at=TOMORROW + 56 * MINUTE).urgent == ""
    change = verify(change, by=change.implementer, at=TOMORROW + 59 * MINUTE)
    assert undoing(change, at=TOMORROW + HOUR).took == 4 * MINUTE


def test_a_draft_without_a_plan_has_nothing_to_say():
    change = make_change(steps={}, rollback_minutes=None, planned_start=None, planned_end=None)
    found = undoing(change)
    assert (found.estimate, found.left, found.took, found.warnings, found.urgent) == (None, None, None, [], "")
