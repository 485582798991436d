"""The verbs of a change: what each does, and the sentence with which it refuses."""

from datetime import timedelta

import pytest

from changes import services
from changes.enums import CellState, ChangeType, GateResult, Outcome, Status
from changes.models import Cell, Change, ChangeTemplate, Freeze, FreezeOverride, Gate, Module, ReleaseCheck
from changes.policy import NotYours, Refused
from changes.services import Plan
from changes.services.releasing import Answer
from portal.approvals.models import ApprovalRequest
from portal.deadlines.models import Deadline
from portal.records import services as records
from portal.records.models import Demand, Period
from tests.factories.approvals import make_person
from tests.factories.changes import (
    DAY,
    HOUR,
    TOMORROW,
    a_plan,
    approve_template,
    decide_all,
    deciders,
    fill_matrix,
    make_approved,
    make_assessed,
    make_change,
    make_emergency,
    make_scheduled,
    make_started,
    pass_gates,
    request_of,
    verify,
)
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def test_a_change_walks_from_draft_to_its_end():
    change = make_started(modules=Module.objects.all()[:2])
    assert change.status == Status.IN_PROGRESS
    change = verify(change, by=change.implementer, at=TOMORROW + HOUR / 2)
    change = services.close(change, outcome=Outcome.SUCCESSFUL, by=change.requester, at=TOMORROW + HOUR)
    assert (change.status, change.outcome) == (Status.CLOSED, Outcome.SUCCESSFUL)
    kinds = list(records.timeline(change).order_by("pk").values_list("kind", flat=True))
    wanted = ["drafted", "submitted", "assessed", "asked", "approved", "scheduled", "started", "verified", "closed"]
    assert [kind for kind in kinds if kind not in {"gate", "checklist"}] == wanted


def test_references_are_gapless():
    first, second = make_change(), make_change()
    assert int(second.reference.removeprefix("CHG-")) == int(first.reference.removeprefix("CHG-")) + 1


def test_what_a_change_lacks_is_named_all_at_once():
    change = make_change(steps={}, justification=" ", test_plan="", rollback_minutes=None)
    with pytest.raises(Refused) as refused:
        services.submit(change, by=change.requester, at=NOON)
    for words in ("why it is needed", "how it is tested", "steps of the rollback", "how many minutes"):
        assert words in str(refused.value)


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (TOMORROW, TOMORROW - HOUR, "end before it starts"),
        (TOMORROW, TOMORROW, "end before it starts"),
        (TOMORROW, None, "Say when it is to start and to end"),
        (TOMORROW, TOMORROW + 15 * DAY, "more than 14 days"),
    ],
)
def test_a_slot_that_cannot_be_is_refused(start, end, sentence):
    with pytest.raises(Refused, match=sentence):
        make_change(planned_start=start, planned_end=end)


def test_a_window_in_the_past_is_refused_when_it_is_handed_in():
    change = make_change(planned_start=NOON - HOUR, planned_end=NOON)
    with pytest.raises(Refused, match="has passed"):
        services.submit(change, by=change.requester, at=NOON)


def test_only_its_requester_hands_it_in():
    with pytest.raises(NotYours, match="who requests it"):
        services.submit(make_change(), by=make_person("Mei Tanaka", "change-approver"), at=NOON)


def test_the_risk_chooses_the_stages():
    low, high = make_assessed(impact=1, likelihood=1), make_assessed(impact=4, likelihood=4)
    assert [stage.name for stage in request_of(low).stages.all()] == ["Change authority"]
    assert [stage.name for stage in request_of(high).stages.all()] == ["Management", "Change authority"]
    assert (low.risk_level, high.risk_level) == ("low", "high")


def test_the_record_of_its_systems_adds_to_the_risk():
    system = make_system(rto=30)
    make_incident(severity=3, systems=[system])
    change = make_assessed(impact=1, likelihood=1, systems=[system])
    assert [part["name"] for part in change.risk_sum] == ["Impact x likelihood", "Open incidents", "Recovery objective"]
    assert change.risk_points == 1 + 3 + 2


def test_nobody_decides_on_their_own_change_a_superuser_included():
    requester = make_person("Jonas Lindqvist", "change-approver", is_superuser=True)
    change = make_assessed(by=requester)
    with pytest.raises(Refused, match="asked for this approval yourself"):
        services.approve(change, digest=request_of(change).digest, confirmed=True, by=requester, at=NOON)
    implementer = change.implementer
    with pytest.raises(Refused, match="carry this out yourself"):
        services.approve(change, digest=request_of(change).digest, confirmed=True, by=implementer, at=NOON)


