"""Carrying a change out step by step: what is worked is what was approved, and no step is passed over."""

from datetime import timedelta

import pytest

from changes import services
from changes.enums import Outcome, Status, StepKind
from changes.models import Change, ChangeStep
from changes.policy import Refused
from portal.approvals.shown import digest
from portal.audit.actor import acting
from portal.directory.models import Contact
from portal.records import linking
from portal.records import services as records
from portal.runbooks import services as runbooks
from portal.runbooks.checklists import services as checklists
from portal.runbooks.checklists.policy import Refused as RunRefused
from portal.runbooks.models import ChecklistRule, ChecklistRun, Procedure, RunStep
from tests.factories.approvals import make_person
from tests.factories.changes import (
    HOUR,
    TOMORROW,
    make_assessed,
    make_change,
    make_emergency,
    make_scheduled,
    make_started,
    request_of,
    run_of,
    settle,
    verify,
)
from tests.factories.checklists import make_checklist
from tests.factories.directory import NOON, make_system, make_team
from tests.factories.incidents import make_incident
from tests.factories.runbooks import TEXT, make_published, publish, writer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
STEPS = {
    "implementation": [("Drain the queue", 5), ("Do it", None)],
    "validation": [("Look at it", 5)],
    "rollback": [("Undo it", 10), ("Fill the queue", None)],
}


def started(**given):
    return make_started(steps=STEPS, **given)


def texts(run):
    return list(RunStep.objects.filter(run=run).values_list("text", flat=True))


def step(change, kind, position=1):
    return RunStep.objects.get(run=run_of(change, kind), position=position)


def test_starting_makes_the_steps_that_were_approved_a_run_bound_to_their_digest():
    change = started()
    runs = list(ChecklistRun.objects.of(change))
    assert [(run.name, run.plan, texts(run)) for run in runs] == [
        ("Implementation", "implementation", ["Drain the queue (5 min)", "Do it"]),
        ("Validation", "validation", ["Look at it (5 min)"]),
    ]
    assert {run.digest for run in runs} == {request_of(change).digest} == {digest(change.started_text)}


def test_the_implementation_stands_on_the_board_of_whoever_carries_it_out_and_the_validation_on_that_of_the_team():
    implementer = make_person("Amara Okafor", "change-approver")
    person = Contact.objects.get(user=implementer)
    team = make_team("platform", members=[person])
    make_team("ops", members=[person])
    change = started(implementer=implementer, systems=[make_system("queue", owner=team)])
    first, check = step(change, StepKind.IMPLEMENTATION), step(change, StepKind.VALIDATION)
    assert (first.team, first.assignee, check.team, check.assignee) == (team, person, team, None)


def test_without_steps_of_its_own_the_validation_is_the_test_plan():
    change = make_started(test_plan="Look at the counters.")
    assert texts(run_of(change, StepKind.VALIDATION)) == ["Carry out the test plan: Look at the counters."]


def test_the_work_is_not_done_while_a_step_is_open_left_or_failed():
    change = started()
    words = {"by": change.implementer, "at": TOMORROW + MINUTE}
    with pytest.raises(Refused, match=r"2 steps of the implementation, CHK-\d+, are still open"):
        services.verify(change, **words)
    run = run_of(change, StepKind.IMPLEMENTATION)
    checklists.end(run, reason="Enough", **words)
    with pytest.raises(Refused, match="ended with 2 steps of the implementation"):
        services.verify(change, **words)
    checklists.resume(run, reason="Not enough", **words)
    checklists.tick(step(change, StepKind.IMPLEMENTATION), **words)
    checklists.fail(step(change, StepKind.IMPLEMENTATION, 2), reason="It did not start", **words)
    with pytest.raises(Refused, match=r"Step 2 of the implementation, .* failed. Tick it once it works"):
        services.verify(change, **words)
    checklists.skip(step(change, StepKind.IMPLEMENTATION, 2), reason="Not needed after all", **words)
    assert services.verify(change, **words).status == Status.VERIFYING


