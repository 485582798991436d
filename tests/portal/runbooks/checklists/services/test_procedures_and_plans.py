"""What is worked that is no checklist: a procedure of a runbook as it stands in force, and a record's own plan."""

import pytest

from incidents import services as incidents
from incidents.enums import IncidentType
from portal.records import services as records
from portal.runbooks import services as runbooks
from portal.runbooks.checklists import services
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.checklists.selectors.finding import procedures_for
from portal.runbooks.checklists.services import Line
from portal.runbooks.models import Procedure, RunStep
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system, make_team
from tests.factories.incidents import make_incident
from tests.factories.runbooks import TEXT, make_published, publish, writer

pytestmark = pytest.mark.django_db
BY = "system: tests"


@pytest.fixture
def desk():
    return make_system("desk", owner=make_team("ops"))


def procedure_of(runbook, title="Startup Procedure"):
    return Procedure.objects.get(version__runbook=runbook, version__state="published", title=title)


def start_plan(subject, **given):
    words = {"name": "Way back", "plan": "rollback", "digest": "a" * 64, "subject": subject, "by": BY, "at": NOON}
    return services.start_plan([Line("Undo it. (5 min)", make_team("ops"))], **{**words, **given})


def test_a_procedure_is_worked_word_for_word_on_the_board_of_its_keeper(desk):
    runbook, incident = make_published(system=desk), make_incident(severity=4, systems=[desk])
    run = services.start_procedure(procedure_of(runbook), subject=incident, by=BY, at=NOON)
    version = runbook.versions.get()
    assert (run.name, run.runbook_version, run.digest) == ("Startup Procedure", version, version.digest)
    assert list(RunStep.objects.filter(run=run).values_list("text", "team__slug")) == [
        ("Beforehand: Database is up", "ops"), ("Start the queue", "ops"), ("Start the web processes", "ops"),
        ("Check: Health checks pass", "ops"),
    ]  # fmt: skip
    assert "started the checklist “Startup Procedure”, 4 steps" in [n.text for n in records.timeline(incident)]


def test_a_version_that_is_superseded_starts_no_run(desk):
    runbook = make_published(system=desk)
    old = procedure_of(runbook)
    runbooks.begin(runbook, text=TEXT.replace("Start the queue", "Start both queues"), by=writer(), at=NOON)
    publish(runbook.versions.get(number=2))
    with pytest.raises(Refused, match="is not in force"):
        services.start_procedure(Procedure.objects.get(pk=old.pk), by=BY, at=NOON)
    assert procedures_for(make_user("reader", roles=["responder"]), desk).first().version.number == 2


def test_nobody_s_runbook_starts_no_run():
    with pytest.raises(Refused, match="Nobody keeps"):
        services.start_procedure(procedure_of(make_published()), by=BY, at=NOON)


def test_while_shutting_down_is_held_back_the_procedure_for_it_is_neither_offered_nor_started(desk):
    text = TEXT.replace("### Rotate the signing key", "### Shutdown Procedure")
    shutdown = procedure_of(make_published(system=desk, text=text), "Shutdown Procedure")
    reader = make_user("reader", roles=["responder"])
    assert shutdown in procedures_for(reader, desk)
    incident = make_incident(severity=4, systems=[desk])
    incidents.set_type(incident, type=IncidentType.SECURITY, by=BY, at=NOON)
    assert [one.title for one in procedures_for(reader, desk)] == ["Startup Procedure", "Security Incident Response"]
    for subject in (incident, desk, None):
        with pytest.raises(Refused, match="Do not shut this system down"):
            services.start_procedure(shutdown, subject=subject, by=BY, at=NOON)


def test_a_plan_is_started_once_and_stands_on_the_board_of_whoever_it_is_given_to():
    incident, person = make_incident(severity=4), make_contact("Amara Okafor")
    run = start_plan(incident, assignee=person)
    assert (run.plan, run.digest, run.checklist, run.version) == ("rollback", "a" * 64, None, None)
    assert RunStep.objects.get(run=run).assignee == person
    with pytest.raises(Refused, match="was started already"):
        start_plan(incident)
    assert start_plan(make_incident(severity=4)).plan == "rollback"


def test_a_plan_without_steps_is_no_run():
    with pytest.raises(Refused, match="has no steps"):
        services.start_plan(
            [], name="Way back", plan="rollback", digest="a" * 64, subject=make_incident(severity=4), by=BY, at=NOON
        )


def test_a_procedure_is_started_on_the_page_of_a_record(client, desk):
    procedure = procedure_of(make_published(system=desk))
    client.force_login(make_user("amara", roles=["responder"]))
    incident = make_incident(severity=4, systems=[desk])
    address = f"/checklists/start/incident/{incident.pk}/"
    form = client.get(f"{address}?procedure={procedure.pk}").context["form"]
    assert form["procedure"].value() == procedure.pk
    both = client.post(address, {"once": form["once"].value()})
    assert (both.status_code, "one of the two" in both.content.decode()) == (422, True)
    page = client.post(address, {"once": form["once"].value(), "procedure": procedure.pk}, follow=True)
    assert "Ticket desk, version 1" in page.content.decode()
    assert "Start the web processes" in page.content.decode()
