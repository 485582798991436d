"""The pages of recovery in Chromium: every look, at the desk and on the phone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maintenance import services
from portal.audit.actor import acting
from portal.directory.models import Dependency
from portal.lib import clock
from tests.factories.directory import make_system
from tests.factories.maintenance import WHY, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def pages():
    at, by = clock.now(), "Amara Okafor"
    with acting(by="system: test", reason=WHY, at=at):
        desk = make_system("desk", name="Ticket desk", rto=60, rpo=60)
        queue = make_system("queue", name="Mail queue", rto=240, rpo=60)
        make_system("wiki", name="Wiki")
        Dependency.objects.create(system=desk, needs=queue)
        words = {"what": "The database", "place": "Another town", "frequency_minutes": 60, "grace_minutes": 30}
        plan = services.plan_backup(desk, words, by=by, at=at - DAY, reason=WHY)
        services.record_run(
            plan, by=by, at=at, finished_at=at - 9 * HOUR, newest_data_at=at - 10 * HOUR, size=90_000, verified=True
        )
        found = {"succeeded": True, "by": by, "found": "Restored on a spare machine"}
        start = at - 60 * DAY
        test, _ = services.record_restore_test(
            desk, started_at=start, ended_at=start + 40 * MINUTE, newest_recovered_at=start - HOUR, at=at, **found
        )
    paths = ["/recovery/", "/recovery/systems/desk/", "/recovery/systems/desk/test/", "/recovery/systems/desk/backup/"]
    return [*paths, plan.get_absolute_url(), f"{plan.get_absolute_url()}run/", test.get_absolute_url()]


def test_no_page_has_anything_that_axe_finds(page, live_server, sign_in, pages, assert_no_axe_violations):
    sign_in(page, make_member("Maren Holt", "manager")[0])
    for path in pages:
        page.goto(f"{live_server.url}{path}")
        assert_no_axe_violations(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/recovery/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
