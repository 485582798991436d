"""The pages of changes in Chromium: every look, and one normal change with two stages from its draft to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from changes import services
from changes.enums import Outcome, Status
from changes.models import Change, ChangeTemplate, Freeze, Module
from changes.services import Plan
from portal.lib import clock
from tests.factories.accounts import PASSWORD
from tests.factories.approvals import make_person
from tests.factories.changes import HOUR, approve_template, deciders, make_assessed, make_scheduled, verify
from tests.factories.directory import make_system
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def at():
    return clock.now()


@pytest.fixture
def database():
    return make_system("ticket-db", name="Ticket database", rto=15)


@pytest.fixture
def jonas():
    return make_person("Jonas Lindqvist", "responder")


@pytest.fixture
def amara():
    return make_person("Amara Okafor", "responder")


@pytest.fixture
def ruth():
    deciders()
    return make_person("Ruth Bergqvist", "change-approver")


@pytest.fixture
def henrik(ruth):
    return make_person("Henrik Voss", "manager")


@pytest.fixture
def assessed(jonas, amara, ruth, database, at):
    tomorrow = at + timedelta(days=1)
    given = {"systems": [database], "modules": Module.objects.all()[:4], "impact": 4, "likelihood": 4}
    change = make_assessed(
        by=jonas, implementer=amara, at=at - HOUR, planned_start=tomorrow, planned_end=tomorrow + HOUR, **given
    )
    services.revise(change, Plan({"test_plan": "Look twice.", "rollback_minutes": 30}), by=jonas, at=at - HOUR / 2)
    return services.assess(change, impact=4, likelihood=4, by=ruth, at=at - HOUR / 3)


@pytest.fixture
def closed(jonas, amara, database, at):
    begun = at - timedelta(hours=3)
    change = make_scheduled(
        by=jonas, implementer=amara, systems=[database], at=begun - HOUR, planned_start=begun, planned_end=begun + HOUR
    )
    change = services.start(change, by=amara, at=begun)
    change = services.roll_back(change, by=amara, at=begun + HOUR / 4, reason="Errors rose")
    change = verify(change, by=amara, at=begun + HOUR / 2)
    incident = make_incident(severity=3, systems=[database], at=begun + HOUR / 4)
    services.relate(change, incident, kind="caused", by=amara, at=at)
    return services.close(change, outcome=Outcome.ROLLED_BACK, review="It was too slow.", by=jonas, at=begun + HOUR)


def test_the_pages_have_no_axe_violation_in_any_look(
    page, live_server, sign_in, henrik, assessed, closed, at, assert_no_axe_violations
):
    Freeze.objects.create(name="Month end", domain="finance", starts=at, ends=at + timedelta(days=2))
    make_incident(severity=1, systems=[make_system("mail", name="Mail")], at=at)
    sign_in(page, henrik)
    room, past = assessed.get_absolute_url(), closed.get_absolute_url()
    addresses = [
        "/changes/", "/changes/?view=closed", "/changes/?q=unheard", room, past, f"{past}record/", f"{room}matrix/",
        f"{room}matrix/module_1/", f"{room}matrix/module_1/access-review/", f"{room}carry-over/", f"{room}assess/",
        f"{room}gate/", f"{room}link/", f"{room}edit/", "/changes/draft/", "/changes/calendar/",
        "/changes/calendar/?view=week", "/changes/calendar/?view=list", "/changes/report/", "/changes/templates/",
        "/changes/templates/security-patch/",
    ]  # fmt: skip
    for address in addresses:
        page.goto(f"{live_server.url}{address}")
        assert_no_axe_violations(page)


def test_a_draft_that_was_refused_has_no_axe_violation(page, live_server, sign_in, jonas, assert_no_axe_violations):
    sign_in(page, jonas)
    page.goto(f"{live_server.url}/changes/draft/")
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_text("Say in a few words what is changed.").wait_for()
    assert_no_axe_violations(page)


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def press(page, name):
    """Open a verb by its link, and carry it out."""
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("button", name=name, exact=True).click()


def draft(page, live_server, begins):
    """Write the change down and submit it."""
    page.goto(f"{live_server.url}/changes/draft/?system=ticket-db")
    page.get_by_label("What is changed").fill("Upgrade the ticket database")
    page.get_by_label("Why it is needed").fill("Version 15 leaves support.")
    page.get_by_label("Planned start").fill(local(begins))
    page.get_by_label("Planned end").fill(local(begins + HOUR))
    page.get_by_label("Carried out by").select_option(label="Amara Okafor")
    page.get_by_label("Steps of the implementation").fill("Drain the queue (5 min)\nUpgrade db-1 (20 min)")
    page.get_by_label("Test plan").fill("Smoke suite")
    page.get_by_label("Steps of the rollback").fill("Promote db-2 (10 min)")
    page.get_by_label("Rollback in minutes").fill("10")
    page.get_by_label("Point of no return").fill("None")
    page.get_by_label("Module 1", exact=True).check()
    page.get_by_role("button", name="Keep as a draft").click()
    press(page, "Submit")


def assess(page):
    """Find its risk high, so that two stages decide."""
    page.get_by_role("link", name="Assess risk").click()
    page.get_by_label("Everybody, or data").check()
    page.get_by_label("New to us").check()
    page.get_by_role("button", name="Assess risk").click()
    page.get_by_text("therefore 2 stages").wait_for()


def approve(page):
    """Approve what the page shows, and prove who is there."""
    page.get_by_label("Reason").fill("Rehearsed twice")
    page.get_by_role("button", name="Approve this content").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Send it now").click()
    page.get_by_text("Your approval is recorded.").wait_for()


def answer_the_checklist(page, address):
    """Tick the row, and answer the question."""
    page.goto(f"{address}matrix/")
    page.get_by_role("button", name="Tick all of Module 1").click()
    page.get_by_text("1 of 5 cells open").wait_for()
    page.get_by_role("link", name="Needed?").click()
    page.get_by_label("No, because").check()
    page.get_by_label("Why it is not needed").fill("No role changes")
    page.get_by_role("button", name="Answer").click()
    page.get_by_text("All 5 cells answered").wait_for()


def report_the_gates(page, address):
    """Report each prerequisite with its commit."""
    page.goto(address)
    for gate in ("Code review complete", "Tests passing", "Security scan clean"):
        page.get_by_role("link", name=f"Report {gate}").click()
        page.get_by_label("Commit").fill("5d1e0a4")
        page.get_by_role("button", name="Report a gate").click()
        page.get_by_text("The gate is reported.").wait_for()


def work(page, address, name, *, steps):
    """Tick the first steps of one of its runs."""
    page.goto(address)
    page.get_by_role("link", name=name, exact=True).click()
    for number in range(1, steps + 1):
        page.get_by_role("button", name=f"Tick step {number}", exact=True).click()
        page.locator(f"#step-{number}.step--done").wait_for()


def close(page):
    """Close it as successful."""
    page.get_by_role("link", name="Close", exact=True).first.click()
    page.get_by_label("Successful", exact=True).check()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_text("It is closed. The record stays.").wait_for()


def test_a_normal_change_with_two_stages_walks_from_draft_to_closed(
    page, live_server, sign_in, jonas, amara, ruth, henrik, database, at
):
    sign_in(page, jonas)
    draft(page, live_server, at + timedelta(minutes=5))
    change = Change.objects.get()
    address = f"{live_server.url}{change.get_absolute_url()}"
    sign_in(page, ruth)
    page.goto(address)
    assess(page)
    for person in (henrik, ruth):
        sign_in(page, person)
        page.goto(address)
        approve(page)
    sign_in(page, jonas)
    answer_the_checklist(page, address)
    report_the_gates(page, address)
    press(page, "Schedule")
    page.get_by_text("It is in the schedule.").wait_for()
    sign_in(page, amara)
    page.goto(address)
    press(page, "Start")
    page.get_by_text("It is in progress.").wait_for()
    press(page, "Verify")
    page.get_by_text("2 steps of the implementation").wait_for()
    work(page, address, "Implementation", steps=2)
    page.goto(address)
    press(page, "Verify")
    page.get_by_text("It is being verified.").wait_for()
    sign_in(page, jonas)
    work(page, address, "Validation", steps=1)
    page.goto(address)
    close(page)
    change.refresh_from_db()
    assert (change.status, change.outcome) == (Status.CLOSED, Outcome.SUCCESSFUL)
    page.goto(f"{address}record/")
    page.get_by_text("Who carries it out decided nothing: yes").wait_for()
    page.get_by_text("Upgrade db-1 (20 min)").first.wait_for()


def test_an_emergency_starts_at_once_and_is_approved_and_reviewed_afterwards(
    page, live_server, sign_in, jonas, amara, ruth, database, at
):
    sign_in(page, jonas)
    page.goto(f"{live_server.url}/changes/draft/?system=ticket-db&type=emergency")
    page.get_by_label("What is changed").fill("Block the forged sender")
    page.get_by_label("Why it is needed").fill("Forged mail reaches customers.")
    page.get_by_label("Carried out by").select_option(label="Amara Okafor")
    page.get_by_label("Steps of the implementation").fill("Refuse the sender (5 min)")
    page.get_by_label("Test plan").fill("A forged mail is refused.")
    page.get_by_label("Steps of the rollback").fill("Take the rule out (2 min)")
    page.get_by_label("Rollback in minutes").fill("2")
    page.get_by_label("Point of no return").fill("None")
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_role("link", name="Start as an emergency").click()
    page.get_by_label("On the authority of").select_option(label="Ruth Bergqvist")
    page.get_by_label("Reason").fill("Customers pay forged invoices now.")
    page.get_by_role("button", name="Start as an emergency").click()
    page.get_by_text("Its approval and its review fall due.").wait_for()
    change = Change.objects.get()
    address = f"{live_server.url}{change.get_absolute_url()}"
    sign_in(page, amara)
    work(page, address, "Implementation", steps=1)
    page.goto(address)
    press(page, "Verify")
    page.get_by_text("It is being verified.").wait_for()
    work(page, address, "Validation", steps=1)
    sign_in(page, ruth)
    page.goto(address)
    approve(page)
    sign_in(page, jonas)
    page.goto(address)
    page.get_by_role("link", name="Close", exact=True).first.click()
    page.get_by_label("Successful", exact=True).check()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_text("Write the post-implementation review first").wait_for()
    page.get_by_label("Post-implementation review").fill("The relay took any sender. It does no longer.")
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_text("It is closed. The record stays.").wait_for()
    page.goto(f"{address}record/")
    page.get_by_text("it was started on the authority of Ruth Bergqvist, and approved afterwards").wait_for()
    change.refresh_from_db()
    assert (change.status, change.approved_by) == (Status.CLOSED, "Ruth Bergqvist")


def test_a_change_is_rolled_back_by_its_own_steps_and_how_long_that_took_is_kept(
    page, live_server, sign_in, jonas, amara, ruth, database, at
):
    steps = {"implementation": [("Move db-1", 20), ("Move db-2", 20)], "rollback": [("Move db-1 back", 10)]}
    change = make_scheduled(
        by=jonas, implementer=amara, systems=[database], at=at - HOUR, planned_start=at, planned_end=at + HOUR,
        steps=steps, rollback_minutes=10,
    )  # fmt: skip
    address = f"{live_server.url}{change.get_absolute_url()}"
    sign_in(page, amara)
    page.goto(address)
    press(page, "Start")
    page.get_by_text("It is in progress.").wait_for()
    work(page, address, "Implementation", steps=1)
    page.goto(address)
    page.get_by_role("link", name="Roll back", exact=True).first.click()
    page.get_by_label("Reason").fill("Errors rise")
    page.get_by_role("button", name="Roll back", exact=True).click()
    page.get_by_text("It is being rolled back").first.wait_for()
    work(page, address, "Rollback", steps=1)
    page.goto(address)
    page.get_by_role("link", name="Rollback done").first.click()
    page.get_by_role("button", name="Verify", exact=True).click()
    page.get_by_text("It is being verified.").wait_for()
    page.get_by_text("shorter than estimated").wait_for()
    sign_in(page, jonas)
    page.goto(address)
    page.get_by_role("link", name="Close", exact=True).first.click()
    page.get_by_label("Post-implementation review").fill("It was too slow under load.")
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_text("It is closed. The record stays.").wait_for()
    change.refresh_from_db()
    assert (change.status, change.outcome) == (Status.CLOSED, Outcome.ROLLED_BACK)
    assert change.rollback_ended_at is not None


def test_a_cell_is_ticked_in_place(page, live_server, sign_in, jonas, assessed):
    sign_in(page, jonas)
    page.goto(f"{live_server.url}{assessed.get_absolute_url()}matrix/")
    page.get_by_role("button", name="Tick Database migrations Module 2").click()
    page.get_by_text("19 of 20 cells open").wait_for()
    assert page.get_by_role("button", name="Tick Database migrations Module 2").count() == 0
    assert page.get_by_role("link", name="Done Database migrations Module 2").count() == 1


def test_the_checklist_is_ticked_by_keyboard_alone(page, live_server, sign_in, jonas, assessed):
    sign_in(page, jonas)
    page.goto(f"{live_server.url}{assessed.get_absolute_url()}matrix/")
    page.get_by_role("button", name="Tick Module validated Module 1").focus()
    page.keyboard.press("Enter")
    page.get_by_text("19 of 20 cells open").wait_for()
    page.keyboard.press("Enter")  # the focus went on to the next cell that waits
    page.get_by_text("18 of 20 cells open").wait_for()
    assert page.get_by_role("link", name="Done Database migrations Module 1").count() == 1
    page.get_by_role("button", name="Tick all of Module 1").focus()
    page.keyboard.press("Enter")
    page.get_by_text("16 of 20 cells open").wait_for()
    page.keyboard.press("Enter")  # and from row to row
    page.get_by_text("12 of 20 cells open").wait_for()
    assert page.get_by_role("button", name="Tick all of Module 1").count() == 0


def test_a_template_is_used_without_script(browser, live_server, sign_in, jonas, database, at):
    approve_template(ChangeTemplate.objects.get(slug="security-patch"))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, jonas)
    page.goto(f"{live_server.url}/changes/templates/security-patch/")
    page.get_by_role("link", name="Draft a change").click()
    page.get_by_label("Ticket database").check()
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_role("heading", name="Apply a security patch").wait_for()
    context.close()
