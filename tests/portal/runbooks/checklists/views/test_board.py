"""The board: my open steps across all incidents, oldest first, ticked one by one or many at once."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.directory.models import Contact
from portal.runbooks.checklists import services
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.models import ChecklistRun, RunStep
from tests.factories.accounts import make_user
from tests.factories.checklists import make_checklist, make_run, make_worker, step_of
from tests.factories.directory import NOON
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
BOARD = reverse("checklists:board")


@pytest.fixture
def amara(client):
    user = make_worker("amara", "ops", first_name="Amara", last_name="Okafor")
    client.force_login(user)
    return user


def shown(client, query=""):
    return [row.step for row in client.get(BOARD + query).context["board"].rows]


def test_it_shows_the_steps_of_my_teams_and_those_handed_to_me(client, amara):
    run = make_run()
    assert shown(client) == [step_of(run, 5)]
    services.hand_over(step_of(run, 1), by=amara, at=NOON, person=Contact.objects.get(user=amara))
    assert shown(client) == [step_of(run, 1), step_of(run, 5)]
    services.tick(step_of(run, 5), by=amara, at=NOON)
    assert shown(client) == [step_of(run, 1)]
    assert len(shown(client, "?team=all")) == 4
    assert shown(client, "?team=security") == [step_of(run, 2)]


def test_the_oldest_comes_first(client, amara):
    late = make_run(make_checklist(teams=["ops"], steps=1))
    early = make_run(make_checklist(teams=["ops"], steps=2))
    RunStep.objects.filter(run=early).update(opened_at=NOON - timedelta(hours=2))
    assert [step.run for step in shown(client)] == [early, early, late]


def test_many_are_ticked_at_once_and_what_was_taken_is_told(client, amara):
    run = make_run(make_checklist(teams=["ops"], steps=3))
    other = make_worker("tomasz", "ops", first_name="Tomasz", last_name="Wieczorek")
    services.tick(step_of(run, 2), by=other, at=NOON)
    keys = [str(step_of(run, n).pk) for n in (1, 2)]
    page = client.post(reverse("checklists:tick-many"), {"steps": keys}, follow=True)
    told = [str(message) for message in page.context["messages"]]
    assert told == ["Ticked step 1.", "Tomasz Wieczorek ticked step 2 already, Tue 17 Nov 2026, 12:00:00 GMT."]
    assert step_of(run, 3).state == StepState.OPEN


def test_whoever_may_not_see_the_incident_sees_none_of_its_steps(client):
    run = make_run()
    reader = make_user("reader")
    reader.user_permissions.add(*_permissions("view_runstep", "change_runstep", "view_checklistrun"))
    client.force_login(reader)
    assert shown(client, "?team=all") == []
    client.post(reverse("checklists:tick-many"), {"steps": [str(step_of(run).pk)]})
    assert step_of(run).state == StepState.OPEN
    for name, *args in (("run",), ("matrix",), ("live",), ("step", 1), ("act-on-step", 1, "note")):
        assert client.get(reverse(f"checklists:{name}", args=[run.reference, *args])).status_code == 404
    standing = make_run(subject=None)
    assert client.get(standing.get_absolute_url()).status_code == 200


def test_a_restricted_incident_restricts_its_checklists(client, amara):
    incident = make_incident(severity=3, type="security")
    (run,) = ChecklistRun.objects.of(incident)
    assert incident.restricted
    assert shown(client, "?team=all") == []
    assert client.get(run.get_absolute_url()).status_code == 404
    assert run not in [row[0].run for row in client.get(reverse("checklists:runs")).context["rows"]]
    client.force_login(make_user(roles=["security-lead"]))
    assert len(shown(client, "?team=all")) == 8
    assert client.get(run.get_absolute_url()).status_code == 200


def _permissions(*names):
    return Permission.objects.filter(codename__in=names)


def test_a_board_costs_the_same_however_long(client, amara):
    make_run(make_checklist(teams=["ops"], steps=2))
    client.get(BOARD)
    with CaptureQueriesContext(connection) as few:
        client.get(BOARD)
    for _ in range(4):
        make_run(make_checklist(teams=["ops"], steps=20))
    with CaptureQueriesContext(connection) as many:
        client.get(BOARD)
    assert len(many) == len(few)
