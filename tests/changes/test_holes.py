"""Ways past a step of a change that were found by trying, and stay shut."""

from datetime import timedelta

import pytest

from changes import services
from changes.acts import of_roles
from changes.conflicts import of_change
from changes.enums import CellState, ChangeType, Status
from changes.forms.releasing import CellForm
from changes.models import Cell, Change, Freeze, Module, ReleaseCheck
from changes.policy import NotYours, Refused
from changes.selectors.listing import owed_review
from changes.selectors.matrix import face_for
from changes.selectors.record import record_of
from changes.selectors.room import change_for, page_of
from changes.services import Plan
from changes.services.releasing import Answer
from changes.sweeps import _moved, sweep_changes
from incidents import services as incidents
from portal.approvals import services as approvals
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import VOUCHED, WROTE
from portal.approvals.selectors.room import room_of
from portal.audit.actor import acting
from portal.lib.refusals import Refusal
from portal.records import services as records
from portal.records.models import Demand
from tests.factories.approvals import make_person
from tests.factories.changes import (
    HOUR,
    TOMORROW,
    a_plan,
    approve_template,
    deciders,
    make_approved,
    make_assessed,
    make_change,
    make_emergency,
    make_scheduled,
    make_started,
    make_template,
    request_of,
    verify,
)
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def submitted(**given):
    deciders()
    change = make_change(**given)
    return services.submit(change, by=change.requester, at=NOON)


@pytest.mark.parametrize(
    "plan", [Plan(systems=[]), Plan({"implementer": None}), Plan({"test_plan": ""}), Plan(steps={"implementation": []})]
)
def test_what_was_handed_in_complete_is_not_edited_into_something_that_lacks_what_it_had(plan):
    change = submitted()
    with pytest.raises(Refused):
        services.revise(change, plan, by=change.requester, at=NOON)


def test_a_change_whose_requester_has_left_can_be_cancelled_and_the_record_says_who_did():
    change = make_scheduled()
    change.requester.is_active = False
    change.requester.save()
    ruth = make_person("Ruth Bergqvist", "change-approver")
    assert services.cancel(change, by=ruth, at=NOON, reason="Nobody needs it").status == Status.CANCELLED
    request = request_of(change)
    assert (request.state, request.settled_by) == (RequestState.WITHDRAWN, "Ruth Bergqvist")


def test_an_emergency_that_was_approved_beforehand_loses_what_rests_on_an_approval_that_was_withdrawn():
    change = make_approved(type=ChangeType.EMERGENCY)
    assert change.status == Status.APPROVED
    approvals.withdraw(request_of(change), by=change.requester, at=NOON, reason="Not so")
    sweep_changes(at=NOON + HOUR)
    change.refresh_from_db()
    assert change.status == Status.ASSESSED
    assert _moved() == []


def test_a_rollback_after_the_work_was_verified_shouts_too_when_it_overruns_its_window():
    change = make_started()
    verify(change, at=TOMORROW + 20 * MINUTE)
    services.roll_back(change, by=change.implementer, at=TOMORROW + 30 * MINUTE, reason="It leaks")
    sweep_changes(at=TOMORROW + HOUR + MINUTE)
    assert "overrun" in set(records.timeline(change).values_list("kind", flat=True))


def test_a_change_does_not_begin_before_its_slot_while_a_freeze_still_lasts():
    change = make_scheduled()
    Freeze.objects.create(name="Finance close", domain="finance", starts=NOON, ends=TOMORROW)
    with pytest.raises(Refused, match="Finance close"):
        services.start(change, by=change.implementer, at=TOMORROW - 10 * MINUTE)
    assert services.start(change, by=change.implementer, at=TOMORROW).status == Status.IN_PROGRESS


def test_an_emergency_in_progress_without_a_slot_is_in_the_way_of_others_on_its_system():
    system = make_system()
    deciders()
    emergency = make_emergency(systems=[system], planned_start=None, planned_end=None)
    ruth = make_person("Ruth Bergqvist", "change-approver")
    services.start_emergency(emergency, authority=ruth, by=emergency.implementer, at=NOON, reason="It burns")
    other = make_change(systems=[system], planned_start=NOON + HOUR, planned_end=NOON + 2 * HOUR)
    assert emergency.reference in {one.reference for one in of_change(other)}


