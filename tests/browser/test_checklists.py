"""Checklists in Chromium: eighty steps on an incident, five teams side by side, and two who tick the same step."""

import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from portal.records import services as records
from portal.runbooks.checklists.enums import StepState, What
from portal.runbooks.models import Checklist, ChecklistRun, RunEvent, RunStep
from tests.factories.accounts import make_user
from tests.factories.checklists import TEAMS, make_worker, step_of
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NAMES = ("Amara Okafor", "Leila Nasser", "Tomasz Wieczorek", "Priya Raman", "Jonas Lindqvist")


@pytest.fixture
def people():
    found = {}
    for team, name in zip(TEAMS, NAMES, strict=True):
        first, last = name.split()
        found[team] = make_worker(first.lower(), team, first_name=first, last_name=last)
    return found


@pytest.fixture
def opened(browser, live_server, sign_in):
    """`opened(user, address)`: a page of their own browser, on which nothing fails."""
    contexts = []

    def opened(user, address):
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        sign_in(page, user)
        page.goto(f"{live_server.url}{address}")
        return page

    yield opened
    for context in contexts:
        context.close()


def to_the_second(moment):
    return datetime.fromisoformat(moment).astimezone(UTC).replace(microsecond=0)


def tick(page, position):
    page.get_by_role("button", name=f"Tick step {position}", exact=True).click()


def test_five_teams_work_eighty_steps_side_by_side_and_one_of_two_is_told(
    page, live_server, sign_in, people, opened, assert_no_axe_violations
):
    incident = make_incident(severity=4)
    sign_in(page, people["oncall"])
    page.goto(f"{live_server.url}{incident.get_absolute_url()}")
    page.get_by_role("link", name="Start a checklist").click()
    assert_no_axe_violations(page)
    page.get_by_label("Checklist", exact=True).select_option(label="Incident response")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("is started").wait_for()
    run = ChecklistRun.objects.get()
    assert run.steps.count() == 80

    pages = {team: opened(user, run.get_absolute_url()) for team, user in people.items()}
    for number, team in enumerate(TEAMS, start=1):  # the first two steps of each team, in turns
        for position in (number, number + 5):
            tick(pages[team], position)
            pages[team].locator(f"#step-{position}.step--done").wait_for()

    racers = {NAMES[TEAMS.index(team)]: pages[team] for team in ("security", "platform")}
    for racer in racers.values():  # neither page learns of the other by itself
        racer.route(re.compile("/live/"), lambda route: route.abort())
        racer.locator("#step-80 [data-tick]").wait_for()
    for racer in racers.values():  # the second presses before the first is answered
        racer.evaluate("document.querySelector('#step-80 [data-tick]').click()")
    for racer in racers.values():
        racer.locator("#step-80.step--done").wait_for()
    assert RunEvent.objects.filter(step=step_of(run, 80), what=What.TICKED).count() == 1
    winner = step_of(run, 80).settled_by
    (told,) = (racer for name, racer in racers.items() if name != winner)
    told.get_by_text(f"{winner} ticked step 80 already").wait_for()
    assert racers[winner].get_by_text("ticked step 80 already").count() == 0

    watcher = pages["ops"]  # whose page learns of the others by itself
    watcher.locator("#step-80.step--done").wait_for()
    watcher.get_by_text("11 of 80").first.wait_for()
    assert_no_axe_violations(watcher)
    watcher.goto(f"{live_server.url}{reverse('checklists:matrix', args=[run.reference])}")
    seen = watcher.locator("tbody time").evaluate_all("all => all.map(one => one.getAttribute('datetime'))")
    notes = records.timeline(incident).filter(kind="checklist").exclude(data__steps=[])
    assert sorted(seen) == sorted(note.event_at.isoformat() for note in notes)
    assert len(seen) == 11
    assert_no_axe_violations(watcher)
    watcher.goto(f"{live_server.url}{incident.get_absolute_url()}")
    watcher.get_by_text("11 of 80").wait_for()
    watcher.get_by_role("link", name="Checklists", exact=True).last.click()
    watcher.get_by_text("ticked step 80 of").wait_for()
    lines = watcher.locator(".timeline li", has_text="ticked step")
    told = lines.evaluate_all("all => all.map(one => one.querySelector('time').getAttribute('datetime'))")
    assert sorted(map(to_the_second, told)) == sorted(map(to_the_second, seen))
    assert_no_axe_violations(watcher)


def test_a_board_is_worked_by_keyboard_in_every_look(page, live_server, sign_in, people, assert_no_axe_violations):
    make_incident(severity=1)
    (run,) = ChecklistRun.objects.all()
    sign_in(page, people["ops"])
    page.goto(f"{live_server.url}{reverse('checklists:board')}")
    assert_no_axe_violations(page)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("input[name=steps]:checked").count() == 2
    page.keyboard.press("T")
    page.get_by_text("Ticked").wait_for()
    page.locator("tbody th > a").first.focus()
    page.keyboard.press("t")
    page.get_by_text("Ticked step").wait_for()
    assert RunStep.objects.filter(run=run, state=StepState.DONE).count() == 3


def test_the_pages_of_checklists_pass_in_every_look(page, live_server, sign_in, assert_no_axe_violations):
    make_incident(severity=1)
    (run,) = ChecklistRun.objects.all()
    sign_in(page, make_user("hannah", roles=["manager"]))
    incident_response = Checklist.objects.get(slug="incident-response")
    for address in (
        reverse("checklists:runs"),
        reverse("checklists:templates"),
        incident_response.get_absolute_url(),
        reverse("checklists:edit-template", args=[incident_response.slug]),
        reverse("checklists:step", args=[run.reference, 1]),
        reverse("checklists:act-on-step", args=[run.reference, 1, "hand-over"]),
        reverse("checklists:act-on-run", args=[run.reference, "end"]),
    ):
        page.goto(f"{live_server.url}{address}")
        assert_no_axe_violations(page)


def test_a_run_is_printed_with_its_steps(page, live_server, sign_in, people):
    make_incident(severity=1)
    (run,) = ChecklistRun.objects.all()
    sign_in(page, people["ops"])
    page.emulate_media(media="print")
    for address in (
        run.get_absolute_url(),
        reverse("checklists:board"),
        reverse("checklists:matrix", args=[run.reference]),
    ):
        page.goto(f"{live_server.url}{address}")
        assert page.get_by_text(step_of(run, 5).text).first.is_visible(), address


def test_a_log_is_attached_to_a_step(page, live_server, sign_in, people, tmp_path, settings, assert_no_axe_violations):
    settings.DATA_FOLDER = tmp_path
    make_incident(severity=1)
    (run,) = ChecklistRun.objects.all()
    log = tmp_path / "auth.log"
    log.write_text("Failed password for root")
    sign_in(page, people["ops"])
    page.goto(f"{live_server.url}{step_of(run, 5).get_absolute_url()}")
    page.get_by_role("link", name="Attach a file").click()
    assert_no_axe_violations(page)
    page.get_by_label("Where it comes from").fill("db-eu-1:/var/log/auth.log")
    page.get_by_label("File", exact=True).set_input_files(log)
    page.get_by_role("button", name="Attach a file").click()
    page.get_by_text("is kept and attached").wait_for()
    page.goto(f"{live_server.url}{reverse('checklists:matrix', args=[run.reference])}")
    page.get_by_text("auth.log, attached by Jonas Lindqvist").wait_for()
    assert_no_axe_violations(page)