def test_whoever_asks_in_their_name_does_not_make_the_requester_a_decider():
    change = make_assessed()
    request = request_of(change)
    assert request.requester_id == change.requester_id
    assert request.asked_by != request.requester_name


def test_it_is_not_decided_on_before_it_is_assessed():
    change = make_change()
    change = services.submit(change, by=change.requester, at=NOON)
    with pytest.raises(Refused, match="assessed its risk"):
        services.approve(change, digest="0" * 64, confirmed=True, by=make_person("R B", "change-approver"), at=NOON)
    with pytest.raises(Refused, match="assessed its risk"):
        services.ask(change, by=change.requester, at=NOON, reason="Please")


def test_a_rejection_ends_the_request_and_the_change_can_be_handed_in_again():
    change = make_assessed()
    somebody = make_person("Ruth Bergqvist", "change-approver")
    change = services.reject(
        change, digest=request_of(change).digest, confirmed=True, by=somebody, at=NOON, reason="Too soon"
    )
    assert (change.status, change.rejected_by) == (Status.REJECTED, str(somebody))
    change = services.revise(change, Plan({"justification": "Now it is time."}), by=change.requester, at=NOON)
    assert services.submit(change, by=change.requester, at=NOON).status == Status.SUBMITTED


def test_an_edit_voids_what_was_decided():
    change = make_approved()
    change = services.revise(change, Plan({"test_plan": "Look twice."}), by=change.requester, at=NOON)
    assert (change.status, change.version, change.approved_at) == (Status.SUBMITTED, 2, None)
    assert request_of(change).state == "voided"
    with pytest.raises(Refused, match="not assessed yet"):
        services.schedule(change, by=change.requester, at=NOON)


def test_an_edit_that_changes_nothing_voids_nothing():
    change = make_approved()
    assert services.revise(change, Plan({"test_plan": change.test_plan}), by=change.requester, at=NOON).version == 1
    assert Change.objects.get(pk=change.pk).status == Status.APPROVED


def test_an_approval_of_content_that_has_moved_is_refused():
    change = make_assessed()
    old = request_of(change).digest
    services.revise(change, Plan({"test_plan": "Look twice."}), by=change.requester, at=NOON)
    with pytest.raises(Refused):
        services.approve(change, digest=old, confirmed=True, by=make_person("R B", "change-approver"), at=NOON)


def test_a_step_that_is_edited_by_itself_is_noticed_before_it_starts():
    change = make_scheduled()
    step = change.steps.get(kind="rollback")
    step.text = "Hope"
    step.save()
    with pytest.raises(Refused, match="not approved as it stands"):
        services.start(change, by=change.implementer, at=TOMORROW)
    assert Change.objects.get(pk=change.pk).status != Status.IN_PROGRESS


def test_an_approval_that_is_withdrawn_takes_back_what_rested_on_it():
    from portal.approvals import services as approvals  # noqa: PLC0415

    change = make_scheduled()
    approvals.withdraw(request_of(change), by=change.requester, at=NOON, reason="Wait")
    assert services.follow(change, at=NOON).status == Status.ASSESSED
    assert not Period.objects.filter(kind="change", reference=change.reference).exists()


def test_open_cells_keep_it_from_the_schedule():
    change = make_approved(modules=Module.objects.all()[:1])
    with pytest.raises(Refused, match="5 cells are still open"):
        services.schedule(change, by=change.requester, at=NOON)
    fill_matrix(change)
    assert services.schedule(change, by=change.requester, at=NOON).status == Status.SCHEDULED


def test_a_cell_that_is_not_needed_says_why():
    change = make_approved(modules=Module.objects.all()[:1])
    check = ReleaseCheck.objects.get(slug="migrations")
    with pytest.raises(Refused, match="why it is not needed"):
        services.answer(
            change, Module.objects.all()[0], check, Answer(CellState.NOT_NEEDED), by=change.requester, at=NOON
        )
    with pytest.raises(Refused, match="not touched"):
        services.answer(change, Module.objects.all()[9], check, Answer(CellState.DONE), by=change.requester, at=NOON)


