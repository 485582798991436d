"""The page of a run, its live parts, its verbs, and the matrix that agrees with the timeline to the second."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from portal.records import services as records
from portal.runbooks.checklists import services
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.models import ChecklistRun
from tests.factories.checklists import make_checklist, make_run, make_worker, step_of
from tests.factories.directory import NOON
from tests.factories.evidence import make_evidence
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def amara(client):
    user = make_worker("amara", "ops", first_name="Amara", last_name="Okafor")
    client.force_login(user)
    return user


def address(name, run, *args):
    return reverse(f"checklists:{name}", args=[run.reference, *args])


def test_the_room_of_an_incident_shows_progress_by_team(client, amara):
    incident = make_incident(severity=1)
    (run,) = ChecklistRun.objects.of(incident)
    services.tick_all(run.steps.filter(team__slug="support"), by=amara, at=NOON)
    (progress,) = client.get(incident.get_absolute_url()).context["checklists"].runs
    assert [(share.slug, share.words) for share in progress.teams] == [
        ("oncall", "0 of 16"), ("security", "0 of 16"), ("platform", "0 of 16"), ("support", "16 of 16"),
        ("ops", "0 of 16"),
    ]  # fmt: skip
    assert progress.whole.words == "16 of 80"
    text = client.get(reverse("incidents:live", args=[incident.reference])).content.decode()
    assert "16 of 80" in text


def test_ticking_with_htmx_gives_the_step_and_the_progress(client, amara):
    run = make_run()
    page = client.post(address("tick", run), {"step": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<li id="step-1" class="step step--done">')
    assert "1 of 5" in page
    assert client.post(address("tick", run), {"step": "2"}).url == f"{run.get_absolute_url()}#step-2"


def test_the_second_is_told_and_sees_the_step_as_it_stands(client, amara):
    run, other = make_run(), make_worker("tomasz", "ops", first_name="Tomasz", last_name="Wieczorek")
    services.tick(step_of(run), by=other, at=NOON)
    page = client.post(address("tick", run), {"step": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert "Tomasz Wieczorek ticked step 1 already, Tue 17 Nov 2026, 12:00:00 GMT." in page
    assert "step--done" in page


def test_live_parts_are_the_steps_that_changed_since(client, amara):
    run = make_run()
    services.tick(step_of(run, 2), by=amara, at=NOON)
    since = (NOON - timedelta(seconds=1)).isoformat()
    page = client.get(address("live", run), {"since": since}).content.decode()
    assert re.findall(r'<li id="step-(\d+)"', page) == ["2"]
    page = client.get(address("live", run), {"since": (NOON + timedelta(minutes=5)).isoformat()}).content.decode()
    assert "<li id=" not in page
    assert client.get(address("live", run), {"since": "yesterday"}).status_code == 200


@pytest.mark.parametrize(
    ("verb", "words", "state"),
    [
        ("fail", {"reason": "It hangs"}, StepState.FAILED),
        ("skip", {"reason": "Not here"}, StepState.SKIPPED),
        ("note", {"text": "CPU is at 90 %"}, StepState.OPEN),
    ],
)
def test_a_verb_acts_once_and_asks_for_its_words(client, amara, verb, words, state):
    run = make_run()
    page = address("act-on-step", run, 1, verb)
    assert client.get(page).status_code == 200
    assert client.post(page, {"once": str(uuid.uuid4())}).status_code == 422
    sent = {**words, "once": str(uuid.uuid4())}
    for _ in range(2):
        assert client.post(page, sent).url == f"{run.get_absolute_url()}#step-1"
    assert step_of(run).state == state
    assert step_of(run).events.count() == 1


def test_evidence_is_attached_and_the_step_undone_from_their_pages(client, amara):
    run = make_run()
    item = make_evidence(subject=run.subject)
    make_evidence()
    form = client.get(address("act-on-step", run, 1, "attach")).context["form"]
    assert list(form.fields["evidence"].queryset) == [item]
    once = {"once": str(uuid.uuid4())}
    client.post(address("act-on-step", run, 1, "attach"), {"evidence": str(item.pk), **once})
    services.tick(step_of(run), by=amara, at=NOON)
    client.post(address("act-on-step", run, 1, "undo"), {"reason": "Too early", "once": str(uuid.uuid4())})
    text = client.get(address("step", run, 1)).content.decode()
    assert item.reference in text
    assert "takes back what Amara Okafor did" in text


def test_the_matrix_agrees_with_the_timeline_to_the_second(client, amara):
    run = make_run()
    for second, verb in enumerate((services.fail, services.tick), start=3):
        words = {"reason": "It hangs"} if verb is services.fail else {}
        verb(step_of(run, 4), by=amara, at=NOON + timedelta(seconds=second), **words)
    services.undo(step_of(run, 4), by=amara, at=NOON + timedelta(seconds=9), reason="Too early")
    (row,) = [row for row in client.get(address("matrix", run)).context["rows"] if row.step.position == 4]
    cells = {(cell.at, cell.by) for _, found in row.cells for cell in found}
    notes = records.timeline(run.subject).filter(kind="checklist")
    assert cells == {(note.event_at, note.actor_name) for note in notes if 4 in note.data["steps"]}
    assert {name: [cell.undone for cell in found] for name, found in row.cells if found} == {
        "Open again": [False], "Done": [True], "Failed": [False],
    }  # fmt: skip


def test_a_checklist_is_started_by_hand_for_an_incident_once(client, amara):
    incident, checklist = make_incident(severity=4), make_checklist()
    page = reverse("checklists:start-for", args=["incident", incident.pk])
    assert client.get(page).status_code == 200
    sent = {"checklist": str(checklist.pk), "reason": "", "once": str(uuid.uuid4())}
    for _ in range(2):
        assert client.post(page, sent).status_code == 302
    (run,) = ChecklistRun.objects.of(incident)
    client.post(address("act-on-run", run, "end"), {"reason": "By mistake", "once": str(uuid.uuid4())})
    run.refresh_from_db()
    assert run.is_over
    assert client.get(reverse("checklists:runs") + "?show=all").context["rows"][0][1] == incident
