"""The record pages: how a record stands, the button to ask, the bulk action, and the rules of who decides."""

from datetime import timedelta

import pytest
from django.contrib import messages as levels
from django.contrib.messages import get_messages
from django.urls import reverse

from portal.approvals.models import ApprovalRequest, ApprovalRule, Decision, RuleStage
from portal.lib import clock
from tests.factories.approvals import decide, make_objective, make_person, make_request, open_stage
from tests.factories.directory import make_severity
from tests.factories.incidents import make_policy

pytestmark = pytest.mark.django_db
REQUESTS = reverse("admin:approvals_approvalrequest_changelist")


@pytest.fixture
def now():
    return clock.now() - timedelta(hours=1)


def text(response):
    return response.content.decode()


def chosen(*requests, **fields):
    return {"action": "approve_selected", "_selected_action": [one.pk for one in requests], **fields}


def bound(*requests):
    digests = {f"digest-{one.pk}": one.digest for one in requests}
    return digests | {f"stage-{one.pk}": open_stage(one).pk for one in requests} | {"approve": "1"}


def test_a_record_says_how_it_stands_and_offers_to_ask(hannah, arjun, kwame, objective, enter, now):
    client, address = enter(kwame), reverse("admin:directory_recoveryobjective_change", args=[objective.pk])
    ask = reverse("approvals:ask", args=["objective", objective.pk])
    page = text(client.get(address))
    assert "Not approved" in page
    assert ask in page
    request = make_request(by=kwame, subject=objective, at=now)
    page = text(client.get(address))
    assert "Approval asked" in page
    assert request.get_absolute_url() in page
    assert ask not in page
    decide(decide(request, hannah, at=now), arjun, at=now)
    assert "by Hannah Whitcombe, Arjun Mehta" in text(client.get(address))
    objective.refresh_from_db()
    objective.rto_minutes = 90
    objective.save()
    page = text(client.get(address))
    assert "Changed since approval" in page
    assert ask in page


@pytest.mark.parametrize("kind", ["severity", "policy"])
def test_every_kind_of_record_can_be_asked_for(kind, hannah, kwame, enter):
    make_person("Leila Nasser", "security-lead")
    obj = make_severity(2) if kind == "severity" else make_policy(steps=[hannah.contact])
    name = "directory_severity" if kind == "severity" else "incidents_escalationpolicy"
    page = text(enter(kwame).get(reverse(f"admin:{name}_change", args=[obj.pk])))
    assert "Ask for approval" in page


def test_whoever_only_reads_is_not_offered_to_ask(objective, enter):
    page = text(enter(make_person("Amara", "responder")).get(
        reverse("admin:directory_recoveryobjective_change", args=[objective.pk])
    ))  # fmt: skip
    assert "Not approved" in page
    assert "Ask for approval" not in page


def test_a_record_that_is_not_approved_here_says_nothing_of_it(kwame, enter):
    page = text(enter(kwame).get(reverse("admin:directory_contact_change", args=[kwame.contact.pk])))
    assert "Not approved" not in page


def test_the_record_page_of_a_request_leads_to_its_verbs(hannah, arjun, kwame, enter, now):
    request = make_request(by=kwame, at=now)
    address = reverse("admin:approvals_approvalrequest_change", args=[request.pk])
    page = text(enter(hannah).get(address))
    assert "Read and decide" in page
    assert request.shown in page
    own = text(enter(kwame).get(address))
    assert "Withdraw request" in own
    assert "Read and decide" not in own


def test_several_are_read_word_for_word_and_then_approved(hannah, arjun, kwame, enter, now):
    some = [make_request(by=kwame, at=now) for _ in range(3)]
    client = enter(hannah)
    page = text(client.post(REQUESTS, chosen(*some)))
    for one in some:
        assert f'name="digest-{one.pk}" value="{one.digest}"' in page
        assert one.facts[1].value in page
    assert not Decision.objects.exists()
    response = client.post(REQUESTS, chosen(*some, **bound(*some), reason="All rehearsed"))
    assert response.status_code == 302
    assert sorted(Decision.objects.values_list("request__reference", "reason")) == [
        (one.reference, "All rehearsed") for one in some
    ]