def test_what_was_not_needed_last_time_is_carried_over_when_somebody_asks():
    module = Module.objects.all()[0]
    first = make_approved(modules=[module])
    seed = ReleaseCheck.objects.get(slug="seed-data")
    said = Answer(CellState.NOT_NEEDED, because="It has no seeds")
    services.answer(first, module, seed, said, by=first.requester, at=NOON)
    fill_matrix(first)
    pass_gates(first)
    first = services.schedule(first, by=first.requester, at=NOON)
    first = services.start(first, by=first.implementer, at=TOMORROW)
    first = verify(first, by=first.implementer, at=TOMORROW + HOUR)
    services.close(first, outcome=Outcome.SUCCESSFUL, by=first.requester, at=TOMORROW + HOUR)
    second = make_approved(modules=[module], planned_start=NOON + 2 * DAY, planned_end=NOON + 2 * DAY + HOUR)
    assert Cell.objects.filter(change=second).exclude(state=CellState.OPEN).count() == 0
    carried = services.carry_over(second, [module], by=second.requester, at=NOON)
    said = {cell.check_of.slug: cell.because for cell in carried}
    assert said == {
        "seed-data": f"As in {first.reference}: It has no seeds",
        "access-review": f"As in {first.reference}: Nobody may do more",
    }


def test_a_needed_access_review_keeps_the_change_from_closing():
    module = Module.objects.all()[0]
    change = make_approved(modules=[module])
    review = ReleaseCheck.objects.get(slug="access-review")
    said = Answer(CellState.DONE, opens_review=True)
    services.answer(change, module, review, said, by=change.requester, at=NOON)
    fill_matrix(change)
    pass_gates(change)
    change = services.schedule(change, by=change.requester, at=NOON)
    change = services.start(change, by=change.implementer, at=TOMORROW)
    change = verify(change, by=change.implementer, at=TOMORROW + HOUR)
    with pytest.raises(Refused, match="access review of Module 1 is still open"):
        services.close(change, outcome=Outcome.SUCCESSFUL, by=change.requester, at=TOMORROW + HOUR)
    Demand.objects.update(answered_at=TOMORROW, answered_by="Ruth")
    assert services.close(change, outcome=Outcome.SUCCESSFUL, by=change.requester, at=TOMORROW + HOUR).outcome


def test_open_prerequisites_keep_it_from_starting():
    change = make_approved()
    change = services.schedule(change, by=change.requester, at=NOON)
    with pytest.raises(Refused, match="Code review complete, Tests passing, Security scan clean"):
        services.start(change, by=change.implementer, at=TOMORROW)


def test_the_newest_report_of_a_gate_counts():
    change = make_approved()
    pass_gates(change)
    tests = Gate.objects.get(slug="tests")
    services.report_gate(change, tests, result=GateResult.FAILED, commit="5d1e0a4", by=change.requester, at=NOON)
    change = services.schedule(change, by=change.requester, at=NOON)
    with pytest.raises(Refused, match="Not met yet: Tests passing"):
        services.start(change, by=change.implementer, at=TOMORROW)


def test_what_passed_for_one_commit_says_nothing_of_another():
    change = make_approved()
    pass_gates(change)
    change = services.schedule(change, by=change.requester, at=NOON)
    tests, scan = Gate.objects.get(slug="tests"), Gate.objects.get(slug="security-scan")
    services.report_gate(change, tests, result=GateResult.PASSED, commit="9abcdef", by=change.requester, at=NOON)
    with pytest.raises(Refused, match=r"Security scan clean \(it was for commit 5d1e0a4, the newest is 9abcdef\)"):
        services.start(change, by=change.implementer, at=TOMORROW)
    review = Gate.objects.get(slug="code-review")
    services.report_gate(change, review, result=GateResult.PASSED, note="Read by Ruth", by=change.requester, at=NOON)
    services.report_gate(change, scan, result=GateResult.PASSED, commit="9ABCDEF00", by=change.requester, at=NOON)
    assert services.start(change, by=change.implementer, at=TOMORROW).status == Status.IN_PROGRESS


def test_a_gate_is_not_ticked_twice_and_the_approval_never_by_hand():
    change = make_approved()
    pass_gates(change)
    tests, approval = Gate.objects.get(slug="tests"), Gate.objects.get(slug="approval")
    with pytest.raises(Refused, match="was reported so already"):
        services.report_gate(change, tests, result=GateResult.PASSED, commit="5d1e0a4", by=change.requester, at=NOON)
    with pytest.raises(Refused, match="portal alone"):
        services.report_gate(change, approval, result=GateResult.PASSED, note="Yes", by=change.requester, at=NOON)
    with pytest.raises(Refused, match="what shows it"):
        services.report_gate(change, tests, result=GateResult.PASSED, by=change.requester, at=NOON)


