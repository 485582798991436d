"""The page of retention and removed words in Chromium: in every look, and for whoever only reads."""

import pytest

from portal.audit import anchors, retention
from portal.audit.actor import acting
from portal.audit.models import Tombstone
from portal.audit.sealing import seal
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.retention import ask, make_tombstone

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def administrator():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["administrator"])


@pytest.fixture
def removed(administrator):
    """Somebody whose words were removed, beside a request and holds."""
    with acting(by="test", at=NOON):
        one, other = make_contact("Giovanna Verdi"), make_contact("Henrik Voss")
    seal(at=NOON)
    make_tombstone(one, administrator, parts=True)
    ask(other, administrator)
    retention.ask(positions=[1, 2, 3], by=administrator, at=clock.now(), reason="Article 17, file 2026-121")
    hold = retention.place(title="Case 7", model="directory.team", by=administrator, at=NOON, reason="Dispute")
    retention.lift(hold, by=administrator, at=NOON, reason="Over")
    retention.place(title="Case 8", model="directory.team", by=administrator, at=NOON, reason="Dispute")
    anchors.anchor(at=NOON)
    return one


def test_every_page_is_accessible_in_every_look(
    page, live_server, sign_in, administrator, removed, assert_no_axe_violations
):
    sign_in(page, administrator)
    for path in (
        "/audit/retention/",
        f"/audit/directory.contact/{removed.pk}/",
        "/admin/audit/legalhold/",
        "/admin/audit/legalhold/add/",
        "/admin/audit/tombstonerequest/",
        "/admin/audit/anchordelivery/",
    ):
        page.goto(f"{live_server.url}{path}")
        assert_no_axe_violations(page)


def test_from_a_story_to_its_tombstone_and_back_to_the_row(page, live_server, sign_in, administrator, removed):
    sign_in(page, administrator)
    page.goto(f"{live_server.url}/audit/directory.contact/{removed.pk}/")
    number = Tombstone.objects.get().pk
    page.get_by_role("link", name=f"tombstone {number}").first.click()
    page.wait_for_url(f"**/audit/retention/#tombstone-{number}")
    page.locator(f"#tombstone-{number}").get_by_role("link").first.click()
    page.get_by_text("The words were removed on").wait_for()
