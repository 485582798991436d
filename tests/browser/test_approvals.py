"""Approvals in Chromium: every page in every look, and one decision from the list to the stage behind it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from portal.approvals import services
from portal.approvals.models import ApprovalRequest, Decision
from portal.lib import clock
from tests.factories.accounts import PASSWORD
from tests.factories.approvals import decide, make_objective, make_person, make_request

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def company():
    """People of every stage, and requests in several states."""
    now = clock.now() - timedelta(hours=3)
    names = {"kwame": ("Kwame Mensah", "administrator"), "hannah": ("Hannah Whitcombe", "manager")}
    people = {key: make_person(*who) for key, who in names.items()}
    people["arjun"] = make_person("Arjun Mehta", "change-approver")
    kwame, hannah, arjun = people.values()
    made = {
        "pending": make_request(by=kwame, at=now),
        "second": decide(make_request(by=kwame, at=now, implementer=make_person("Amara Okafor")), hannah, at=now),
        "denied": decide(make_request(by=kwame, at=now), hannah, "deny", at=now, reason="Too short.\nAsk again."),
        "approved": decide(decide(make_request(by=kwame, at=now), hannah, at=now), arjun, at=now),
    }
    objective = make_objective()
    made["voided"] = make_request(by=kwame, subject=objective, at=now)
    objective.rto_minutes = 600
    objective.save()
    services.notice(made["voided"], at=now)
    return {**people, **made, "objective": objective}


def test_every_page_is_accessible_in_every_look(page, live_server, sign_in, company, assert_no_axe_violations):
    paths = {
        "hannah": [
            "/approvals/",
            "/approvals/?state=denied",
            company["pending"].get_absolute_url(),
            "/",
            "/readiness/",
        ],
        "kwame": [
            "/approvals/",
            *(company[name].get_absolute_url() for name in ("second", "denied", "voided", "approved")),
            reverse("approvals:withdraw", args=[company["pending"].reference]),
            reverse("approvals:implementer", args=[company["pending"].reference]),
            reverse("approvals:ask", args=["objective", company["objective"].pk]),
            reverse("admin:directory_recoveryobjective_change", args=[company["objective"].pk]),
            reverse("admin:approvals_approvalrequest_changelist"),
            reverse("admin:approvals_approvalrequest_change", args=[company["pending"].pk]),
        ],
    }
    for who, some in paths.items():
        sign_in(page, company[who])
        for path in some:
            page.goto(f"{live_server.url}{path}")
            for summary in page.locator("details.why > summary").all():
                summary.click()
            assert_no_axe_violations(page)


def press_at(page, wanted, *keys):
    """Move on with Tab until `wanted` has the focus, then press the keys: nothing here is reached by a mouse."""
    wanted.wait_for()
    for _ in range(90):
        if wanted.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail(f"Tab never comes to {wanted}")
    for key in keys:
        page.keyboard.press(key)


def test_one_decision_from_the_list_to_the_next_stage_by_keyboard_alone(page, live_server, sign_in, company):
    sign_in(page, company["hannah"])
    request = company["pending"]
    page.goto(f"{live_server.url}/approvals/")
    waiting = page.get_by_role("region", name="Waiting for you")
    press_at(page, waiting.get_by_role("link", name=request.title), "Enter")
    press_at(page, page.get_by_label("Reason"))
    page.keyboard.type("Rehearsed in May")
    press_at(page, page.get_by_role("button", name="Approve these words"), "Enter")
    press_at(page, page.get_by_label("Your password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    press_at(page, page.get_by_role("button", name="Send it now"), "Enter")
    page.get_by_text("Your approval is recorded.").wait_for()
    page.get_by_text("Arjun Mehta, until").wait_for()
    made = Decision.objects.get(request=request)
    assert (made.decided_by, made.reason, made.digest) == ("Hannah Whitcombe", "Rehearsed in May", request.digest)


def test_a_denial_without_a_reason_says_what_to_do(page, live_server, sign_in, company):
    sign_in(page, company["hannah"])
    page.goto(f"{live_server.url}{company['pending'].get_absolute_url()}")
    page.get_by_role("button", name="Deny").click()
    if page.get_by_label("Your password").is_visible():
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.get_by_role("button", name="Send it now").click()
    page.get_by_text("Say in a sentence why you deny it.").wait_for()
    assert ApprovalRequest.objects.get(pk=company["pending"].pk).state == "pending"


def test_the_chosen_are_read_before_they_are_approved(page, live_server, sign_in, company, assert_no_axe_violations):
    sign_in(page, company["hannah"])
    page.goto(f"{live_server.url}{reverse('admin:approvals_approvalrequest_changelist')}")
    for name in ("pending", "denied"):
        page.get_by_role("row", name=company[name].reference).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option("approve_selected")
    page.get_by_role("button", name="Run on selected").click()
    page.get_by_text("It was denied. Nothing is left to decide").wait_for()
    assert_no_axe_violations(page)
