"""Starting: the steps are copied, what matches starts with the incident, and no later edit bends a run."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import services as incidents
from portal.audit.actor import acting
from portal.directory.models import Severity
from portal.records import services as records
from portal.runbooks.checklists import services
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.checklists.services import Line
from portal.runbooks.models import Checklist, ChecklistRule, ChecklistRun, RunStep
from tests.factories.checklists import make_checklist, make_run
from tests.factories.directory import NOON, make_severity, make_system, make_team
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def texts(run):
    return list(RunStep.objects.filter(run=run).values_list("position", "text"))


def test_a_later_edit_never_changes_a_run():
    checklist = make_checklist(steps=3)
    run = make_run(checklist)
    before = texts(run)
    line = Line("Something else.", make_team("ops"))
    services.revise(checklist, lines=[line], by="system: tests", at=NOON, reason="Better")
    assert texts(run) == before
    assert texts(make_run(checklist)) == [(1, "Something else.")]
    assert run.version.number == 1


def test_an_edit_keeps_every_version():
    checklist = make_checklist(steps=2)
    line = Line("Something else.", make_team("ops"), "status")
    for _ in range(2):  # the same steps again are no edit
        checklist = services.revise(checklist, lines=[line], by="system: tests", at=NOON, reason="Better")
    assert checklist.version == 2
    assert [version.steps.count() for version in checklist.versions.order_by("number")] == [2, 1]
    with pytest.raises(Refused, match="version 2 is in force"):
        services.revise(checklist, lines=[line], by="system: tests", at=NOON, reason="Late", seen=1)


@pytest.mark.parametrize("steps", [1, 20, 80])
def test_starting_takes_the_same_queries_however_long(steps):
    checklist, incident = make_checklist(steps=steps), make_incident(severity=4)
    make_run(make_checklist(steps=1), subject=incident)
    with CaptureQueriesContext(connection) as queries:
        make_run(checklist, subject=incident)
    assert len(queries) <= 12


def test_opening_an_incident_starts_what_matches():
    incident = make_incident(severity=1)
    (run,) = ChecklistRun.objects.of(incident)
    assert (run.name, run.steps.count()) == ("Incident response", 80)
    assert run.rule == "Incident: SEV-1"
    assert "started the checklist “Incident response”, 80 steps" in [n.text for n in records.timeline(incident)]
    assert not ChecklistRun.objects.of(make_incident(severity=3)).exists()


def test_a_rule_asks_severity_type_and_system_together():
    checklist, mail = make_checklist(), make_system("mail")
    ChecklistRule.objects.create(checklist=checklist, severity=make_severity(3), type="operational", system=mail)
    assert not ChecklistRun.objects.of(make_incident(severity=3)).exists()
    assert not ChecklistRun.objects.of(make_incident(severity=4, systems=[mail])).exists()
    assert ChecklistRun.objects.of(make_incident(severity=3, systems=[make_system(), mail])).count() == 1


def test_what_an_incident_becomes_starts_what_matches_then_and_nothing_twice():
    incident = make_incident(severity=3)
    incidents.reclassify(incident, severity=Severity.objects.get(level=1), by="system: tests", at=NOON)
    incidents.set_type(incident, type="security", by="system: tests", at=NOON)
    incidents.reclassify(incident, severity=Severity.objects.get(level=2), by="system: tests", at=NOON)
    names = ChecklistRun.objects.of(incident).values_list("name", flat=True)
    assert sorted(names) == ["Incident response", "Security incident response"]


def test_nothing_is_started_for_what_is_over_or_from_what_is_worked_no_more():
    incident = incidents.cancel(make_incident(severity=4), by="system: tests", at=NOON, reason="None")
    with pytest.raises(Refused, match="is over"):
        make_run(subject=incident)
    checklist = make_checklist()
    checklist.active = False
    with acting(by="system: tests", reason="Old"):
        checklist.save()
    with pytest.raises(Refused, match="worked no more"):
        make_run(checklist)


def test_a_standing_duty_is_started_for_no_record():
    run = make_run(Checklist.objects.get(slug="daily-operations"), subject=None)
    assert run.subject is None
    assert run.steps.count() == 8
