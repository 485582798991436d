"""Do not shut down: a security incident holds the shutdown procedures of its systems until a lead releases them."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from incidents import services
from incidents.policy import Refused
from portal.approvals.policy import Refused as Undecided
from portal.records import services as records
from portal.runbooks import holding
from portal.runbooks.checklists.policy import Refused as NotStarted
from portal.runbooks.models import Checklist, RunbookVersion
from portal.runbooks.services import submit, take_back, write
from tests.factories.accounts import make_user
from tests.factories.approvals import decide, make_person
from tests.factories.checklists import make_run
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident
from tests.factories.runbooks import TEXT, make_published, make_runbook, writer

pytestmark = pytest.mark.django_db
WHY = "The disk is imaged, and the attacker is still in"
SHUTDOWN = TEXT.replace("### Rotate", "### Shutdown Procedure\n\n1. Stop the web processes\n\n### Rotate")


@pytest.fixture
def lead():
    return make_user("leila", roles=["security-lead"], first_name="Leila", last_name="Nasser")


@pytest.fixture
def desk():
    return make_system("desk")


@pytest.fixture
def runbook(desk):
    return make_published(system=desk, text=SHUTDOWN)


@pytest.fixture
def incident(desk):
    return make_incident(severity=3, type="security", systems=[desk])


def test_its_systems_are_held_and_no_others(incident, desk):
    other = make_system()
    assert holding.held([desk.pk, other.pk]) == {desk.pk}


def test_an_operational_one_and_a_drill_hold_nothing(desk):
    make_incident(severity=3, systems=[desk])
    make_incident(severity=3, type="security", systems=[desk], is_drill=True, by=make_user())
    assert not holding.held([desk.pk])


def test_a_security_lead_releases_with_a_reason_and_holds_back_again(incident, desk, lead):
    with pytest.raises(Refused, match="Say in a sentence"):
        services.release_shutdown(incident, by=lead, at=NOON, reason=" ")
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    assert not holding.held([desk.pk])
    note = records.timeline(incident).filter(kind="shutdown").get()
    assert (note.text, note.reason, note.actor_name) == ("released the shutdown procedures", WHY, "Leila Nasser")
    with pytest.raises(Refused, match="released already"):
        services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    services.hold_shutdown(incident, by=lead, at=NOON, reason="It is not imaged after all")
    assert holding.held([desk.pk])


@pytest.mark.parametrize("role", ["responder", "manager", "administrator"])
def test_nobody_else_does(incident, role):
    with pytest.raises(Refused, match="Only a security lead"):
        services.release_shutdown(incident, by=make_user(roles=[role]), at=NOON, reason=WHY)


def test_of_two_incidents_each_is_released_by_itself(incident, desk, lead):
    make_incident(severity=3, type="security", systems=[desk])
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    assert holding.held([desk.pk])


def test_what_is_over_holds_nothing(incident, desk, lead):
    services.cancel(incident, by=lead, at=NOON, reason="None")
    assert not holding.held([desk.pk])
    with pytest.raises(Refused, match="Only a security incident"):
        services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)


def test_the_checklist_that_shuts_down_is_not_started_meanwhile(incident, desk, lead):
    shutdown = Checklist.objects.get(slug="system-shutdown")
    for subject in (incident, desk):
        with pytest.raises(NotStarted, match="Do not shut this system down"):
            make_run(shutdown, subject=subject)
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    assert make_run(shutdown, subject=desk).steps.count() == 6


def test_the_runbook_hides_how_to_shut_down_and_nothing_else(client, runbook, incident, lead):
    client.force_login(make_user(roles=["responder"]))
    hidden = client.get(runbook.get_absolute_url()).content.decode()
    assert "Do not shut this system down" in hidden
    assert "Stop the web processes" not in hidden
    assert "Publish its public half" in hidden
    assert incident.reference not in hidden
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    assert "Stop the web processes" in client.get(runbook.get_absolute_url()).content.decode()


@pytest.mark.parametrize("way", ["compare", "edit", "export"])
def test_no_other_page_hands_out_how_to_shut_down(client, runbook, incident, lead, way):
    numbers = [1] if way == "export" else []
    address = reverse(f"runbooks:{way}", args=[runbook.reference, *numbers])
    client.force_login(make_user(roles=["manager"]))
    refused = client.get(address)
    assert refused.status_code == 403
    assert "Do not shut this system down" in refused.content.decode()
    assert "Stop the web processes" not in refused.content.decode()
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    assert client.get(address).status_code == 200


def test_what_is_said_in_prose_of_shutting_down_is_hidden_too(client, desk, lead):
    text = TEXT.replace(
        "### Rotate", "### How to stop the desk\n\nPull the plug.\n\n#### Disks\n\nThen the disks.\n\n### Rotate"
    )
    runbook = make_published(system=desk, text=text)
    incident = make_incident(severity=3, type="security", systems=[desk])
    client.force_login(make_user(roles=["responder"]))
    hidden = client.get(runbook.get_absolute_url()).content.decode()
    assert "Pull the plug" not in hidden
    assert "Then the disks" not in hidden
    assert "Publish its public half" in hidden
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    assert "Pull the plug" in client.get(runbook.get_absolute_url()).content.decode()


def test_the_file_is_not_printed_meanwhile(runbook, incident, lead):
    with pytest.raises(CommandError, match="Do not shut this system down"):
        call_command("export_runbook", runbook.reference)
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    printed = StringIO()
    call_command("export_runbook", runbook.reference, stdout=printed)
    assert "Stop the web processes" in printed.getvalue()


@pytest.fixture
def manager():
    return make_person("Mona Manager", "manager")


@pytest.fixture
def asked(desk, manager):
    """A version in review that tells how to shut down."""
    version = make_runbook(system=desk, text=SHUTDOWN).versions.get()
    return submit(version, by=writer(), at=NOON, reason="It is ready")


def test_whoever_approves_reads_and_decides_once_it_is_released(client, asked, manager, incident, lead):
    client.force_login(manager)
    hidden = client.get(asked.get_absolute_url()).content.decode()
    assert "Do not shut this system down" in hidden
    assert "Stop the web processes" not in hidden
    assert client.get(reverse("approvals:ask", args=[asked.kind, asked.subject_id])).status_code == 403
    with pytest.raises(Undecided, match="Do not shut this system down"):
        decide(asked, manager)
    with pytest.raises(Undecided, match="Do not shut this system down"):
        decide(asked, manager, "deny", reason="Not like this")
    services.release_shutdown(incident, by=lead, at=NOON, reason=WHY)
    assert "Stop the web processes" in client.get(asked.get_absolute_url()).content.decode()
    decide(asked, manager)


def test_what_was_asked_before_it_was_written_anew_is_kept_back_too(client, asked, manager, desk):
    version = RunbookVersion.objects.get()
    take_back(version, by=writer(), at=NOON, reason="Without the shutdown")
    write(version, text=TEXT, by=writer(), at=NOON)
    make_incident(severity=3, type="security", systems=[desk])
    client.force_login(manager)
    assert "Stop the web processes" not in client.get(asked.get_absolute_url()).content.decode()


def test_the_admin_keeps_the_words_back(admin_client, asked, incident):
    for address in ("approvals_approvalrequest", "runbooks_runbookversion"):
        pk = asked.pk if "request" in address else asked.subject_id
        page = admin_client.get(reverse(f"admin:{address}_change", args=[pk])).content.decode()
        assert "Do not shut this system down" in page
        assert "Stop the web processes" not in page


def test_the_room_shows_the_rule_and_the_button_to_security_leads(client, incident, lead):
    services.lift_restriction(incident, by=lead, at=NOON, reason="Everybody knows")
    page = reverse("incidents:act", args=[incident.reference, "release"])
    for user, shown in ((make_user(roles=["responder"]), False), (lead, True)):
        client.force_login(user)
        text = client.get(incident.get_absolute_url()).content.decode()
        assert "Do not shut down" in text
        assert (page in text) == shown
    assert "Do not shut down" not in client.get(make_incident(severity=3).get_absolute_url()).content.decode()