def test_it_starts_in_its_window_and_by_its_implementer():
    change = make_scheduled()
    with pytest.raises(NotYours, match="carries it out"):
        services.start(change, by=change.requester, at=TOMORROW)
    with pytest.raises(Refused, match="has not begun"):
        services.start(change, by=change.implementer, at=TOMORROW - HOUR)
    with pytest.raises(Refused, match="has passed"):
        services.start(change, by=change.implementer, at=TOMORROW + HOUR)


def test_its_approval_is_final_once_it_has_started():
    change = make_started()
    assert request_of(change).state == "final"
    with pytest.raises(Refused, match="stands as it is"):
        services.revise(change, Plan({"test_plan": "Other"}), by=change.requester, at=TOMORROW)


def test_a_rollback_keeps_its_real_duration_and_asks_for_a_review():
    change = make_started()
    with pytest.raises(Refused, match="why you roll it back"):
        services.roll_back(change, by=change.implementer, at=TOMORROW, reason="")
    change = services.roll_back(change, by=change.implementer, at=TOMORROW + HOUR / 4, reason="Errors")
    change = verify(change, by=change.implementer, at=TOMORROW + HOUR / 2)
    assert change.rollback_ended_at - change.rolled_back_at == HOUR / 4
    with pytest.raises(Refused, match="Close it as rolled back"):
        services.close(change, outcome=Outcome.SUCCESSFUL, by=change.requester, at=TOMORROW + HOUR)
    with pytest.raises(Refused, match="post-implementation review"):
        services.close(change, outcome=Outcome.ROLLED_BACK, by=change.requester, at=TOMORROW + HOUR)
    change = services.close(
        change, outcome=Outcome.ROLLED_BACK, review="We learned.", by=change.requester, at=TOMORROW + HOUR
    )
    assert change.status == Status.CLOSED


def test_an_emergency_starts_at_once_on_the_word_of_one_named_person():
    deciders()
    authority = make_person("Ruth Bergqvist", "change-approver")
    change = make_emergency(planned_start=None, planned_end=None)
    with pytest.raises(Refused, match="why you start"):
        services.start_emergency(change, authority=authority, by=change.implementer, at=NOON, reason=" ")
    change = services.start_emergency(change, authority=authority, by=change.implementer, at=NOON, reason="It burns")
    assert (change.status, change.authorised_by) == (Status.IN_PROGRESS, str(authority))
    request = request_of(change)
    assert (request.state, request.decide_by) == ("pending", NOON + timedelta(hours=24))
    owed = Deadline.objects.filter(kind="change.owed", subject_id=change.pk, due_at=request.decide_by)
    assert set(owed.values_list("key", flat=True)) == {"approval:0", "review:0"}


def test_the_authority_of_an_emergency_is_somebody_else_of_the_change_authority():
    change = make_emergency()
    for person in (change.requester, change.implementer):
        with pytest.raises(Refused, match="requests it or carries it out"):
            services.start_emergency(change, authority=person, by=change.implementer, at=NOON, reason="It burns")
    with pytest.raises(Refused, match="not of the change authority"):
        services.start_emergency(
            change, authority=make_person("Al", "responder"), by=change.implementer, at=NOON, reason="It burns"
        )


def test_an_emergency_without_a_rollback_plan_does_not_start():
    deciders()
    change = make_emergency(steps={"implementation": [("Do it", 5)]})
    authority = make_person("Ruth Bergqvist", "change-approver")
    with pytest.raises(Refused, match="steps of the rollback"):
        services.start_emergency(change, authority=authority, by=change.implementer, at=NOON, reason="It burns")


def test_a_normal_change_never_starts_as_an_emergency():
    change = make_change()
    authority = make_person("Ruth Bergqvist", "change-approver")
    with pytest.raises(Refused, match="Only an emergency"):
        services.start_emergency(change, authority=authority, by=change.implementer, at=NOON, reason="It burns")