def test_each_row_is_judged_by_itself(hannah, arjun, kwame, enter, now):
    ines = make_person("Ines", "manager")
    fine, own = make_request(by=kwame, at=now), make_request(by=hannah, at=now)
    done = decide(make_request(by=kwame, at=now), ines, "deny", at=now, reason="No")
    client = enter(hannah)
    page = text(client.post(REQUESTS, chosen(fine, own, done)))
    assert page.count("Left out.") == 2
    response = client.post(REQUESTS, chosen(fine, own, done, **bound(fine, own)))
    said = {str(message): message.level for message in get_messages(response.wsgi_request)}
    assert said == {
        f"{fine.reference}: Your approval is recorded.": levels.SUCCESS,
        f"{own.reference}: You asked for this approval yourself. Somebody else decides.": levels.ERROR,
        f"{done.reference}: It was denied. Nothing is left to decide; it can be asked for again.": levels.ERROR,
    }
    assert Decision.objects.filter(decider_id=hannah.pk).count() == 1


def test_many_are_refused_at_once(hannah, arjun, kwame, enter, now):
    for _ in range(21):
        make_request(by=kwame, at=now)
    response = enter(hannah).post(REQUESTS, chosen(*ApprovalRequest.objects.all()))
    assert "Choose at most 20 requests" in str(next(iter(get_messages(response.wsgi_request))))
    assert not Decision.objects.exists()


def rule_form(rule, *stages, reason="The board asks for it", **fields):
    kept = list(rule.stages.order_by("position"))
    data = {
        "kind": rule.kind, "decide_within_hours": 48, "change_reason": reason,
        "stages-TOTAL_FORMS": len(stages), "stages-INITIAL_FORMS": len(kept),
        "stages-MIN_NUM_FORMS": 0, "stages-MAX_NUM_FORMS": 1000, **fields,
    }  # fmt: skip
    for number, (position, name, role, needed) in enumerate(stages):
        row = {"position": position, "name": name, "role": role, "needed": needed, "rule": rule.pk}
        row["id"] = kept[number].pk if number < len(kept) else ""
        data |= {f"stages-{number}-{key}": value for key, value in row.items()}
    return data


def test_an_administrator_changes_who_decides_after_confirming(kwame, enter):
    rule = ApprovalRule.objects.get(kind="objective")
    address = reverse("admin:approvals_approvalrule_change", args=[rule.pk])
    stages = [
        (1, "Management", "Manager", 2),
        (2, "Change authority", "Change approver", 1),
        (3, "Security", "Security lead", 1),
    ]
    response = enter(kwame, confirmed=False).post(address, rule_form(rule, *stages))
    assert response.url.startswith("/confirm/")
    assert RuleStage.objects.filter(rule=rule).count() == 2
    assert enter(kwame).post(address, rule_form(rule, *stages)).status_code == 302
    assert list(rule.stages.values_list("name", "needed")) == [
        ("Management", 2),
        ("Change authority", 1),
        ("Security", 1),
    ]
    row = RuleStage.history.filter(name="Security", history_type="+").first()
    assert (row.history_change_reason, row.actor_name) == ("The board asks for it", "Kwame Mensah")


def test_two_stages_in_one_place_are_refused(kwame, enter):
    rule = ApprovalRule.objects.get(kind="objective")
    stages = [(1, "Management", "Manager", 1), (1, "Change authority", "Change approver", 1)]
    address = reverse("admin:approvals_approvalrule_change", args=[rule.pk])
    response = enter(kwame).post(address, rule_form(rule, *stages))
    assert response.status_code == 200
    assert list(rule.stages.values_list("position", flat=True)) == [1, 2]


def test_a_manager_does_not_change_who_decides(hannah, enter):
    rule = ApprovalRule.objects.get(kind="objective")
    address = reverse("admin:approvals_approvalrule_change", args=[rule.pk])
    assert enter(hannah).post(address, rule_form(rule)).status_code == 403


def test_an_objective_edited_with_its_system_voids_its_approval(hannah, arjun, kwame, enter, now):
    objective = make_objective()
    request = make_request(by=kwame, subject=objective, at=now)
    objective.rpo_minutes = 30
    objective.save()
    page = text(enter(hannah).get(request.get_absolute_url()))
    assert "RPO: 15 min &gt; 30 min" in page
