"""Reviews and engagements in Chromium: every page in every look, and an access review up to its signature."""

from datetime import timedelta

import pytest

from portal.accounts.models import User
from portal.accounts.roles import has_role
from portal.accounts.services import grant
from portal.assurance.services import deciding
from portal.assurance.services.holdings import Scope
from portal.lib import clock
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.reviews import change, item_about, make_access_review, make_review

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)
REVIEWS = "/audit/reviews/"


@pytest.fixture
def people():
    """Who reviews, who is reviewed, and who grants."""
    names = {
        "hannah": ("Hannah", "Whitcombe", ["manager"]),
        "kwame": ("Kwame", "Mensah", ["administrator"]),
        "siobhan": ("Siobhan", "Kearney", ["auditor"]),
    }
    return {key: make_user(key, first_name=one, last_name=two, roles=some) for key, (one, two, some) in names.items()}


@pytest.fixture
def access(people):
    """A review of who holds the role Responder, opened a day ago: three people, one of whom left the team."""
    now = clock.now()
    for name in ("oscar", "mei", "yusuf"):
        user = make_user(name, first_name=name.title(), last_name="Brandt")
        grant(user, "responder", by=people["kwame"], at=now - 30 * DAY, reason="Joined the first line")
    return make_access_review(Scope(roles=("Responder",)), at=now - DAY, due_at=now + 9 * DAY)


@pytest.fixture
def changes(people):
    """A review of what Kwame and a command changed, with one question open."""
    now = clock.now()
    change(people["kwame"], at=now - 3 * DAY, times=2)
    change("command: import by root@ops-1", at=now - 3 * DAY)
    review = make_review(period_from=now - 4 * DAY, period_until=now - 2 * DAY, due_at=now - DAY / 2, at=now - DAY)
    item = item_about(review, people["kwame"])
    deciding.question(review, item, words="Which ticket was this for?", by=people["hannah"], at=now - DAY / 2)
    return review


def test_every_page_is_accessible_in_every_look(
    page, live_server, sign_in, people, access, changes, assert_no_axe_violations
):
    room, held = changes.get_absolute_url(), access.get_absolute_url()
    asked = item_about(changes, people["kwame"]).number
    engagement = people["siobhan"].engagements.get().get_absolute_url()
    paths = {
        "hannah": [
            REVIEWS,
            f"{REVIEWS}start/access/",
            f"{REVIEWS}start/changes/",
            f"{room}?view=all",
            held,
            f"{held}items/1/revoke/",
            f"{room}result/?check=1",
        ],
        "kwame": [REVIEWS, f"{room}items/{asked}/answer/", f"{room}items/{asked}/", "/audit/engagements/", engagement],
        "siobhan": ["/audit/engagements/"],
    }
    for who, some in paths.items():
        sign_in(page, people[who])
        for path in some:
            page.goto(f"{live_server.url}{path}")
            for summary in page.locator("details.why > summary").all():
                summary.click()
            assert_no_axe_violations(page)
    sign_in(page, people["kwame"])
    page.goto(f"{live_server.url}/audit/engagements/grant/")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Grant an engagement").wait_for()
    for path in ("/audit/engagements/grant/", f"{engagement}end/"):
        page.goto(f"{live_server.url}{path}")
        assert_no_axe_violations(page)


def test_a_manager_walks_an_access_review_to_its_signature(
    page, live_server, sign_in, people, access, assert_no_axe_violations
):
    oscar = User.objects.get(username="oscar")
    number = item_about(access, oscar).number
    sign_in(page, people["hannah"])
    page.goto(f"{live_server.url}/")
    page.get_by_role("link", name="Reviews").first.click()
    page.get_by_role("link", name=access.title).click()
    page.get_by_text("0 of 3 decided").wait_for()
    page.get_by_role("link", name=f"Revoke item {number}").click()
    page.get_by_label("Why it is revoked").fill("He moved to support in May")
    page.get_by_role("button", name="Revoke").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Send it now").click()
    page.get_by_text("It is revoked.").wait_for()
    assert not has_role(User.objects.get(username="oscar"), "responder")
    page.get_by_role("button", name="Attest the rest of this page").click()
    page.get_by_text("Everything is decided. Sign it off.").wait_for()
    page.get_by_role("link", name="Sign off").click()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Sign off for good").click()
    page.get_by_text("Evidence: row").wait_for()
    page.get_by_role("link", name="Check against the trail").click()
    page.get_by_text("The trail still says what this review was made of.").wait_for()
    page.goto(f"{live_server.url}{access.get_absolute_url()}")
    page.get_by_text("Signed by Hannah Whitcombe").wait_for()
    assert page.get_by_role("button", name="Attest").count() == 0
