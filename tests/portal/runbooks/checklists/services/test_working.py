"""Working a run: every change is an event and a line of the timeline; the second is told who was first."""

from datetime import timedelta

import pytest

from incidents import services as incidents
from portal.audit.facts import AppendOnly
from portal.directory.models import Contact
from portal.records import services as records
from portal.runbooks.checklists import services
from portal.runbooks.checklists.enums import StepState, What
from portal.runbooks.checklists.policy import Refused, Taken
from portal.runbooks.models import ChecklistRun, RunEvent, RunStep
from tests.factories.checklists import make_checklist, make_run, make_worker, step_of
from tests.factories.directory import NOON, make_team
from tests.factories.evidence import make_evidence
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(seconds=72)


@pytest.fixture
def amara():
    return make_worker("amara", "ops", first_name="Amara", last_name="Okafor")


@pytest.fixture
def tomasz():
    return make_worker("tomasz", "platform", first_name="Tomasz", last_name="Wieczorek")


@pytest.fixture
def run():
    return make_run()


def lines(run):
    return [note.text for note in records.timeline(run.subject).filter(kind="checklist").order_by("pk")]


def events(run, position=1):
    rows = RunEvent.objects.filter(run=run, step__position=position).order_by("pk")
    return [(event.what, event.actor_name, event.result) for event in rows]


def test_ticking_keeps_who_and_when_in_row_event_and_timeline(run, amara):
    services.tick(step_of(run), by=amara, at=LATER)
    step, event = step_of(run), RunEvent.objects.get(step__run=run)
    note = records.timeline(run.subject).filter(kind="checklist").latest("pk")
    assert (step.state, step.settled_by, step.settled_at) == (StepState.DONE, "Amara Okafor", LATER)
    assert (event.at, event.actor_user_id) == (LATER, amara.pk)
    assert (note.event_at, note.data["steps"], note.actor_name) == (LATER, [1], "Amara Okafor")
    assert note.text == f"ticked step 1 of “{run.name}”"


def test_the_second_is_told_who_was_first_and_when(run, amara, tomasz):
    services.tick(step_of(run), by=tomasz, at=LATER)
    with pytest.raises(Taken, match=r"^Tomasz Wieczorek ticked step 1 already, Tue 17 Nov 2026, 12:01:12 UTC\.$"):
        services.tick(step_of(run), by=amara, at=LATER)
    with pytest.raises(Taken, match=r"^You ticked step 1 already"):
        services.tick(step_of(run), by=tomasz, at=LATER)
    assert events(run) == [("ticked", "Tomasz Wieczorek", "done")]


def test_many_are_ticked_at_once_and_what_was_taken_is_told(run, amara, tomasz):
    services.tick(step_of(run, 2), by=tomasz, at=NOON)
    outcome = services.tick_all(RunStep.objects.filter(run=run, position__lte=3), by=amara, at=LATER)
    assert [step.position for step in outcome.done] == [1, 3]
    assert [(step.position, words.partition(",")[0]) for step, words in outcome.refused] == [
        (2, "Tomasz Wieczorek ticked step 2 already")
    ]
    assert lines(run)[-1] == f"ticked steps 1 and 3 of “{run.name}”"
    assert RunEvent.objects.filter(run=run, what=What.TICKED).count() == 3


def test_what_failed_can_be_ticked_later_and_both_stay(run, amara):
    services.fail(step_of(run), by=amara, at=NOON, reason="It hangs")
    assert step_of(run).result == "It hangs"
    services.tick(step_of(run), by=amara, at=LATER)
    assert [what for what, _, _ in events(run)] == ["failed", "ticked"]


@pytest.mark.parametrize("verb", ["fail", "skip", "undo"])
def test_a_reason_is_asked_for(run, amara, verb):
    with pytest.raises(Refused, match="Say in a sentence"):
        getattr(services, verb)(step_of(run), by=amara, at=NOON, reason=" ")