def test_an_approval_afterwards_of_what_was_renamed_meanwhile_stops_no_sweep():
    deciders()
    system = make_system()
    change = make_emergency(systems=[system], planned_start=NOON, planned_end=NOON + HOUR)
    ruth = make_person("Ruth Bergqvist", "change-approver")
    services.start_emergency(change, authority=ruth, by=change.implementer, at=NOON, reason="It burns")
    request = request_of(change)
    stage = request.stages.get(state="open")
    ines = approvals.may_decide(stage).first()
    approvals.decide(request, stage=stage, verdict="approve", digest=request.digest, confirmed=True, by=ines, at=NOON)
    with acting(by=ines, reason="It is called otherwise"):
        system.name = "Another name"
        system.save()
    sweep_changes(at=NOON + MINUTE)
    assert Change.objects.get(pk=change.pk).approved_at is None


def test_a_restricted_incident_stops_a_change_without_being_named_to_those_who_read_the_change():
    system = make_system()
    incident = make_incident(severity=1, systems=[system])
    incidents.restrict(incident, by=make_person("Ines Halloran", "security-lead"), at=NOON, reason="It is a breach")
    change = make_approved(systems=[system])
    with pytest.raises(Refused, match="restricted") as refused:
        services.schedule(change, by=change.requester, at=NOON)
    told = f"{refused.value} {of_change(change)} {change.risk_sum}"
    assert incident.reference not in told
    assert "a restricted one" in str(change.risk_sum)


def test_a_look_at_writes_that_fails_is_made_again(monkeypatch):
    def fail(**_words):
        raise RuntimeError

    sweep_changes(at=NOON)
    with monkeypatch.context() as patched:
        patched.setattr("changes.sweeps.unauthorised.look", fail)
        with pytest.raises(RuntimeError):
            sweep_changes(at=NOON + HOUR)
    since = []
    monkeypatch.setattr("changes.sweeps.unauthorised.look", lambda *, since, at: seen.append(since))
    seen = since
    sweep_changes(at=NOON + 2 * HOUR)
    assert seen == [NOON]


def test_what_cannot_be_done_is_said_in_whole_sentences():
    change = make_started()
    with pytest.raises(Refused, match="why you roll it back"):
        services.roll_back(change, by=change.implementer, at=TOMORROW, reason=" ")
    emergency = make_approved(type=ChangeType.EMERGENCY)
    ruth = make_person("Ruth Bergqvist", "change-approver")
    with pytest.raises(Refused, match="you cannot start it as an emergency"):
        services.start_emergency(emergency, authority=ruth, by=emergency.implementer, at=NOON, reason="It burns")


def waiting(person):
    return list(ApprovalRequest.objects.waiting_for(person, at=NOON))


def test_who_edited_it_is_not_asked_to_decide_on_it_and_the_page_says_why():
    ruth = make_person("Ruth Bergqvist", "change-approver")
    ines = make_person("Ines Halloran", "change-approver")
    change = submitted()
    services.revise(change, Plan({"test_plan": "Look twice"}), by=ruth, at=NOON)
    services.assess(change, impact=1, likelihood=1, by=ines, at=NOON)
    request = request_of(change)
    assert (waiting(ruth), waiting(ines)) == ([], [request])
    assert room_of(request, ruth, at=NOON).refusal == WROTE
    services.reject(change, digest=request.digest, confirmed=True, by=ines, at=NOON, reason="Say how")
    services.submit(change, by=change.requester, at=NOON)  # now they are the requester's words
    services.assess(change, impact=1, likelihood=1, by=ines, at=NOON)
    assert waiting(ruth) == [request_of(change)]


def emergency_on_the_word_of(authority, **given):
    change = make_emergency(planned_start=None, planned_end=None, **given)
    words = {"authority": authority, "by": change.implementer, "at": NOON, "reason": "It burns"}
    return services.start_emergency(change, **words)


def test_on_whose_word_an_emergency_started_does_not_approve_it_afterwards():
    ruth = make_person("Ruth Bergqvist", "change-approver")
    ines = make_person("Ines Halloran", "change-approver")
    change = emergency_on_the_word_of(ruth)
    request = request_of(change)
    words = {"digest": request.digest, "confirmed": True, "at": NOON, "reason": "Because"}
    for verb in (services.approve, services.reject):
        with pytest.raises(Refused, match="on your word"):
            verb(change, by=ruth, **words)
    assert (waiting(ruth), waiting(ines)) == ([], [request])
    assert room_of(request, ruth, at=NOON).refusal == VOUCHED
    change = services.approve(change, by=ines, **words)
    duties = {duty.question: duty.holds for duty in record_of(change, user=ines, at=NOON).duties}
    assert duties["Who let it start decided nothing afterwards"]