def test_it_is_a_success_only_once_its_validation_is_settled():
    change = started()
    settle(change, StepKind.IMPLEMENTATION, at=TOMORROW + MINUTE)
    change = services.verify(change, by=change.implementer, at=TOMORROW + MINUTE)
    words = {"by": change.requester, "at": TOMORROW + HOUR}
    with pytest.raises(Refused, match=r"A step of the validation, .* is still open"):
        services.close(change, outcome=Outcome.SUCCESSFUL, **words)
    checklists.fail(step(change, StepKind.VALIDATION), by=change.implementer, at=TOMORROW + HOUR, reason="Slow")
    with pytest.raises(Refused, match="or close the change as failed"):
        services.close(change, outcome=Outcome.WITH_ISSUES, **words)
    closed = services.close(change, outcome=Outcome.FAILED, review="It was slow.", **words)
    assert closed.status == Status.CLOSED
    assert not ChecklistRun.objects.of(closed).filter(ended_at=None).exists()


def test_it_is_no_success_while_a_step_of_the_work_was_opened_again_after_it_was_verified():
    change = started()
    settle(change, StepKind.IMPLEMENTATION, at=TOMORROW + MINUTE)
    change = services.verify(change, by=change.implementer, at=TOMORROW + MINUTE)
    settle(change, StepKind.VALIDATION, at=TOMORROW + 2 * MINUTE)
    undone = step(change, StepKind.IMPLEMENTATION)
    checklists.undo(undone, by=change.implementer, at=TOMORROW + 3 * MINUTE, reason="It was not drained")
    words = {"by": change.requester, "at": TOMORROW + HOUR}
    with pytest.raises(Refused, match=r"A step of the implementation, .* is still open"):
        services.close(change, outcome=Outcome.SUCCESSFUL, **words)
    settle(change, StepKind.IMPLEMENTATION, at=TOMORROW + 4 * MINUTE)
    assert services.close(change, outcome=Outcome.SUCCESSFUL, **words).status == Status.CLOSED


def test_rolling_back_switches_to_the_steps_of_the_way_back():
    change = started()
    settle_first = step(change, StepKind.IMPLEMENTATION)
    checklists.tick(settle_first, by=change.implementer, at=TOMORROW + MINUTE)
    change = services.roll_back(change, by=change.implementer, at=TOMORROW + 5 * MINUTE, reason="Errors")
    assert [run.is_over for run in ChecklistRun.objects.of(change)] == [True, True, False]
    assert step(change, StepKind.IMPLEMENTATION, 2).state == "left"
    rollback = run_of(change, StepKind.ROLLBACK)
    assert texts(rollback) == ["Undo it (10 min)", "Fill the queue"]
    assert rollback.digest == request_of(change).digest
    with pytest.raises(Refused, match="2 steps of the rollback"):
        services.verify(change, by=change.implementer, at=TOMORROW + 6 * MINUTE)


def test_a_rollback_took_until_its_last_step_was_settled():
    change = started()
    change = services.roll_back(change, by=change.implementer, at=TOMORROW + 5 * MINUTE, reason="Errors")
    settle(change, StepKind.ROLLBACK, at=TOMORROW + 17 * MINUTE)
    change = services.verify(change, by=change.implementer, at=TOMORROW + 40 * MINUTE)
    assert change.rollback_ended_at - change.rolled_back_at == 12 * MINUTE


def test_a_rollback_that_failed_is_no_rollback():
    change = started()
    change = services.roll_back(change, by=change.implementer, at=TOMORROW + 5 * MINUTE, reason="Errors")
    checklists.tick(step(change, StepKind.ROLLBACK), by=change.implementer, at=TOMORROW + 6 * MINUTE)
    checklists.fail(
        step(change, StepKind.ROLLBACK, 2), by=change.implementer, at=TOMORROW + HOUR / 4, reason="It sticks"
    )
    change = services.verify(change, by=change.implementer, at=TOMORROW + HOUR / 3)
    words = {"review": "It stuck.", "by": change.requester, "at": TOMORROW + HOUR}
    with pytest.raises(Refused, match=r"Step 2 of the rollback, .* failed"):
        services.close(change, outcome=Outcome.ROLLED_BACK, **words)
    assert services.close(change, outcome=Outcome.FAILED, **words).outcome == Outcome.FAILED


