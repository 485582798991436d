"""The pages of maintenance in Chromium: every look, and a manager's Monday."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maintenance import services
from maintenance.enums import Frequency, State
from maintenance.models import Occurrence, Plan
from portal.audit.actor import acting
from portal.directory.models import Team
from portal.lib import clock
from tests.factories.directory import make_contact, make_system
from tests.factories.maintenance import WHY, make_draft, make_member, make_plan, standing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]
DAY = timedelta(days=1)


@pytest.fixture
def at():
    return clock.now()


@pytest.fixture
def maren():
    return make_member("Maren Holt", "manager")


@pytest.fixture
def plans(maren, at):
    """An overdue plan of somebody who left, one to be signed off, one for next week, one far away, and a draft."""
    with acting(by="system: test", reason=WHY, at=at):
        amara, joel = make_contact("Amara Okafor"), make_member("Joel Brandt")[1]
        database, queue = make_system("ticket-db", name="Ticket database"), make_system("queue", name="Mail queue")
        team = Team.objects.get(slug="platform")
        usual = {"manager": maren[1], "team": team, "at": at - 90 * DAY}
        zone = {"due_time": at.time().replace(second=0, microsecond=0), "time_zone": "UTC"}
        late = make_plan(
            task="Renew the certificates of the ticket system", owner=amara, backup=joel, systems=[database, queue],
            anchor=(at - 12 * DAY).date(), frequency=Frequency.ANNUAL, procedure="Renew, install, look who serves it.",
            **zone, **usual,
        )  # fmt: skip
        history = make_plan(
            task="Dependency updates", owner=joel, systems=[queue], frequency=Frequency.WEEKLY,
            anchor=(at - 87 * DAY).date(), **zone, **usual,
        )  # fmt: skip
        for number in range(11):
            row = standing(history)
            if number == 5:
                services.skip(row, by="system: test", at=row.due_at - DAY, reason="A freeze")
                continue
            late_by = timedelta(days=9 if number == 7 else -1)
            services.complete(row, by="system: test", at=row.due_at + late_by)
        signed = make_plan(
            task="Access control review", owner=joel, needs_sign_off=True, anchor=(at + 5 * DAY).date(), **zone, **usual
        )
        services.complete(standing(signed), by=joel.user, at=at - DAY)
        make_draft(task="Vulnerability assessment of the quarter", owner=joel, manager=maren[1], at=at)
        amara.active = False
        amara.save()
    return late, history, signed


def test_no_page_has_anything_that_axe_finds(page, live_server, sign_in, maren, plans, assert_no_axe_violations):
    late, history, _ = plans
    sign_in(page, maren[0])
    first = standing(late).get_absolute_url()
    for path in (
        "/maintenance/", "/maintenance/plans/", "/maintenance/plans/new/", history.get_absolute_url(), first,
        f"{first}complete/", f"{history.get_absolute_url()}edit/", f"{history.get_absolute_url()}retire/",
        "/maintenance/?whose=mine&when=7", "/maintenance/calendar/", "/maintenance/plans/import/",
    ):  # fmt: skip
        page.goto(live_server.url + path)
        assert_no_axe_violations(page)


def test_a_managers_monday(page, live_server, sign_in, maren, plans):
    """Overdue is seen first; what is done is signed; the plans of somebody who left go to somebody else."""
    late, _, signed = plans
    sign_in(page, maren[0])
    page.goto(f"{live_server.url}/maintenance/")
    page.get_by_role("link", name="Overdue").first.click()
    page.get_by_text("has left").first.wait_for()
    page.get_by_label(f"Tick {late.task}").check()
    page.get_by_role("button", name="Hand over what is ticked").click()
    page.get_by_label("New owner").select_option(label="Joel Brandt")
    page.get_by_label("Reason").fill("Amara has left.")
    page.get_by_role("button", name="Hand over").click()
    page.get_by_text("1 plan handed over to Joel Brandt.").wait_for()
    page.get_by_role("link", name="Not signed off").click()
    page.get_by_role("link", name=signed.task).click()
    page.get_by_role("link", name="Sign off").click()
    page.get_by_role("button", name="Sign off").click()
    page.get_by_text("It is signed off.").wait_for()
    assert Plan.objects.get(pk=late.pk).owner.name == "Joel Brandt"
    assert Occurrence.objects.get(plan=signed, number=1).state == State.COMPLETED