def test_a_standard_change_rests_on_its_approved_template():
    template = ChangeTemplate.objects.get(slug="security-patch")
    requester, implementer = make_person("J L", "change-approver"), make_person("A O", "change-approver")
    plan = Plan({"implementer": implementer, "planned_start": TOMORROW, "planned_end": TOMORROW + HOUR})
    with pytest.raises(Refused, match="not approved as it stands"):
        services.draft_from_template(template, systems=[make_system()], plan=plan, by=requester, at=NOON)
    approve_template(template)
    change = services.draft_from_template(template, systems=[make_system()], plan=plan, by=requester, at=NOON)
    change = services.submit(change, by=requester, at=NOON)
    change = services.assess(change, impact=1, likelihood=1, by=requester, at=NOON)
    assert (change.status, change.type) == (Status.APPROVED, ChangeType.STANDARD)
    assert not ApprovalRequest.objects.filter(kind="change").exists()
    with pytest.raises(Refused, match="those of its template"):
        services.revise(change, Plan({"test_plan": "None"}), by=requester, at=NOON)


def test_a_template_that_was_revoked_carries_no_change_any_further():
    template = approve_template(ChangeTemplate.objects.get(slug="security-patch"))
    requester = make_person("J L", "change-approver")
    plan = Plan({"implementer": requester, "planned_start": TOMORROW, "planned_end": TOMORROW + HOUR})
    change = services.draft_from_template(template, systems=[make_system()], plan=plan, by=requester, at=NOON)
    template.revoked_at, template.revoked_by = NOON, "Ruth"
    template.save()
    with pytest.raises(Refused, match="was revoked"):
        services.submit(change, by=requester, at=NOON)
    with pytest.raises(Refused, match="was revoked"):
        services.draft_from_template(template, systems=[make_system()], plan=plan, by=requester, at=NOON)


def test_closing_a_security_patch_answers_what_maintenance_asked_for():
    template = approve_template(ChangeTemplate.objects.get(slug="security-patch"))
    system, requester = make_system(), make_person("J L", "change-approver")
    records.ask(
        topic=template.answers_topic, key="patch-1", payload={}, by="system: maintenance", at=NOON,
        answer_by=NOON + 30 * DAY, system=system,
    )  # fmt: skip
    plan = Plan({"implementer": requester, "planned_start": TOMORROW, "planned_end": TOMORROW + HOUR})
    change = services.draft_from_template(template, systems=[system], plan=plan, by=requester, at=NOON)
    change = services.submit(change, by=requester, at=NOON)
    change = services.assess(change, impact=1, likelihood=1, by=requester, at=NOON)
    pass_gates(change)
    change = services.schedule(change, by=requester, at=NOON)
    change = services.start(change, by=requester, at=TOMORROW)
    change = verify(change, by=requester, at=TOMORROW + HOUR)
    services.close(change, outcome=Outcome.SUCCESSFUL, by=requester, at=TOMORROW + HOUR)
    assert Demand.objects.get(key="patch-1").answer == {"change": change.reference, "outcome": "successful"}


def test_a_freeze_stops_it_until_the_change_authority_lets_it_through():
    change = make_approved()
    freeze = Freeze.objects.create(name="Finance close", domain="finance", starts=NOON, ends=NOON + 3 * DAY)
    with pytest.raises(Refused, match="Finance close"):
        services.schedule(change, by=change.requester, at=NOON)
    with pytest.raises(NotYours, match="Somebody else"):
        services.override(change, freeze, by=change.requester, at=NOON, reason="Hurry")
    with pytest.raises(NotYours, match="Only the change authority"):
        services.override(change, freeze, by=make_person("Al", "responder"), at=NOON, reason="Hurry")
    services.override(change, freeze, by=make_person("Ruth", "change-approver"), at=NOON, reason="The law asks")
    assert services.schedule(change, by=change.requester, at=NOON).status == Status.SCHEDULED
    change = services.revise(change, Plan({"test_plan": "Other"}), by=change.requester, at=NOON)
    change = services.assess(change, impact=1, likelihood=1, by=make_person("I H", "change-approver"), at=NOON)
    with pytest.raises(Refused, match="within a freeze: “Finance close"):
        decide_all(change)
    assert FreezeOverride.objects.count() == 1


def test_a_freeze_stops_an_approval_and_not_a_rejection():
    change = make_assessed()
    Freeze.objects.create(name="Quarter end", domain="sales", starts=NOON, ends=NOON + 3 * DAY)
    with pytest.raises(Refused, match="Quarter end"):
        decide_all(change)
    ruth = make_person("Ruth Bergqvist", "change-approver")
    words = {"digest": request_of(change).digest, "confirmed": True, "by": ruth, "at": NOON, "reason": "Not now"}
    assert services.reject(change, **words).status == Status.REJECTED


