"""The pages: what waits, one request, asking, deciding, withdrawing, naming an implementer."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from portal.approvals import services
from portal.approvals.models import ApprovalRequest, Decision
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.approvals import REASON, decide, make_objective, make_person, make_request, open_stage, set_stages

pytestmark = pytest.mark.django_db
LIST = "/approvals/"


@pytest.fixture
def now():
    return clock.now() - timedelta(hours=1)


@pytest.fixture
def asked(hannah, arjun, kwame, objective, now):
    return make_request(by=kwame, subject=objective, at=now)


def text(response):
    return response.content.decode()


def section(response, name):
    """Return the part of a page under the heading of this id."""
    found = re.search(rf'aria-labelledby="{name}".*?</section>', text(response), re.DOTALL)
    return found.group() if found else ""


def form(request, **fields):
    return {
        "once": str(uuid.uuid4()), "stage": open_stage(request).pk, "digest": request.digest, "verdict": "approve",
        "reason": "", **fields,
    }  # fmt: skip


def test_the_list_shows_what_waits_for_the_reader_first(asked, enter, hannah, arjun, kwame):
    assert asked.reference in section(enter(hannah).get(LIST), "waiting")
    page = enter(arjun).get(LIST)
    assert asked.reference not in section(page, "waiting")
    assert "No request waits for you" in text(page)
    assert asked.reference in section(page, "all")
    own = enter(kwame).get(LIST)
    assert asked.reference not in section(own, "waiting")
    assert "Waits for stage 1, Management" in section(own, "mine")


def test_the_navigation_counts_what_waits(asked, enter, hannah, kwame):
    counted = re.compile(r'href="/approvals/".*?class="count count--amber"[^>]*>\s*1', re.DOTALL)
    assert counted.search(text(enter(hannah).get(LIST)))
    assert not counted.search(text(enter(kwame).get(LIST)))


def test_filters_are_links(asked, enter, kwame, hannah, now):
    services.withdraw(asked, by=kwame, at=now, reason="A mistake")
    client = enter(hannah)
    assert asked.reference in section(client.get(f"{LIST}?state=withdrawn&kind=objective"), "all")
    nothing = client.get(f"{LIST}?state=denied")
    assert "No request fits these filters" in text(nothing)
    assert 'href="/approvals/?state=expired"' in text(nothing)
    assert client.get(f"{LIST}?state=nonsense&kind=nonsense&page=x").status_code == 200


def test_an_empty_portal_says_what_to_do(enter, hannah):
    assert "Nobody has asked for an approval yet" in text(enter(hannah).get(LIST))


def test_a_reader_without_a_role_sees_nothing(asked, enter):
    client = enter(make_person("Nobody Atall"))
    assert asked.reference not in text(client.get(LIST))
    assert client.get(asked.get_absolute_url()).status_code == 404


def test_the_list_costs_the_same_however_long(enter, hannah, arjun, kwame, now, django_assert_max_num_queries):
    client = enter(hannah)
    for _ in range(2):
        make_request(by=kwame, at=now)
    client.get(LIST)
    with django_assert_max_num_queries(40) as few:
        client.get(LIST)
    for _ in range(6):
        make_request(by=kwame, at=now)
    with django_assert_max_num_queries(len(few)):
        client.get(LIST)


def test_a_request_is_shown_word_for_word(asked, enter, hannah, objective):
    page = text(enter(hannah).get(asked.get_absolute_url()))
    assert "<dt>RTO</dt>" in page
    assert asked.shown in page
    assert asked.digest in page
    assert f'name="digest" value="{asked.digest}"' in page
    assert REASON in page
    assert f"{objective.system} ({objective.system.pk})" in page


def test_the_page_says_who_decides_and_who_does_not(asked, enter, hannah, kwame):
    page = text(enter(hannah).get(asked.get_absolute_url()))
    assert "You, until" in page
    assert "Not Kwame Mensah, who asked for it." in page
    assert "Approve these words" in page
    own = text(enter(kwame).get(asked.get_absolute_url()))
    assert "You asked for this approval yourself. Somebody else decides." in own
    assert "Approve these words" not in own


def test_a_page_that_is_opened_finds_that_the_record_was_changed(asked, enter, hannah, objective):
    objective.rto_minutes = 120
    objective.save()
    client = enter(hannah)
    page = text(client.get(asked.get_absolute_url()))
    assert "Changed: RTO: 60 min (1 h) &gt; 120 min (2 h)." in page
    assert "Approve these words" not in page
    assert ApprovalRequest.objects.get().state == "pending"  # whoever only reads writes nothing
    refused = client.post(reverse("approvals:decide", args=[asked.reference]), form(asked))
    assert refused.status_code == 422
    assert ApprovalRequest.objects.get().state == "voided"


def test_whoever_may_change_the_record_asks_again_before_a_sweep_has_voided_the_request(asked, enter, kwame, objective):
    objective.rto_minutes = 120
    objective.save()
    client = enter(kwame)
    again = reverse("approvals:ask", args=["objective", objective.pk])
    assert again in text(client.get(asked.get_absolute_url()))
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', text(client.get(again)))[1]
    data = {"once": str(uuid.uuid4()), "digest": digest, "reason": REASON, "implementer": ""}
    assert client.post(again, data).status_code == 302
    assert set(ApprovalRequest.objects.values_list("state", flat=True)) == {"voided", "pending"}


def test_a_decision_is_recorded_with_where_it_came_from(asked, enter, hannah):
    response = enter(hannah).post(
        reverse("approvals:decide", args=[asked.reference]), form(asked, reason="Rehearsed"), REMOTE_ADDR="192.0.2.7"
    )
    assert response.url == asked.get_absolute_url()
    made = Decision.objects.get()
    assert (made.decided_by, made.reason, made.origin, made.address) == (
        "Hannah Whitcombe", "Rehearsed", "web", "192.0.2.7"
    )  # fmt: skip


def test_a_second_submit_of_one_form_changes_nothing(asked, enter, hannah):
    client, data = enter(hannah), form(asked)
    address = reverse("approvals:decide", args=[asked.reference])
    assert client.post(address, data).status_code == 302
    assert client.post(address, data).status_code == 302
    assert Decision.objects.count() == 1


def test_deciding_asks_who_is_there_and_keeps_what_was_written(asked, enter, hannah):
    client = enter(hannah, confirmed=False)
    page = text(client.get(asked.get_absolute_url()))
    assert "You will be asked to confirm that it is you." in page
    response = client.post(reverse("approvals:decide", args=[asked.reference]), form(asked, reason="Rehearsed"))
    assert response.url.startswith("/confirm/")
    assert not Decision.objects.exists()


def test_a_denial_without_a_reason_keeps_the_page(asked, enter, hannah):
    response = enter(hannah).post(reverse("approvals:decide", args=[asked.reference]), form(asked, verdict="deny"))
    assert response.status_code == 422
    assert "Say in a sentence why you deny it" in text(response)


@pytest.mark.parametrize(
    "broken", [{"digest": "x"}, {"stage": ""}, {"once": "x"}, {"verdict": "maybe"}, {"stage": 999}]
)
def test_a_form_that_was_tampered_with_is_refused(asked, enter, hannah, broken):
    response = enter(hannah).post(reverse("approvals:decide", args=[asked.reference]), form(asked, **broken))
    assert response.status_code == 422
    assert "Open the page again, read it, then decide." in text(response)
    assert not Decision.objects.exists()


def test_the_address_of_a_decision_leads_to_the_page(asked, enter, hannah):
    assert enter(hannah).get(reverse("approvals:decide", args=[asked.reference])).url == asked.get_absolute_url()


def test_an_end_is_told_with_its_reason(asked, enter, hannah, now):
    decide(asked, hannah, "deny", at=now, reason="Two hours are enough.")
    page = text(enter(hannah).get(asked.get_absolute_url()))
    assert "Denied by Hannah Whitcombe" in page
    assert "Two hours are enough." in page


def test_whoever_asked_withdraws_on_a_page(asked, enter, kwame, hannah):
    address = reverse("approvals:withdraw", args=[asked.reference])
    client = enter(kwame)
    assert client.get(address).status_code == 200
    assert client.post(address, {"once": str(uuid.uuid4()), "reason": " "}).status_code == 422
    assert client.post(address, {"once": str(uuid.uuid4()), "reason": "A mistake"}).status_code == 302
    assert ApprovalRequest.objects.get().outcome == "A mistake"
    refused = client.post(address, {"once": str(uuid.uuid4()), "reason": "x"})
    assert refused.status_code == 422
    assert "It was withdrawn." in text(refused)
    assert enter(hannah).get(address).status_code == 403


def test_another_implementer_is_named_on_a_page(asked, enter, kwame, hannah, now):
    decide(asked, hannah, at=now)
    jonas = make_person("Jonas Lindqvist")
    data = {"once": str(uuid.uuid4()), "implementer": jonas.pk, "reason": "Amara is ill"}
    client = enter(kwame)
    assert client.post(reverse("approvals:implementer", args=[asked.reference]), data).status_code == 302
    page = text(client.get(asked.get_absolute_url()))
    assert "Carried out by Jonas Lindqvist" in page
    assert "1 earlier decision, void since the implementer changed" in page


def test_asking_shows_what_will_be_shown_and_who_decides(hannah, arjun, kwame, objective, enter):
    client = enter(kwame)
    address = reverse("approvals:ask", args=["objective", objective.pk])
    page = client.get(address)
    assert "<dt>RTO</dt>" in text(page)
    assert "1 with the role Change approver" in text(page)
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', text(page))[1]
    data = {"once": str(uuid.uuid4()), "digest": digest, "reason": REASON, "implementer": ""}
    response = client.post(address, data)
    made = ApprovalRequest.objects.get()
    assert response.url == made.get_absolute_url()
    assert (made.requester_id, made.why, made.digest) == (kwame.pk, REASON, digest)
    assert client.post(address, data).status_code == 302
    assert ApprovalRequest.objects.count() == 1


def test_what_changed_while_it_was_read_is_not_asked_for(hannah, arjun, kwame, objective, enter):
    data = {"once": str(uuid.uuid4()), "digest": "0" * 64, "reason": REASON}
    response = enter(kwame).post(reverse("approvals:ask", args=["objective", objective.pk]), data)
    assert response.status_code == 422
    assert "The record was changed while you read it." in text(response)


def test_asking_without_stages_says_so(kwame, objective, enter):
    set_stages("objective")
    page = enter(kwame).get(reverse("approvals:ask", args=["objective", objective.pk]))
    assert "No stage decides on a recovery objective." in text(page)


def test_only_whoever_may_change_a_record_asks_for_its_approval(objective, enter):
    reader = enter(make_person("Amara Okafor", "responder"))
    assert reader.get(reverse("approvals:ask", args=["objective", objective.pk])).status_code == 403


@pytest.mark.parametrize("path", ["ask/nothing/1/", "ask/objective/999999/", f"ask/objective/{10**30}/", "APR-999999/"])
def test_what_is_not_there_is_not_found(path, kwame, enter):
    assert enter(kwame).get(f"{LIST}{path}").status_code == 404


def test_pages_need_a_sign_in(asked, client):
    for address in (LIST, asked.get_absolute_url()):
        assert client.get(address).url.startswith("/sign-in/")


def test_a_reference_is_read_in_any_case(asked, enter, hannah):
    assert enter(hannah).get(f"{LIST}{asked.reference.lower()}/").status_code == 200


def test_a_request_page_costs_the_same_however_much_was_decided(enter, kwame, now, django_assert_max_num_queries):
    managers = [make_person(f"Manager {number}", "manager") for number in range(8)]
    set_stages("objective", ("Management", "Manager", 7))
    request = make_request(by=kwame, subject=make_objective(), at=now)
    client = enter(managers[7])
    decide(request, managers[0], at=now)
    client.get(request.get_absolute_url())
    with django_assert_max_num_queries(60) as few:
        client.get(request.get_absolute_url())
    for manager in managers[1:5]:
        decide(request, manager, at=now)
    with django_assert_max_num_queries(len(few)):
        client.get(request.get_absolute_url())


def test_a_request_on_a_restricted_record_is_hidden_like_the_record(asked, enter, hannah, objective, monkeypatch):
    hidden = classmethod(lambda cls, user: [objective.pk] if user == hannah else None)
    monkeypatch.setattr(type(objective), "hidden_from", hidden, raising=False)
    assert list(ApprovalRequest.hidden_from(hannah)) == [asked.pk]
    assert not TrailRow.objects.visible_to(hannah).filter(root_model="approvals.approvalrequest").exists()
    client = enter(hannah)
    assert asked.reference not in text(client.get(LIST))
    assert client.get(asked.get_absolute_url()).status_code == 404
