"""Recovery exercises and action items in Chromium: every look, a board that is worked, a proof on two sheets."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from maintenance.exercises import services
from maintenance.exercises.services.planning import StepWords
from maintenance.models import Exercise
from portal.actions.models import ActionItem
from portal.audit.actor import acting
from portal.lib import clock
from tests.factories.actions import make_item
from tests.factories.directory import make_contact, make_severity, make_system
from tests.factories.exercises import WHY, make_exercise, make_recovery_plan, promise, work
from tests.factories.maintenance import make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def at():
    return clock.now().replace(microsecond=0)


@pytest.fixture
def maren():
    return make_member("Maren Holt", "manager")


@pytest.fixture
def exercises(maren, at):
    """One that ended with its findings, one that is due, of a plan with an owner of a step who has left."""
    with acting(by="system: test", reason=WHY, at=at):
        joel, amara = make_contact("Joel Brandt"), make_contact("Amara Okafor")
        system = make_system("ticket-db", name="Ticket database")
        steps = [
            StepWords("Fetch the newest base backup and the log since then from the store", 10, amara),
            StepWords("Load the base backup into a clean machine", 25, joel),
            StepWords("Replay the log up to the last complete segment", 10, joel),
            StepWords("Count tickets, look at the newest, run the checks of the schema", 10, joel),
            StepWords("Build a new standby and wipe the machine that was lost", 45, joel, recovers=False),
        ]
        begins = at - 20 * DAY
        plan = make_recovery_plan(
            title="Ticket database from its backups", system=system, owner=joel, manager=maren[1], steps=steps,
            at=begins - DAY, summary="When the system is gone and cannot be repaired within an hour.",
        )  # fmt: skip
        promise(system, rto=60, rpo=5)
        ended = make_exercise(plan, at=begins, lead=joel, started=True)
        ends = work(ended, 1, 2, 3, 4, 5, took=13 * MINUTE, at=begins)
        services.end(
            ended, by=joel, at=ends + MINUTE, newest_data_at=begins - 11 * MINUTE,
            summary="The database came back. A third of the time went into the key of the backup store.",
        )  # fmt: skip
        make_item(source=ended, owner=joel, title="Put the key where the plan says", at=ends + MINUTE)
        make_item(source=ended, owner=amara, title="Ship the log every minute", kind="preventive", at=at)
        due = make_exercise(plan, at=at - DAY, lead=joel, scheduled_for=at - MINUTE)
        amara.active = False
        amara.save()
    return plan, ended, due


def test_no_page_has_anything_that_axe_finds(page, live_server, sign_in, maren, exercises, assert_no_axe_violations):
    plan, ended, due = exercises
    sign_in(page, maren[0])
    item = ActionItem.objects.first()
    for path in (
        "/recovery/plans/", "/recovery/plans/new/", plan.get_absolute_url(), f"{plan.get_absolute_url()}edit/",
        f"{plan.get_absolute_url()}schedule/", "/recovery/exercises/", ended.get_absolute_url(),
        f"{ended.get_absolute_url()}proof/", due.get_absolute_url(), f"{due.get_absolute_url()}call-off/",
        "/actions/?whose=all", "/actions/new/", item.get_absolute_url(), f"{item.get_absolute_url()}move/",
    ):  # fmt: skip
        page.goto(live_server.url + path)
        assert_no_axe_violations(page)


def test_an_exercise_is_worked_on_its_board(page, live_server, sign_in, maren, exercises, assert_no_axe_violations):
    """Started, a step timed, another skipped with a reason, a finding owed by somebody: all from one page."""
    due = exercises[2]
    sign_in(page, maren[0])
    page.goto(live_server.url + due.get_absolute_url())
    page.get_by_role("link", name="Start it").click()
    page.get_by_role("button", name="Start it").click()
    page.get_by_text("Running for").wait_for()
    page.get_by_role("button", name="Start step 1").click()
    page.get_by_text("under way for").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Done step 1").click()
    page.get_by_text("done by Maren Holt").or_(page.get_by_text("took")).first.wait_for()
    page.get_by_role("link", name="Skip step 2").click()
    page.get_by_label("Reason").fill("It stood there already.")
    page.get_by_role("button", name="Skip").click()
    page.get_by_text("skipped by Maren Holt: It stood there already.").wait_for()
    page.get_by_role("link", name="Open one").click()
    page.get_by_label("What is to be done").fill("Write down where the key lies")
    page.get_by_label("Owner").select_option(label="Joel Brandt")
    page.get_by_label("Due on").fill((clock.now() + 9 * DAY).date().isoformat())
    page.get_by_role("button", name="Open it").click()
    page.get_by_text("is opened for Joel Brandt").wait_for()
    assert ActionItem.objects.get(title="Write down where the key lies").source == Exercise.objects.get(pk=due.pk)


def test_a_drill_begins_with_an_incident_and_leads_to_it(
    page, live_server, sign_in, maren, exercises, assert_no_axe_violations
):
    make_severity(2)
    with acting(by="system: test", reason=WHY, at=clock.now()):
        drill = make_exercise(exercises[0], kind="drill", at=clock.now(), lead=maren[1])
    sign_in(page, maren[0])
    page.goto(f"{live_server.url}{drill.get_absolute_url()}start/")
    assert_no_axe_violations(page)
    page.get_by_label("Play an incident with it").select_option(label="SEV-2 High")
    page.get_by_role("button", name="Start it").click()
    page.get_by_text("runs with it").wait_for()
    assert_no_axe_violations(page)
    page.locator(".banner--drill").get_by_role("link").click()
    assert "This is a drill." in page.inner_text("main")
    assert drill.reference in page.inner_text("main")


def test_a_full_exercise_prints_as_a_proof_on_two_sheets(page, live_server, sign_in, maren, exercises):
    ended = exercises[1]
    sign_in(page, maren[0])
    page.goto(f"{live_server.url}{ended.get_absolute_url()}proof/")
    page.get_by_text("What stands in Watchbook now gives the same.").wait_for()
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
