"""What reconciliation finds becomes one security incident, asked for by a demand."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import models

from incidents import services, sweeps
from incidents.models import Incident
from portal.assurance.services import reconciliation
from portal.assurance.tasks import reconcile as task
from portal.audit import reconciling
from portal.audit.models import Reconciliation, TrailRow
from portal.dashboard import loops
from portal.directory.models import Severity, System
from portal.records.models import Demand
from tests.factories.directory import NOON, make_channel, make_system

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def tamper(code="SEV-1", target="3 days"):
    models.QuerySet(Severity).filter(code=code).update(target=target)


def night(number=0):
    """Let the engine run one night: reconcile, and answer what was asked."""
    at = NOON + number * DAY
    reconciliation.nightly(now=lambda: at)
    sweeps.sweep_incidents(at=at)


def settled(incident, at):
    for act in (services.acknowledge, services.resolve):
        act(incident, by="system: tests", at=at)


def test_a_finding_opens_a_security_incident():
    tamper()
    night()
    incident = Incident.objects.get()
    assert (incident.type, incident.severity.level, incident.is_major) == ("security", 2, True)
    assert incident.title.startswith("Severity SEV-1 Critical (number ")
    assert incident.title.endswith(" does not agree with its history")
    assert "target: it holds another value than its newest history row." in incident.description
    assert "What to do next" in incident.description
    assert incident.source == "system: reconciliation"


def test_nothing_found_asks_for_nothing():
    night()
    assert reconciling.last_run().found == 0
    assert not Demand.objects.exists()


def test_the_same_finding_opens_no_second_incident_while_the_first_is_open():
    tamper()
    for number in range(3):
        night(number)
    assert Incident.objects.count() == 1
    assert Demand.objects.count() == 1
    assert Reconciliation.objects.filter(found=1).count() == 3


def test_the_same_finding_is_asked_for_once_while_nobody_answers():
    tamper()
    for number in range(3):
        reconciliation.nightly(now=lambda number=number: NOON + number * DAY)
    assert Demand.objects.count() == 1


def test_another_value_in_the_same_field_is_the_same_finding():
    tamper()
    night()
    tamper(target="4 days")
    night(1)
    assert Incident.objects.count() == 1


def test_a_new_finding_opens_an_incident_of_its_own():
    tamper()
    night()
    tamper("SEV-2")
    night(1)
    assert Incident.objects.count() == 2
    newest = Incident.objects.latest("id")
    assert "SEV-2" in newest.title
    assert "SEV-1" not in newest.title + newest.description


def test_what_was_closed_without_being_put_right_opens_one_again():
    tamper()
    night()
    settled(Incident.objects.get(), NOON + timedelta(hours=1))
    night(1)
    assert Incident.objects.count() == 2


def test_what_was_put_right_is_found_no_more():
    tamper()
    night()
    severity = Severity.objects.get(code="SEV-1")
    severity.target = "15 minutes"
    severity.save()
    night(1)
    assert reconciling.last_run().found == 0
    assert Incident.objects.count() == 1


def test_many_findings_are_one_incident_that_names_the_first():
    models.QuerySet(System).bulk_create([System(slug=f"s{number}", name=f"System {number}") for number in range(40)])
    night()
    incident = Incident.objects.get()
    assert incident.title == "40 findings: rows do not agree with their history"
    assert incident.description.count("stands without any history") == reconciliation.MOST_NAMED
    assert "and 10 more" in incident.description


def test_the_incident_tells_no_values():
    channel = make_channel(kind="slack", address="https://hooks.slack.com/services/T1/B2/verysecret")
    system = make_system(description="Nobody knows")
    models.QuerySet(type(channel)).filter(pk=channel.pk).update(address="https://hooks.slack.com/services/T1/B2/stolen")
    models.QuerySet(System).filter(pk=system.pk).update(description="Everybody knows")
    night()
    text = Incident.objects.get().description
    assert not any(word in text for word in ("verysecret", "stolen", "Nobody knows", "Everybody knows"))


def test_it_says_since_when_the_record_was_whole():
    night()
    tamper()
    night(1)
    assert "since 2026-11-17 12:00 UTC, when nothing differed" in Incident.objects.get().description


def test_a_severity_table_of_ones_own_still_opens_it():
    for severity in Severity.objects.filter(level__gt=1):
        models.QuerySet(Severity).filter(pk=severity.pk).update(level=severity.level + 4, code=f"P{severity.level}")
    night()
    assert Incident.objects.get().severity.level == 6


class TestEdges:
    def test_the_task_acts_as_itself_and_says_why(self):
        task.run()
        row = TrailRow.objects.get(model="audit.reconciliation")
        assert (row.actor_name, row.origin, row.reason) == (
            "system: reconciliation",
            "task",
            "The run of every night",
        )

    def test_the_loop_without_redis_reconciles_too(self):
        steps = {name: step for name, step, _ in loops._steps("", 2.0)}
        steps["reconciliation"]()
        assert reconciling.last_run().nightly


def command(*arguments):
    out = io.StringIO()
    try:
        call_command("audit", "reconcile", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


class TestTheCommand:
    def test_it_says_that_nothing_differs(self):
        code, out = command()
        assert code == 0
        assert out.startswith("Nothing differs: ")

    def test_it_names_what_differs_and_fails(self):
        tamper()
        code, out = command()
        assert code == 1
        assert "target is 3 days, history says 15 minutes." in out
        assert "1 finding: " in out
        assert Demand.objects.get().topic == "incident.open"

    def test_it_prints_json(self):
        tamper()
        code, out = command("--json")
        told = json.loads(out)
        assert (code, told["found"], told["by"]) == (1, 1, "test")
        assert told["findings"][0]["kind"] == "differs"
        assert told["findings"][0]["sentence"].startswith("Severity SEV-1 Critical")
        assert told["rows"] > 100