def test_an_emergency_waits_for_nobody_although_nobody_else_could_approve_it_afterwards():
    ruth = make_person("Ruth Bergqvist", "change-approver")
    jonas, amara = (make_person(name, "responder") for name in ("Jonas Lindqvist", "Amara Okafor"))
    change = emergency_on_the_word_of(ruth, by=jonas, implementer=amara)
    (line,) = room_of(request_of(change), jonas, at=NOON).lines
    assert line.people == "Nobody can decide: give somebody else the role Change approver."


def test_an_emergency_that_can_wait_for_its_approval_is_decided_by_the_stages_that_its_risk_chooses():
    change = make_assessed(type=ChangeType.EMERGENCY, impact=4, likelihood=4)
    assert change.risk_level == "high"
    assert [stage.name for stage in request_of(change).stages.all()] == ["Management", "Change authority"]
    deciders()
    at_once = emergency_on_the_word_of(make_person("Ruth Bergqvist", "change-approver"))
    assert request_of(at_once).decide_by == NOON + 24 * HOUR


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_what_was_decided_afterwards_on_an_emergency_is_not_asked_for_again(verdict):
    deciders()
    ruth, ines = (make_person(name, "change-approver") for name in ("Ruth Bergqvist", "Ines Halloran"))
    change = emergency_on_the_word_of(ruth)
    request = request_of(change)
    words = {"digest": request.digest, "confirmed": True, "by": ines, "at": NOON, "reason": "Because"}
    change = getattr(services, verdict)(change, **words)
    for ask in (services.ask, approvals.ask):
        with pytest.raises(Refusal, match="was decided on afterwards"):
            ask(change, by=change.requester, at=NOON, reason="Once more")
    assert request_of(change) == request
    assert bool(record_of(change, user=ines, at=NOON).duties[0].holds) == (verdict == "approve")


def rejected_elsewhere():
    """A change of high risk that was rejected on the page of approvals; nobody has looked at the change since."""
    change = make_assessed(impact=4, likelihood=4)
    request = request_of(change)
    stage = request.stages.get(state="open")
    words = {"digest": request.digest, "confirmed": True, "by": approvals.may_decide(stage).first()}
    approvals.decide(request, stage=stage, verdict="deny", reason="Too risky", at=NOON + MINUTE, **words)
    assert change.status == Status.ASSESSED
    return change


@pytest.mark.parametrize(
    "go_on",
    [
        lambda change, by: services.assess(change, impact=1, likelihood=1, by=by, at=NOON),
        lambda change, by: services.ask(change, by=by, at=NOON, reason="Once more"),
        lambda change, by: approvals.ask(change, by=by, at=NOON + HOUR, reason="Once more"),
    ],
)
def test_a_rejection_is_not_passed_by_before_the_change_has_heard_of_it(go_on):
    change = rejected_elsewhere()
    with pytest.raises(Refusal, match="rejected"):
        go_on(change, make_person("Ines Halloran", "change-approver"))
    sweep_changes(at=NOON + HOUR)
    assert Change.objects.get(pk=change.pk).status == Status.REJECTED


def test_an_edit_of_what_was_rejected_elsewhere_is_handed_in_again_by_its_requester():
    change = rejected_elsewhere()
    change = services.revise(change, Plan({"test_plan": "Look twice"}), by=change.implementer, at=NOON)
    assert change.status == Status.DRAFT


def test_who_edited_it_does_not_let_it_through_a_freeze():
    ruth = make_person("Ruth Bergqvist", "change-approver")
    change = submitted()
    freeze = Freeze.objects.create(name="Finance close", starts=TOMORROW, ends=TOMORROW + HOUR)
    services.revise(change, Plan({"test_plan": "Look twice"}), by=ruth, at=NOON)
    with pytest.raises(NotYours, match="edited it"):
        services.override(change, freeze, by=ruth, at=NOON, reason="It is small")
    services.override(change, freeze, by=make_person("Ines Halloran", "change-approver"), at=NOON, reason="Small")


def test_nobody_names_another_implementer_past_the_change_and_throws_it_out_of_the_schedule():
    change = make_scheduled()
    request, ruth = request_of(change), make_person("Ruth Bergqvist", "change-approver")
    with pytest.raises(Refusal, match="The record itself says"):
        approvals.reassign(request, implementer=ruth, by=ruth, at=NOON, reason="Amara is ill")
    assert not room_of(request, ruth, at=NOON).may_name
    assert services.follow(change, at=NOON).status == Status.SCHEDULED


