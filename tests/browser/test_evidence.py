"""Evidence in Chromium: from the room to the custody report, and every page in every look."""

import pytest

from portal.records.evidence.models import Evidence
from tests.factories.evidence import make_evidence, make_holder
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SVG = {"name": "map.svg", "mimeType": "image/png", "buffer": b"<svg onload='alert(1)'/>"}


def test_from_the_room_to_the_report_in_every_look(
    page, live_server, sign_in, settings, tmp_path, assert_no_axe_violations
):
    settings.DATA_FOLDER = tmp_path
    amara, bola, incident = make_holder("amara"), make_holder("bola"), make_incident()
    sign_in(page, amara)
    page.goto(f"{live_server.url}{incident.get_absolute_url()}")
    page.get_by_role("link", name="Add evidence").click()
    assert_no_axe_violations(page)
    page.get_by_label("Where it comes from").fill("gateway-eu-2")
    page.get_by_label("File", exact=True).set_input_files(SVG)
    page.get_by_role("button", name="Keep as evidence").click()
    page.get_by_text("It holds script").wait_for()
    assert_no_axe_violations(page)
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Hand over", exact=True).click()
    assert_no_axe_violations(page)
    page.get_by_role("combobox", name="To whom").select_option(label=str(bola))
    page.get_by_role("textbox", name="Why").fill("For the lab")
    page.get_by_role("button", name="Hand over", exact=True).click()
    page.get_by_text("to confirm the receipt").wait_for()
    page.get_by_role("link", name="Custody report").click()
    page.get_by_text("as a custody report").wait_for()
    assert_no_axe_violations(page)
    make_evidence(name="x" * 255, subject=incident, by=amara)
    page.goto(f"{live_server.url}/evidence/")
    assert_no_axe_violations(page)
    assert Evidence.objects.count() == 2