def test_whoever_tampers_with_the_steps_afterwards_does_not_change_what_is_worked():
    change = started()
    with acting(by="system: tests", at=TOMORROW, reason="Tampering"):
        for row in ChangeStep.objects.filter(change=change, kind=StepKind.ROLLBACK):
            row.text = "Drop everything"
            row.save()
    change = services.roll_back(change, by=change.implementer, at=TOMORROW + MINUTE, reason="Errors")
    assert texts(run_of(change, StepKind.ROLLBACK)) == ["Undo it (10 min)", "Fill the queue"]


def test_an_emergency_is_worked_by_what_its_approval_is_asked_for():
    change = make_emergency(steps=STEPS)
    authority = make_person("Ruth Bergqvist", "change-approver")
    change = services.start_emergency(
        change, authority=authority, by=change.implementer, at=TOMORROW, reason="It burns"
    )
    assert run_of(change, StepKind.IMPLEMENTATION).digest == request_of(change).digest
    with pytest.raises(Refused, match="2 steps of the implementation"):
        services.verify(change, by=change.implementer, at=TOMORROW + MINUTE)


def test_rules_start_checklists_with_changes_and_none_is_started_before_or_after():
    checklist = make_checklist()
    ChecklistRule.objects.create(checklist=checklist, kind="change", type="normal")
    change = make_scheduled()
    with pytest.raises(RunRefused, match="is over"):
        checklists.start(checklist, subject=change, by=change.implementer, at=NOON)
    change = services.start(change, by=change.implementer, at=TOMORROW)
    assert ChecklistRun.objects.of(change).filter(checklist=checklist).exists()
    change = verify(change, at=TOMORROW + MINUTE)
    change = services.close(change, outcome=Outcome.SUCCESSFUL, by=change.requester, at=TOMORROW + HOUR)
    assert not ChecklistRun.objects.of(change).filter(ended_at=None).exists()


def test_the_versions_of_runbooks_that_it_follows_are_approved_with_it():
    system = make_system("desk", owner=make_team("ops"))
    version = make_published(system=system).versions.get()
    change = make_assessed(systems=[system], runbooks=[version])
    assert f"version 1, SHA-256 {version.digest}" in request_of(change).shown
    services.revise(change, services.Plan(runbooks=[]), by=change.requester, at=NOON)
    assert request_of(change).state == "voided"


def test_a_version_that_is_superseded_is_not_handed_in():
    runbook = make_published(system=make_system("desk"))
    change = make_change(runbooks=[runbook.versions.get()])
    runbooks.begin(runbook, text=TEXT.replace("Start the queue", "Start both"), by=writer(), at=NOON)
    publish(runbook.versions.get(number=2))
    with pytest.raises(Refused, match=r"Not in force any more: .* version 1. Choose the version that is"):
        services.submit(change, by=change.requester, at=NOON)


def test_procedures_of_the_versions_that_it_names_are_worked_for_it_and_no_others():
    system = make_system("desk", owner=make_team("ops"))
    named, other = make_published(system=system), make_published("Another", system=system)
    change = make_started(systems=[system], runbooks=[named.versions.get()])
    procedure, elsewhere = (Procedure.objects.filter(version__runbook=one)[0] for one in (named, other))
    words = {"subject": change, "by": change.implementer, "at": TOMORROW}
    assert checklists.start_procedure(procedure, **words).runbook_version == named.versions.get()
    with pytest.raises(RunRefused, match="does not name"):
        checklists.start_procedure(elsewhere, **words)


def test_a_record_says_which_links_it_takes():
    change, incident = make_change(), make_incident()
    with pytest.raises(Refused, match="carries out no such record as INC"):
        services.relate(change, incident, kind="carries_out", by=change.requester, at=NOON)
    assert "carries_out" not in linking.takes(incident)
    services.relate(change, incident, kind="fixes", by=change.requester, at=NOON)
    assert records.links_of(change, user=change.requester)[0].words == "Fixes"


def test_nothing_of_it_is_kept_when_the_start_is_refused():
    change = make_scheduled()
    with pytest.raises(Refused, match="has not begun"):
        services.start(change, by=change.implementer, at=NOON)
    assert not ChecklistRun.objects.exists()
    assert Change.objects.get(pk=change.pk).started_text == ""
