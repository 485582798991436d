"""The verbs of a change as forms: each does one thing once, and says why it does not."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from changes import services
from changes.acts import ACTS
from changes.enums import Status, StepKind
from changes.models import Change, Freeze, FreezeOverride, Gate, GateReport
from portal.approvals import services as approvals
from portal.approvals.models import ApprovalRequest, Decision
from portal.lib import clock
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.changes import (
    HOUR,
    deciders,
    fill_matrix,
    make_approved,
    make_assessed,
    make_change,
    make_emergency,
    make_scheduled,
    pass_gates,
    request_of,
    settle,
)
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def sent(**more):
    return {"once": str(uuid.uuid4()), **more}


def fresh(change):
    return Change.objects.get(pk=change.pk)


def text_of(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def assessed(jonas, amara, slot, at):
    return make_assessed(by=jonas, implementer=amara, at=at, impact=4, likelihood=4, **slot)


@pytest.mark.parametrize("verb", sorted(ACTS))
def test_every_verb_has_a_form(as_user, jonas, amara, slot, at, verb):
    change = make_change(by=jonas, implementer=amara, at=at, **slot)
    page = as_user(jonas).get(f"{change.get_absolute_url()}{verb}/")
    assert page.status_code == 200
    assert ACTS[verb].about in page.content.decode() or "&#x27;" in page.content.decode()


def test_who_may_only_read_acts_not(as_user, jonas, slot, at):
    change = make_change(by=jonas, at=at, **slot)
    auditor = as_user(make_person("Al", "auditor"))
    assert auditor.post(f"{change.get_absolute_url()}note/", sent(text="x")).status_code in {403, 404}
    assert as_user(make_user("nobody")).get(f"{change.get_absolute_url()}note/").status_code == 404


def test_a_verb_that_does_not_exist_is_not_found(as_user, jonas, slot, at):
    change = make_change(by=jonas, at=at, **slot)
    assert as_user(jonas).get(f"{change.get_absolute_url()}explode/").status_code == 404


def test_a_change_is_submitted_by_its_requester_once(as_user, jonas, amara, slot, at):
    change = make_change(by=jonas, implementer=amara, at=at, **slot)
    refused = as_user(amara).post(f"{change.get_absolute_url()}submit/", sent())
    assert refused.status_code == 403
    assert "Only Jonas Lindqvist, who requests it, submits it." in text_of(refused)
    form = sent()
    for _ in range(2):
        assert as_user(jonas).post(f"{change.get_absolute_url()}submit/", form).status_code == 302
    assert fresh(change).status == Status.SUBMITTED
    assert records.timeline(change).filter(kind="submitted").count() == 1


def test_what_a_change_lacks_is_named_where_it_is_submitted(as_user, jonas, at):
    change = make_change(by=jonas, steps={}, test_plan="", at=at, planned_start=None, planned_end=None)
    refused = as_user(jonas).post(f"{change.get_absolute_url()}submit/", sent())
    assert refused.status_code == 422
    assert "Say when it is to start and to end." in text_of(refused)


def test_assessing_asks_those_whom_the_risk_chooses(as_user, jonas, amara, ruth, slot, at):
    change = services.submit(make_change(by=jonas, implementer=amara, at=at, **slot), by=jonas, at=at)
    page = as_user(ruth).post(f"{change.get_absolute_url()}assess/", sent(impact="4", likelihood="4"))
    assert page.status_code == 302
    assert (fresh(change).risk_level, request_of(change).stages.count()) == ("high", 2)


def test_the_change_is_decided_on_its_own_page(as_user, assessed, ruth, at):
    henrik = make_person("Henrik Voss", "manager")
    page = as_user(henrik).get(assessed.get_absolute_url())
    assert "You decide stage 1, Management." in text_of(page)
    form = page.context["form"]
    words = sent(stage=form["stage"].value(), digest=form["digest"].value(), verdict="approve", reason="")
    assert as_user(henrik).post(f"{assessed.get_absolute_url()}decide/", words).status_code == 302
    assert Decision.objects.count() == 1
    page = as_user(ruth).get(assessed.get_absolute_url())
    form = page.context["form"]
    words = sent(stage=form["stage"].value(), digest=form["digest"].value(), verdict="approve", reason="")
    assert as_user(ruth).post(f"{assessed.get_absolute_url()}decide/", words).status_code == 302
    assert fresh(assessed).status == Status.APPROVED


def decision(client, change, verdict="approve", **more):
    form = client.get(change.get_absolute_url()).context["form"]
    words = sent(stage=form["stage"].value(), digest=form["digest"].value(), verdict=verdict, reason="", **more)
    return client.post(f"{change.get_absolute_url()}decide/", words)


def test_neither_requester_nor_implementer_decides(as_user, slot, at):
    deciders()
    requester, implementer = make_person("Mia A", "manager", is_superuser=True), make_person("Noa B", "manager")
    change = make_assessed(by=requester, implementer=implementer, at=at, impact=4, likelihood=4, **slot)
    for person, sentence in ((requester, "You asked for this approval yourself"), (implementer, "You carry this out")):
        refused = decision(as_user(person), change)
        assert refused.status_code == 422
        assert sentence in text_of(refused)
    assert not Decision.objects.exists()


def test_whoever_decides_at_no_stage_is_refused(as_user, assessed):
    refused = decision(as_user(make_person("Al", "responder")), assessed)
    assert refused.status_code == 403
    assert not Decision.objects.exists()


def test_a_decision_asks_who_is_there_first(as_user, assessed):
    answer = decision(as_user(make_person("Henrik Voss", "manager"), confirmed=False), assessed)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/confirm/")
    assert not Decision.objects.exists()


def test_what_moved_must_have_been_read(as_user, assessed, jonas, at):
    services.revise(assessed, services.Plan({"test_plan": "Twice."}), by=jonas, at=at)
    assessor = make_person("Ines Halloran", "responder")
    services.assess(fresh(assessed), impact=4, likelihood=4, by=assessor, at=at)
    manager = make_person("Henrik Voss", "manager")
    refused = decision(as_user(manager), assessed)
    assert refused.status_code == 422
    assert "Read what changed since it was submitted" in text_of(refused)
    assert decision(as_user(manager), assessed, seen="on").status_code == 302


def test_a_rejection_says_why(as_user, assessed):
    manager = as_user(make_person("Henrik Voss", "manager"))
    refused = decision(manager, assessed, "reject")
    assert "why you reject it" in text_of(refused)
    form = manager.get(assessed.get_absolute_url()).context["form"]
    words = sent(stage=form["stage"].value(), digest=form["digest"].value(), verdict="reject", reason="Too soon")
    assert manager.post(f"{assessed.get_absolute_url()}decide/", words).status_code == 302
    shown = text_of(manager.get(assessed.get_absolute_url()))
    assert fresh(assessed).status == Status.REJECTED
    assert "Rejected by Henrik Voss" in shown


def test_a_decision_on_what_has_moved_is_refused(as_user, assessed, jonas, at):
    manager = as_user(make_person("Henrik Voss", "manager"))
    form = manager.get(assessed.get_absolute_url()).context["form"]
    words = sent(stage=form["stage"].value(), digest=form["digest"].value(), verdict="approve", reason="")
    services.revise(assessed, services.Plan({"test_plan": "Twice."}), by=jonas, at=at)
    refused = manager.post(f"{assessed.get_absolute_url()}decide/", words)
    assert refused.status_code == 422
    assert not Decision.objects.exists()


def test_scheduling_says_what_stops_it_and_the_authority_lets_it_through(as_user, jonas, amara, ruth, slot, at):
    change = make_approved(by=jonas, implementer=amara, at=at, **slot)
    freeze = Freeze.objects.create(name="Quarter end", domain="sales", starts=at, ends=at + timedelta(days=3))
    refused = as_user(jonas).post(f"{change.get_absolute_url()}schedule/", sent())
    assert refused.status_code == 422
    assert "Quarter end" in text_of(refused)
    assert "Let it through" in text_of(as_user(ruth).get(change.get_absolute_url()))
    words = sent(freeze=freeze.pk, reason="The vendor ends support")
    assert as_user(jonas).post(f"{change.get_absolute_url()}override/", words).status_code == 403
    assert as_user(ruth).post(f"{change.get_absolute_url()}override/", words).status_code == 302
    assert FreezeOverride.objects.count() == 1
    assert as_user(jonas).post(f"{change.get_absolute_url()}schedule/", sent()).status_code == 302


def test_a_gate_is_reported_with_what_shows_it(as_user, jonas, slot, at):
    change, gate = make_change(by=jonas, at=at, **slot), Gate.objects.get(slug="tests")
    address = f"{change.get_absolute_url()}gate/"
    refused = as_user(jonas).post(address, sent(gate=gate.pk, result="passed"))
    assert "Name what shows it" in text_of(refused)
    assert as_user(jonas).post(address, sent(gate=gate.pk, result="passed", commit="5d1e0a4")).status_code == 302
    assert GateReport.objects.get().commit == "5d1e0a4"
    portal = Gate.objects.get(slug="approval")
    assert as_user(jonas).post(address, sent(gate=portal.pk, result="passed", note="Yes")).status_code == 422


def test_a_change_is_carried_out_by_its_implementer_and_closed(as_user, jonas, amara, at):
    begun = at - timedelta(minutes=5)
    change = make_scheduled(by=jonas, implementer=amara, at=begun - HOUR, planned_start=begun, planned_end=begun + HOUR)
    assert as_user(jonas).post(f"{change.get_absolute_url()}start/", sent()).status_code == 403
    assert as_user(amara).post(f"{change.get_absolute_url()}start/", sent()).status_code == 302
    assert as_user(amara).post(f"{change.get_absolute_url()}rollback/", sent(reason="")).status_code == 422
    assert as_user(amara).post(f"{change.get_absolute_url()}rollback/", sent(reason="Errors")).status_code == 302
    assert "It is being rolled back" in text_of(as_user(amara).get(change.get_absolute_url()))
    early = as_user(amara).post(f"{change.get_absolute_url()}verify/", sent())
    assert "A step of the rollback" in text_of(early)
    settle(change, StepKind.ROLLBACK, at=at)
    assert as_user(amara).post(f"{change.get_absolute_url()}verify/", sent()).status_code == 302
    refused = as_user(jonas).post(f"{change.get_absolute_url()}close/", sent(outcome="rolled_back"))
    assert "Write the post-implementation review first" in text_of(refused)
    words = sent(outcome="rolled_back", review="The dump was too old.")
    assert as_user(jonas).post(f"{change.get_absolute_url()}close/", words).status_code == 302
    shown = text_of(as_user(jonas).get(change.get_absolute_url()))
    assert "Rolled back" in shown
    assert "The dump was too old." in shown


def test_an_emergency_starts_on_the_word_of_one_named_person(as_user, jonas, amara, ruth, at):
    change = make_emergency(by=jonas, implementer=amara, at=at, planned_start=None, planned_end=None)
    page = as_user(amara).get(change.get_absolute_url())
    assert "Start as an emergency" in text_of(page)
    words = sent(authority=ruth.pk, reason="It burns")
    assert as_user(amara).post(f"{change.get_absolute_url()}emergency/", words).status_code == 302
    assert "Started as an emergency" in text_of(as_user(ruth).get(change.get_absolute_url()))
    request = ApprovalRequest.objects.get(kind="change", subject_id=change.pk)
    approvals.withdraw(request, by=jonas, at=clock.now(), reason="Too early")
    offers = as_user(ruth).get(change.get_absolute_url()).context["page"].offers
    assert [offer.act.slug for offer in offers.beside] == ["rollback", "ask"]


def test_an_incident_is_linked_and_the_link_taken_back(as_user, jonas, slot, at):
    change, incident = make_change(by=jonas, at=at, **slot), make_incident(at=at)
    address = change.get_absolute_url()
    refused = as_user(jonas).post(f"{address}link/", sent(other="INC-999999", kind="fixes"))
    assert "No such record can be seen" in text_of(refused)
    assert as_user(jonas).post(f"{address}link/", sent(other=incident.reference, kind="fixes")).status_code == 302
    assert f'Fixes <span class="nowrap">{incident.reference}' in text_of(as_user(jonas).get(address))
    assert records.timeline(incident).filter(kind="link").exists()
    words = sent(other=incident.reference, kind="fixes", reason="It did not")
    assert as_user(jonas).post(f"{address}unlink/", words).status_code == 302
    assert records.links_of(change, user=jonas) == []


def test_a_start_that_is_refused_keeps_that_the_approval_was_lost(as_user, jonas, amara, at):
    begun = at - timedelta(minutes=5)
    change = make_approved(by=jonas, implementer=amara, at=begun - HOUR, planned_start=begun, planned_end=begun + HOUR)
    fill_matrix(change)
    pass_gates(change)
    change = services.schedule(change, by=jonas, at=begun - HOUR)
    step = change.steps.get(kind="rollback")
    step.text = "Hope"
    step.save()
    assert as_user(amara).post(f"{change.get_absolute_url()}start/", sent()).status_code == 422
    assert fresh(change).status == Status.ASSESSED
