"""The pages of runbooks in Chromium: axe finds nothing in any look, and a procedure is one tap away."""

import pytest
from django.urls import reverse

from portal.runbooks import services
from tests.factories.approvals import make_person
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident
from tests.factories.runbooks import OWNERS, TEXT, make_published, make_runbook, writer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk():
    runbook = make_published(system=make_system("desk", rto=60))
    services.begin(runbook, text=TEXT.replace("Start the queue", "Start it"), by=writer(), at=NOON)
    return runbook


def test_each_page_in_each_look(page, live_server, sign_in, desk, in_each_look, assert_no_axe_violations):
    make_runbook("Mail relay")
    sign_in(page, make_person("Rhea Reader", "responder"))
    for address in (
        reverse("runbooks:list"),
        desk.get_absolute_url(),
        reverse("runbooks:compare", args=[desk.reference]),
        reverse("runbooks:edit", args=[desk.reference]),
        reverse("runbooks:act", args=[desk.reference, "confirm"]),
    ):
        page.goto(f"{live_server.url}{address}")
        for _ in in_each_look(page):
            assert_no_axe_violations(page)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_configuration_and_what_is_held_back_in_each_look(
    page, live_server, sign_in, in_each_look, assert_no_axe_violations
):
    system = make_system("desk", name="Ticket desk")
    text = TEXT.replace("### Rotate", "### Shutdown Procedure\n\n1. Stop the web processes\n\n### Rotate")
    runbook = make_published(system=system, text=text)
    make_incident(severity=1, type="security", systems=[system])
    sign_in(page, make_person("Rhea Reader", "responder"))
    for address in (
        reverse("checklists:configuration"), reverse("checklists:configuration-of", args=["desk"]),
        runbook.get_absolute_url(),
    ):  # fmt: skip
        page.goto(f"{live_server.url}{address}")
        assert_no_axe_violations(page)
    assert page.get_by_text("Do not shut this system down").first.is_visible()
    assert page.get_by_text("held back", exact=True).is_visible()
    assert page.get_by_role("link", name="Export").count() == 0


def test_what_is_printed_is_all_there_and_says_when_and_which_version(page, live_server, sign_in):
    runbook = make_published(system=make_system("desk"))
    sign_in(page, make_person("Rhea Reader", "responder"))
    page.emulate_media(media="print")
    page.goto(f"{live_server.url}{runbook.get_absolute_url()}")
    for words in (
        "Start the web processes",
        "systemctl start desk",
        "Where the desk answers",
        "Look in the portal whether",
    ):
        assert page.get_by_text(words).is_visible(), words
    for words in ("Change facts", "Begin next version"):
        assert not page.get_by_text(words).is_visible(), words
    page.goto(f"{live_server.url}{reverse('checklists:configuration-of', args=['desk'])}")
    assert page.get_by_text("DESK_URL").is_visible()
    assert not page.get_by_role("button", name="Mark chosen as present").is_visible()


def test_on_a_phone_the_way_to_a_procedure_is_one_tap(page, live_server, sign_in, desk):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, make_person("Rhea Reader", "responder"))
    page.goto(f"{live_server.url}{desk.get_absolute_url()}")
    link = page.get_by_role("link", name="Rotate the signing key")
    assert link.bounding_box()["y"] < 844
    link.click()
    page.wait_for_timeout(200)
    assert page.get_by_role("heading", name="Rotate the signing key").bounding_box()["y"] < 400


def test_a_file_is_looked_at_and_kept(page, live_server, sign_in, assert_no_axe_violations):
    sign_in(page, make_person("Rhea Reader", "responder"))
    page.goto(f"{live_server.url}{reverse('runbooks:import')}")
    page.get_by_label("Markdown file").set_input_files(OWNERS / "runbook-template.md")
    page.get_by_role("button", name="Look at it first").click()
    page.get_by_text("Not saved yet").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_text("is kept as a draft").wait_for()