def test_the_record_of_an_emergency_that_was_approved_before_it_started_names_no_authority():
    change = make_scheduled(type=ChangeType.EMERGENCY)
    change = services.start(change, by=change.implementer, at=TOMORROW)
    (duty,) = [
        duty for duty in record_of(change, user=change.requester, at=TOMORROW).duties if "before" in duty.question
    ]
    assert (duty.holds, duty.words) == (True, "Every approval was given before the start")
    assert page_of(change, user=change.requester, whole=False, at=TOMORROW).owes == ""


def test_what_an_emergency_owes_is_said_until_it_is_there():
    ruth, ines = (make_person(name, "change-approver") for name in ("Ruth Bergqvist", "Ines Halloran"))
    change = emergency_on_the_word_of(ruth)

    def owes():
        found = change_for(change.requester, change.reference)
        return page_of(found, user=change.requester, whole=False, at=NOON).owes

    assert owes() == "Its approval and its review"
    services.approve(change, digest=request_of(change).digest, confirmed=True, by=ines, at=NOON)
    assert owes() == "Its review"
    assert owed(change)
    verify(change, at=NOON + MINUTE)
    services.write_review(change, review="We learned.", by=ines, at=NOON + MINUTE)
    assert owes() == ""
    assert not owed(change)


def owed(change):
    return Change.objects.filter(owed_review(), pk=change.pk).exists()


def test_who_assesses_is_said_as_it_is():
    change = submitted()
    (words,) = of_roles(change)
    assert words == f"Somebody other than {change.requester} and {change.implementer} assesses its risk."
    change.type = ChangeType.STANDARD
    assert of_roles(change) == ["Somebody who works on changes assesses its risk."]


def answered(change):
    """Have all of its checks answered, and return who said so."""
    for cell in Cell.objects.filter(change=change, state=CellState.OPEN).select_related("module", "check_of"):
        no = Answer(CellState.NOT_NEEDED, because="Nobody may do more")
        said = no if cell.check_of.opens_review else Answer(CellState.DONE, evidence="Pipeline 4711")
        services.answer(change, cell.module, cell.check_of, said, by=change.requester, at=NOON)


def states(change):
    return set(Cell.objects.filter(change=change).values_list("state", flat=True))


@pytest.mark.parametrize(
    "plan",
    [
        Plan({"test_plan": "Look twice"}),
        Plan({"rollback_minutes": 20}),
        Plan(steps={"implementation": [("Do something else", 30)]}),
        Plan(steps={"rollback": [("Undo it otherwise", 10)]}),
    ],
)
def test_what_the_release_checklist_answered_is_asked_again_when_the_work_is_another(plan):
    change = submitted(modules=Module.objects.all()[:2])
    answered(change)
    services.revise(change, plan, by=change.requester, at=NOON)
    assert states(change) == {CellState.OPEN}
    (told,) = records.timeline(change).filter(kind="asked_again")
    assert told.text == "asked 10 cells of the release checklist again"
    # what was said before is not lost: it is offered, and taken over by whoever answers
    cell = Cell.objects.filter(change=change, check_of__opens_review=False).first()
    assert CellForm(cell=cell, check=cell.check_of).initial["evidence"] == "Pipeline 4711"
    assert face_for(cell, cell.check_of).title == "Asked again after an edit. Said before: Pipeline 4711"


def test_what_it_answered_stands_when_only_time_and_people_move():
    change = submitted(modules=Module.objects.all()[:1])
    answered(change)
    ines = make_person("Ines Halloran", "change-approver")
    later = {"planned_start": TOMORROW + HOUR, "planned_end": TOMORROW + 2 * HOUR}
    services.revise(change, Plan({**later, "implementer": ines, "title": "Another name"}), by=ines, at=NOON)
    assert CellState.OPEN not in states(change)


def test_a_module_that_is_touched_again_is_asked_again_and_the_others_are_not():
    one, two = Module.objects.all()[:2]
    change = submitted(modules=[one, two])
    answered(change)
    services.revise(change, Plan(modules=[one]), by=change.requester, at=NOON)
    services.revise(change, Plan(modules=[one, two]), by=change.requester, at=NOON)
    assert states_of(change, one).isdisjoint({CellState.OPEN})
    assert states_of(change, two) == {CellState.OPEN}