def test_its_requester_does_not_assess_its_risk():
    change = make_change()
    change = services.submit(change, by=change.requester, at=NOON)
    with pytest.raises(NotYours, match="Somebody else assesses"):
        services.assess(change, impact=1, likelihood=1, by=change.requester, at=NOON)


def test_an_open_grave_incident_on_a_part_stops_it():
    system = make_system()
    part = make_system(parent=system)
    incident = make_incident(severity=1, systems=[part])
    change = make_approved(systems=[system])
    with pytest.raises(Refused, match=incident.reference):
        services.schedule(change, by=change.requester, at=NOON)


def test_other_changes_near_it_warn():
    system, implementer = make_system(), make_person("Amara Okafor", "change-approver")
    one = make_assessed(systems=[make_system(parent=system)], implementer=implementer)
    two = make_change(systems=[system], implementer=implementer)
    found = {(conflict.kind, conflict.reference) for conflict in services.conflicts_of(two)}
    assert {("change", one.reference), ("implementer", one.reference)} <= found


def test_its_slot_stands_beside_those_of_other_parts_from_the_schedule_to_the_end():
    system = make_system()
    change = make_scheduled(systems=[system])
    (period,) = Period.objects.filter(kind="change", system=system)
    assert (period.starts, period.ends, period.reference) == (TOMORROW, TOMORROW + HOUR, change.reference)
    change = services.start(change, by=change.implementer, at=TOMORROW)
    assert Period.objects.get(kind="change", system=system).ends is None
    verify(change, by=change.implementer, at=TOMORROW + HOUR / 2)
    assert Period.objects.get(kind="change", system=system).ends == TOMORROW + HOUR / 2


def test_a_change_that_is_cancelled_frees_its_slot_and_withdraws_its_approval():
    change = make_scheduled()
    with pytest.raises(Refused, match="why you cancel"):
        services.cancel(change, by=change.requester, at=NOON, reason="")
    services.cancel(change, by=change.requester, at=NOON, reason="Not needed")
    assert request_of(change).state == "withdrawn"
    assert not Period.objects.filter(kind="change").exists()


def test_a_token_is_kept_as_a_digest_and_ends_when_it_is_revoked():
    token, secret = services.hand_out_token("CI", by=make_person("K", "administrator"), at=NOON, reason="Gates")
    assert secret not in token.digest
    assert services.token_of(secret) == token
    services.revoke_token(token, by=make_person("K", "administrator"), at=NOON, reason="Lost")
    assert services.token_of(secret) is None
    with pytest.raises(Refused, match="revoked already"):
        services.revoke_token(token, by=make_person("K", "administrator"), at=NOON, reason="Lost")


def test_somebody_without_an_account_requests_nothing():
    with pytest.raises(NotYours, match="signs in"):
        services.draft(a_plan(), by="system: tests", at=NOON)


def test_a_standard_change_keeps_to_its_template_word_by_word():
    template = approve_template(ChangeTemplate.objects.get(slug="security-patch"))
    requester, implementer = make_person("Jonas L", "change-approver"), make_person("Amara O", "change-approver")
    when = {"planned_start": TOMORROW, "planned_end": TOMORROW + HOUR, "implementer": implementer}
    given = {"systems": [make_system()], "by": requester, "at": NOON}
    for plan in (Plan({**when, "test_plan": "Hope."}), Plan(when, steps={"rollback": [("Pray", 1)]})):
        with pytest.raises(Refused, match="those of its template"):
            services.draft_from_template(template, plan=plan, **given)
    change = services.draft_from_template(template, plan=Plan(when), **given)
    change = services.submit(change, by=requester, at=NOON)
    change = services.assess(change, impact=1, likelihood=1, by=requester, at=NOON)
    step = change.steps.filter(kind="rollback").first()
    step.text = "Hope"
    step.save()
    with pytest.raises(Refused, match="no longer those of its template"):
        services.schedule(change, by=requester, at=NOON)