def test_undoing_is_a_new_event_that_names_what_it_takes_back(run, amara, tomasz):
    services.skip(step_of(run), by=amara, at=NOON, reason="Not here")
    services.undo(step_of(run), by=tomasz, at=LATER, reason="It is here")
    assert (step_of(run).state, step_of(run).settled_at) == (StepState.OPEN, None)
    skipped, undone = RunEvent.objects.filter(step__run=run).order_by("pk")
    assert undone.undoes == skipped
    with pytest.raises(AppendOnly):
        skipped.save()
    with pytest.raises(Refused, match="nothing to undo"):
        services.undo(step_of(run), by=tomasz, at=LATER, reason="Again")


def test_a_step_is_handed_to_a_team_or_to_a_person(run, amara, tomasz):
    ops = make_team("ops")
    services.hand_over(step_of(run), by=amara, at=NOON, team=ops)
    assert step_of(run).team == ops
    with pytest.raises(Refused, match="already"):
        services.hand_over(step_of(run), by=amara, at=NOON, team=ops)
    person = Contact.objects.get(user=tomasz)
    services.hand_over(step_of(run), by=amara, at=NOON, person=person)
    assert step_of(run).assignee == person
    with pytest.raises(Refused, match="not both"):
        services.hand_over(step_of(run), by=amara, at=NOON, person=person, team=ops)
    assert lines(run)[-1].endswith("over to Tomasz Wieczorek")


def test_notes_and_evidence_of_the_same_record_stand_at_a_step(run, amara):
    item = make_evidence(subject=run.subject)
    services.add_note(step_of(run), text="CPU is at 90 %", by=amara, at=NOON)
    services.attach(step_of(run), evidence=item, by=amara, at=NOON)
    assert [what for what, _, _ in events(run)] == ["noted", "attached"]
    with pytest.raises(Refused, match="no evidence of the record"):
        services.attach(step_of(run), evidence=make_evidence(), by=amara, at=NOON)
    with pytest.raises(Refused, match="Write what"):
        services.add_note(step_of(run), text=" ", by=amara, at=NOON)


def test_a_run_ends_with_its_last_step_and_goes_on_when_that_is_undone(amara):
    run = make_run(make_checklist(steps=2))
    services.tick(step_of(run, 1), by=amara, at=NOON)
    services.skip(step_of(run, 2), by=amara, at=LATER, reason="Not here")
    run.refresh_from_db()
    assert (run.ended_at, run.ended_by) == (LATER, "Amara Okafor")
    services.undo(step_of(run, 1), by=amara, at=LATER, reason="Too early")
    run.refresh_from_db()
    assert not run.is_over


def test_what_is_left_open_is_neither_ticked_nor_lost(run, amara):
    services.tick(step_of(run, 1), by=amara, at=NOON)
    services.end(run, by=amara, at=LATER, reason="It was another system")
    assert RunStep.objects.filter(run=run, state=StepState.LEFT).count() == 4
    for refused in (
        lambda: services.tick(step_of(run, 2), by=amara, at=LATER),
        lambda: services.undo(step_of(run, 1), by=amara, at=LATER, reason="No"),
    ):
        with pytest.raises(Refused, match="has ended"):
            refused()
    services.resume(run, by=amara, at=LATER, reason="It is ours after all")
    services.tick(step_of(run, 2), by=amara, at=LATER)
    assert step_of(run, 3).state == StepState.OPEN


def test_the_runs_of_a_duplicate_end_when_it_is_merged(amara):
    incident, survivor = make_incident(severity=4), make_incident(severity=4)
    run = make_run(subject=incident)
    incidents.merge(incident, into=survivor, by=amara, at=NOON, reason="The same cause")
    run.refresh_from_db()
    assert run.is_over


def test_the_runs_of_an_incident_end_with_it_and_go_on_with_it(amara):
    incident = make_incident(severity=4)
    run = make_run(subject=incident)
    incidents.cancel(incident, by=amara, at=NOON, reason="None")
    run.refresh_from_db()
    assert run.is_over
    with pytest.raises(Refused, match="is over"):
        services.resume(run, by=amara, at=LATER, reason="Still")
    incidents.reopen(incident, by=amara, at=LATER, reason="It was one")
    assert not ChecklistRun.objects.get(pk=run.pk).is_over
    assert step_of(run).state == StepState.OPEN