def states_of(change, module):
    return set(Cell.objects.filter(change=change, module=module).values_list("state", flat=True))


def test_a_review_of_access_that_was_done_for_other_work_is_done_anew():
    change, module, question = asked_of_one_module()
    words, yes = {"by": change.requester, "at": NOON}, Answer(CellState.DONE, opens_review=True)
    first = services.answer(change, module, question, yes, **words).demand_key
    services.revise(change, Plan({"test_plan": "Look twice"}), **words)
    assert services.answer(change, module, question, yes, **words).demand_key == first  # it is still open
    Demand.objects.filter(key=first).update(answered_at=NOON, answered_by="Leila Nasser")
    services.revise(change, Plan({"test_plan": "Look three times"}), **words)
    second = services.answer(change, module, question, yes, **words).demand_key
    assert second != first
    assert services.open_ends(change) == [f"The access review of {module} is still open."]
    answered_again = services.answer(change, module, question, yes, **words)
    assert answered_again.demand_key == second
    assert Demand.objects.filter(topic="assurance.access-review").count() == 2


def asked_of_one_module(**given):
    change = submitted(modules=Module.objects.all()[:1], **given)
    return change, Module.objects.all()[0], ReleaseCheck.objects.get(opens_review=True)


def test_done_is_no_answer_to_the_question_whether_an_access_review_is_needed():
    change, module, question = asked_of_one_module()
    words = {"by": change.requester, "at": NOON}
    with pytest.raises(Refused, match="whether an access review is needed"):
        services.answer(change, module, question, Answer(CellState.DONE), **words)
    with pytest.raises(Refused, match="whether an access review is needed"):
        services.answer_row(change, module, {question: Answer(CellState.DONE, evidence="See the wiki")}, **words)
    assert Cell.objects.get(change=change, check_of=question).state == CellState.OPEN
    yes = services.answer(change, module, question, Answer(CellState.DONE, opens_review=True), **words)
    assert Demand.objects.get(key=yes.demand_key).answered_at is None


def test_an_open_access_review_is_not_forgotten_with_the_module_that_it_is_about():
    change, module, question = asked_of_one_module()
    words = {"by": change.requester, "at": NOON}
    services.answer(change, module, question, Answer(CellState.DONE, opens_review=True), **words)
    services.answer(change, module, question, Answer(CellState.OPEN), **words)
    services.revise(change, Plan(modules=[]), **words)
    assert services.open_ends(change) == [f"The access review of {module} is still open."]


def test_whoever_carries_a_change_out_does_not_assess_its_risk_which_chooses_who_decides():
    change = submitted()
    with pytest.raises(NotYours, match="carry it out yourself"):
        services.assess(change, impact=1, likelihood=1, by=change.implementer, at=NOON)
    template = approve_template(make_template())
    plan = a_plan(implementer=change.implementer)
    plan = Plan({name: plan.values[name] for name in ("planned_start", "planned_end", "implementer")})
    words = {"systems": [make_system()], "plan": plan, "by": change.requester, "at": NOON}
    standard = services.submit(services.draft_from_template(template, **words), by=change.requester, at=NOON)
    standard = services.assess(standard, impact=1, likelihood=1, by=change.implementer, at=NOON)
    assert standard.status == Status.APPROVED  # its template was: the risk chooses nothing


def test_who_edited_what_is_decided_on_does_not_decide_on_it():
    change = submitted()
    ruth = make_person("Ruth Bergqvist", "change-approver")
    services.revise(change, Plan({"test_plan": "None needed"}), by=ruth, at=NOON)
    services.assess(change, impact=1, likelihood=1, by=ruth, at=NOON)
    words = {"digest": request_of(change).digest, "confirmed": True, "at": NOON}
    with pytest.raises(Refused, match="edited"):
        services.approve(change, by=ruth, **words)

    assert ruth not in approvals.may_decide(request_of(change).stages.get(state="open"))
    services.reject(change, by=make_person("Ines Halloran", "change-approver"), reason="Say how", **words)
    services.revise(change, Plan({"test_plan": "Look at it"}), by=ruth, at=NOON)
    services.submit(change, by=change.requester, at=NOON)  # now they are the requester's words
    services.assess(change, impact=1, likelihood=1, by=ruth, at=NOON)
    assert services.approve(change, by=ruth, **{**words, "digest": request_of(change).digest}).status == Status.APPROVED