def test_a_standard_change_is_called_what_its_template_says():
    template = approve_template(ChangeTemplate.objects.get(slug="security-patch"))
    system, other = make_system(name="Mail"), make_system(name="Desk")
    given = {"systems": [system], "by": make_person("Jonas L", "change-approver"), "at": NOON}
    with pytest.raises(Refused, match="called what its template says"):
        services.draft_from_template(template, plan=Plan({"title": "Drop the archive"}), **given)
    change = services.draft_from_template(template, plan=Plan(), **given)
    assert change.title == f"{template.title}: Mail"
    change = services.revise(change, Plan(systems=[system, other]), by=given["by"], at=NOON)
    assert change.title == f"{template.title}: Desk, Mail"
    with pytest.raises(Refused, match="called what its template says"):
        services.revise(change, Plan({"title": "Drop the archive"}), by=given["by"], at=NOON)


def test_a_standard_change_goes_no_further_once_its_template_was_edited_even_when_that_is_approved():
    template = approve_template(ChangeTemplate.objects.get(slug="security-patch"))
    requester = make_person("Jonas L", "change-approver")
    when = {"planned_start": TOMORROW, "planned_end": TOMORROW + HOUR, "implementer": make_person("A O", "responder")}
    change = services.draft_from_template(
        template, systems=[make_system()], plan=Plan(when), by=requester, at=NOON
    )  # fmt: skip
    template = services.new_template_version(template, by=requester, at=NOON, reason="Another step")
    with pytest.raises(Refused, match="was edited after"):
        services.submit(change, by=requester, at=NOON)


def test_a_standard_change_is_for_the_systems_of_its_template_after_an_edit_too():
    template = ChangeTemplate.objects.get(slug="security-patch")
    template.systems.set([system := make_system()])
    approve_template(template)
    requester = make_person("Jonas L", "change-approver")
    when = {"planned_start": TOMORROW, "planned_end": TOMORROW + HOUR, "implementer": make_person("A O", "responder")}
    change = services.draft_from_template(template, systems=[system], plan=Plan(when), by=requester, at=NOON)
    change = services.revise(change, Plan(systems=[make_system("other", name="Other")]), by=requester, at=NOON)
    with pytest.raises(Refused, match="is not for Other"):
        services.submit(change, by=requester, at=NOON)


def test_whoever_starts_an_emergency_that_nobody_carries_out_does_not_do_so_on_their_own_word():
    change = make_emergency()
    ruth = make_person("Ruth Bergqvist", "change-approver")
    change = services.revise(change, Plan({"implementer": None}), by=change.requester, at=NOON)
    with pytest.raises(Refused, match="requests it or carries it out"):
        services.start_emergency(change, authority=ruth, by=ruth, at=NOON, reason="It burns")


def test_an_override_of_a_freeze_is_for_what_was_submitted_and_not_for_what_it_becomes_after_a_rejection():
    change = make_assessed()
    ruth = make_person("Ruth Bergqvist", "change-approver")
    freeze = Freeze.objects.create(name="Month end", starts=TOMORROW - HOUR, ends=TOMORROW + DAY)
    services.override(change, freeze, by=ruth, at=NOON, reason="The vendor ends support")
    words = {"digest": request_of(change).digest, "confirmed": True, "reason": "Too soon"}
    change = services.reject(change, by=ruth, at=NOON, **words)
    with pytest.raises(Refused, match="Submit it first"):
        services.override(change, freeze, by=ruth, at=NOON, reason="Again")
    change = services.revise(change, Plan({"test_plan": "Another"}), by=change.requester, at=NOON)
    assert (change.status, change.version) == (Status.DRAFT, 2)
    assert [one.title for one in services.stops(change)] == ["Month end, operations"]


def test_a_slot_is_not_moved_into_the_past():
    change = make_assessed()
    with pytest.raises(Refused, match="has passed"):
        services.revise(
            change, Plan({"planned_start": NOON - 2 * HOUR, "planned_end": NOON - HOUR}), by=change.requester, at=NOON
        )


def test_a_check_that_is_added_later_is_asked_of_what_is_not_scheduled_yet():
    change = make_approved(modules=Module.objects.all()[:1])
    fill_matrix(change)
    added = ReleaseCheck.objects.create(slug="licences", name="Licences", position=9)
    with pytest.raises(Refused, match="1 cell is still open"):
        services.schedule(change, by=change.requester, at=NOON)
    services.follow(change, at=NOON)
    assert Cell.objects.get(change=change, check_of=added).state == CellState.OPEN
    fill_matrix(change)
    assert services.schedule(change, by=change.requester, at=NOON).status == Status.SCHEDULED
