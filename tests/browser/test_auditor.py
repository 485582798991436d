"""An auditor's walk in Chromium, from the sign-in to the proof that is taken home: no button there changes anything."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.accounts.services import grant, withdraw
from portal.assurance.exporting import sweeps
from portal.audit import sealing
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.directory import make_contact
from tests.factories.exports import ask
from tests.factories.factors import code_of, give_app
from tests.factories.incidents import make_incident
from tests.factories.verified import make_verification

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
# What an auditor may post: the way out, asking for an export, and proving who is there.
HARMLESS = re.compile(r"/sign-out/|/confirm/|/audit/exports/new/\w+/(\?.*)?")


@pytest.fixture
def siobhan():
    """An auditor with an authenticator app and an inbox, whose engagement opens everything."""
    auditor = make_user("siobhan", first_name="Siobhan", last_name="Kearney", roles=["auditor"])
    make_contact("Siobhan Kearney", user=auditor)
    return auditor


@pytest.fixture
def past():
    """Amara changed the commander of an incident; Oscar could lead security meanwhile, and cannot any more."""
    now, mei = clock.now(), make_contact("Mei Tanaka")
    amara, leila = (make_user(name, first_name=name.title(), roles=["administrator"]) for name in ("amara", "leila"))

    def act(by, days, reason):
        at = now - timedelta(days=days)
        return acting(by=by, at=at, reason=reason, origin="web", address="192.0.2.17", anew=True)

    with act(amara, 3, "A customer called"):
        incident = make_incident(title="Mail is not turned into tickets", at=now - timedelta(days=3))
    with act(amara, 2, "More customers are concerned than we thought"):
        incident.title = "Mail is not turned into tickets anywhere"
        incident.commander = mei
        incident.save()
    oscar = make_user("oscar", first_name="Oscar", last_name="Brandt")
    with act(leila, 4, "Covers my leave"):
        grant(oscar, "security-lead", by=leila, at=now - timedelta(days=4), reason="Covers my leave")
    with act(leila, 1, "Leave is over"):
        withdraw(oscar, "security-lead", by=leila, at=now - timedelta(days=1), reason="Leave is over")
    sealing.seal(at=now)
    make_verification(now)
    return incident


def changes_nothing(page):
    """Whether no form of the page sends anything but what is harmless, and no part of it does so by itself."""
    posting = "form => new URL(form.action, location).href.replace(location.origin, '')"
    sent = page.locator("form[method=post]").evaluate_all(f"forms => forms.map({posting})")
    assert [action for action in sent if not HARMLESS.fullmatch(action)] == []
    assert page.locator("[hx-post], [hx-put], [hx-patch], [hx-delete]").count() == 0
    return True


def test_an_auditor_walks_from_the_sign_in_to_the_proof(page, live_server, siobhan, past, settings):
    settings.SECOND_FACTOR = "required"
    secret = give_app(siobhan)
    page.goto(f"{live_server.url}/sign-in/?next=/audit/")
    page.get_by_label("User name").fill("siobhan")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code from your authenticator app").fill(code_of(secret))
    page.get_by_role("button", name="Sign in").click()

    page.get_by_text("Chain verified").wait_for()
    assert changes_nothing(page)
    page.get_by_role("link", name="Amara", exact=True).click()
    page.get_by_text("More customers are concerned").click()
    page.get_by_role("link", name="commander").click()
    page.get_by_role("link", name="7 days").click()
    page.wait_for_url("**/audit/?period=7d&model=incidents.incident&field=commander")
    assert page.locator("details.gesture").count() == 1
    page.locator("details.gesture > summary").click()
    page.get_by_role("cell", name="added Mei Tanaka").wait_for()
    assert changes_nothing(page)

    page.locator("details.gesture").get_by_role("link", name=past.reference, exact=True).first.click()
    page.get_by_role("heading", name=f"The life of {past.reference}").wait_for()
    assert changes_nothing(page)
    page.get_by_role("link", name="As of a moment").click()
    page.get_by_text("Mail is not turned into tickets anywhere").wait_for()
    earlier = timezone.localtime(clock.now() - timedelta(days=2, hours=12))
    page.get_by_label("As of").fill(earlier.strftime("%Y-%m-%dT%H:%M:%S"))
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_text("Mail is not turned into tickets", exact=True).wait_for()
    assert changes_nothing(page)

    page.goto(f"{live_server.url}/audit/roles/?at={earlier:%Y-%m-%dT%H:%M:%S}&role=Security+lead")
    page.get_by_role("row", name="Security lead Oscar Brandt").get_by_text("“Covers my leave”").wait_for()
    assert changes_nothing(page)

    page.goto(f"{live_server.url}/audit/?q=customers")
    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_label("CSV").check()
    page.get_by_label("Why you take this out").fill("Sample for the yearly audit")
    page.get_by_role("button", name="Ask for the export").click()
    page.get_by_text("It waits for its turn").wait_for()
    sweeps.make_exports(now=clock.now)
    page.get_by_role("link", name="Fetch the file").click()
    page.get_by_label("Code from your authenticator app").fill(code_of(secret, ahead=1))
    with page.expect_download() as download:
        page.get_by_role("button", name="Confirm").click()
    assert "More customers are concerned" in download.value.path().read_text(encoding="utf-8-sig")
    left = TrailRow.objects.filter(action=Action.EXPORTED).latest("id")
    assert left.actor_name == "Siobhan Kearney"
    page.goto(f"{live_server.url}/inbox/")
    page.get_by_text("is ready").first.wait_for()


def test_the_pages_of_exports_are_accessible_in_every_look(
    page, live_server, sign_in, siobhan, past, assert_no_axe_violations
):
    sign_in(page, siobhan)
    page.goto(f"{live_server.url}/audit/exports/")
    page.get_by_text("No exports yet").wait_for()
    assert_no_axe_violations(page)
    done, waits = ask(by=siobhan), ask(by=siobhan, reason="Another one")
    sweeps.make_exports(now=clock.now, most=1)
    paths = ["", f"{done.pk}/", f"{waits.pk}/", "new/trail/?what=privileged", "new/packet/"]
    for path in paths:
        page.goto(f"{live_server.url}/audit/exports/{path}")
        assert_no_axe_violations(page)
