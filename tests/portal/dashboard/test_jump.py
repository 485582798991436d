"""The jump box: a reference leads to its record, other words to what search finds."""

import pytest

from portal.dashboard.selectors import jumping
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person, make_request
from tests.factories.directory import make_contact, make_system, make_team
from tests.factories.exercises import make_exercise, make_recovery_plan
from tests.factories.incidents import make_incident
from tests.factories.maintenance import make_plan, standing
from tests.factories.runbooks import make_published
from tests.maintenance.test_backups import make_backup

pytestmark = pytest.mark.django_db


@pytest.fixture
def jump(client):
    client.force_login(make_user(roles=["responder"]), backend="django.contrib.auth.backends.ModelBackend")
    return lambda words: client.get("/jump/", {"q": words})


@pytest.mark.parametrize("spelling", ["{0}", "inc-{1}", "INC {1}", "{1}", "inc{1}", "  {0}  "])
def test_a_reference_in_any_spelling_leads_to_its_room(jump, spelling):
    incident = make_incident(at=clock.now())
    number = int(incident.reference.removeprefix("INC-"))

    answer = jump(spelling.format(incident.reference, number))

    assert answer.status_code == 302
    assert answer.url == incident.get_absolute_url()


@pytest.mark.parametrize("spelling", ["APR-000001", "apr-1", "APR 1", "apr1"])
def test_the_reference_of_an_approval_leads_to_its_page(jump, spelling):
    make_person("Hannah Whitcombe", "manager")
    make_person("Arjun Mehta", "change-approver")
    assert jump(spelling).status_code == 200
    make_request(at=clock.now())
    assert jump(spelling).url == "/approvals/APR-000001/"


@pytest.mark.parametrize("spelling", ["{0}", "{1}", "{2}"])
def test_the_reference_of_a_backup_leads_to_it_though_an_incident_names_it(jump, spelling):
    backup = make_backup()
    make_incident(title=f"{backup.reference} is silent", at=clock.now())
    number = int(backup.reference.removeprefix("BKP-"))
    assert jump(spelling.format(backup.reference, f"bkp {number}", f"BKP{number}")).url == backup.get_absolute_url()


def test_the_references_of_maintenance_and_recovery_lead_to_their_pages(jump):
    plan = make_plan()
    recovery = make_recovery_plan()
    for record in (plan, recovery, make_exercise(recovery), make_published()):
        assert jump(record.reference).url == record.get_absolute_url()
    assert jump("RCP-000999").status_code == 200


@pytest.mark.parametrize("spelling", ["MNT-{0:06d}.1", "mnt {0}.1", "mnt{0}.01"])
def test_the_reference_of_one_date_leads_to_its_page(jump, spelling):
    plan = make_plan(task="Turn the logs")
    number = int(plan.reference.removeprefix("MNT-"))
    assert jump(spelling.format(number)).url == standing(plan).get_absolute_url()
    page = jump(f"{plan.reference}.99")
    assert page.status_code == 200
    [hit] = jumping.named(standing(plan).reference, make_user("responder-2", roles=["responder"]))
    assert (hit.kind, hit.name) == ("Maintenance date", "Turn the logs")
    assert hit.detail == f"{plan.reference}.1 · {standing(plan).due_on:%a %d %b %Y} · Open"
    assert jumping.named(standing(plan).reference, make_user("guest")) == []


def test_the_name_of_one_system_leads_to_it(jump):
    make_system("search-index", name="Search Index")
    assert jump("search ind").url == "/directory/systems/search-index/"


def test_the_name_of_a_person_or_a_team_leads_to_the_people(jump):
    mei = make_contact("Mei Tanaka")
    make_team("night-watch", name="Night watch")

    assert jump("tanaka").url == f"/directory/people/#contact-{mei.pk}"
    assert jump("night watch").url == "/directory/people/#team-night-watch"


def test_a_word_of_a_title_leads_to_the_incident(jump):
    incident = make_incident(title="Attachments cannot be uploaded", at=clock.now())
    assert jump("uploaded attach").url == incident.get_absolute_url()


def test_several_hits_are_listed_with_what_they_are(jump):
    make_system("mail-intake", name="Mail Intake")
    make_incident(title="Mail stands still", at=clock.now())

    text = jump("mail").content.decode()

    assert "<mark>Mail</mark> Intake" in text
    assert "<mark>Mail</mark> stands still" in text
    assert "System" in text
    assert "Incident" in text


def test_nothing_found_says_what_to_type(jump):
    answer = jump("zzz")
    assert answer.status_code == 200
    assert "INC-000042" in answer.content.decode()


@pytest.mark.parametrize("words", ["", "   ", "\x00", "%", "_", "'", "x" * 5000, "INC-999999999", "<script>"])
def test_nothing_typed_breaks_it(jump, words):
    make_system(name="Mail Intake")
    answer = jump(words)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_a_reference_that_nobody_has_leads_to_nothing_else(jump):
    make_incident(title="The most wanted", at=clock.now())
    assert jump("INC-999999").status_code == 200
    assert jumping.named("INC-999999", make_user("responder-2", roles=["responder"])) == []


def test_whoever_may_see_nothing_is_led_nowhere():
    incident = make_incident(title="Mail stands still", at=clock.now())
    assert jumping.named(incident.reference, make_user("guest")) == []


@pytest.mark.parametrize("path", ["/jump/", "/search/", "/search/live/"])
def test_strangers_are_sent_to_the_sign_in(client, path):
    assert client.get(path, {"q": "mail"}).url.startswith("/sign-in/")


def test_the_keys_are_listed(client):
    client.force_login(make_user(roles=["responder"]), backend="django.contrib.auth.backends.ModelBackend")
    text = client.get("/keys/").content.decode()
    assert "<kbd>g n</kbd>" in text
