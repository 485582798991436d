"""The demo company's recovery shows what is proven, what failed or was slow, what is silent, and what contradicts."""

from datetime import timedelta

import pytest

from maintenance.selectors.recovery import Asked, page_of
from portal.dashboard.demo import recovering
from portal.dashboard.demo.founding import found
from portal.dashboard.demo.playing import Play
from portal.lib import clock
from tests.factories.accounts import make_superuser

pytestmark = pytest.mark.django_db


def test_the_demo_shows_proven_unproven_silent_and_contradicting():
    now = clock.database_now()
    people = found(by="system: demo", at=now - timedelta(days=100), now=now, password="")
    recovering.play(Play(people, None, now))
    page = page_of(make_superuser(), Asked(), at=now)
    counts = {label: count for label, _, count, _ in page.tabs}
    assert page.proven == 5
    assert page.promised == 12
    assert counts["Unproven"] == 7
    assert counts["Silent"] == 1
    assert sum(row.next_test is not None for row in page.rows) == len(recovering.TESTED)
    assert any("Mail Intake promises" in sentence for sentence in page.conflicts)
