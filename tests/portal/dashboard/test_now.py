"""Now: what burns first, what waits for the reader, what comes next."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents import services
from incidents.sweeps import sweep_incidents
from portal.dashboard.selectors import burning, starting, upcoming
from portal.deadlines import services as deadlines
from portal.directory.models import Contact, Severity
from portal.lib import clock
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_system, make_team
from tests.factories.incidents import make_incident, make_policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def responder():
    return make_user("amara", roles=["responder"], first_name="Amara", last_name="Okafor")


@pytest.fixture
def amara(responder):
    return make_contact("Amara Okafor", user=responder)


@pytest.fixture
def open_now(client, responder):
    client.force_login(responder, backend="django.contrib.auth.backends.ModelBackend")
    return lambda **headers: client.get("/", headers=headers)


def test_it_is_closed_to_strangers(client):
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer.url.startswith("/sign-in/")


def test_nothing_burns_and_the_page_says_who_is_on_call(open_now):
    make_team("platform", on_call=make_contact("Mei Tanaka"), name="Platform")
    now = clock.now()
    make_team("ops").shifts.create(contact=make_contact("Jonas Lindqvist"), starts=now, until=now + timedelta(days=1))

    text = open_now().content.decode()

    assert "Nothing burns" in text
    assert "No incident is open" in text
    assert "Jonas Lindqvist" in text


def test_the_worst_incident_is_the_burning_one_with_its_clocks_and_the_act_due(responder):
    make_incident(severity=3, title="Slow exports")
    worst = make_incident(severity=1, title="Mail stands still")
    make_incident(severity=2, title="Slow search")

    found = burning.fire(responder, at=NOON)

    assert found.first.row.incident == worst
    assert found.first.act.act.slug == "acknowledge"
    assert found.first.cards[0].name == "Emergency activation"
    assert [row.incident.title for row in found.others] == ["Slow search", "Slow exports"]
    assert (found.total, found.worst, found.worst_count) == (3, "SEV-1", 1)


def test_of_two_as_severe_the_one_that_nobody_answers_comes_first(responder, amara):
    answered = make_incident(severity=2, at=NOON - timedelta(hours=1))
    services.acknowledge(answered, by=amara, at=NOON)
    waiting = make_incident(severity=2)

    assert burning.fire(responder, at=NOON).first.row.incident == waiting


def test_a_small_incident_is_listed_and_does_not_burn(open_now):
    make_incident(severity=4, title="Old logo", at=clock.now())

    text = open_now().content.decode()

    assert "Nothing burns" in text
    assert "Old logo" in text


def test_now_and_the_list_say_the_same_of_a_deadline_that_was_missed_and_is_still_owed(open_now, client, amara):
    missed = make_incident(severity=3, title="Slow exports", at=clock.now() - timedelta(hours=10), commander=amara)
    quiet = make_incident(severity=3, title="Old logo", at=clock.now() - timedelta(hours=1))
    services.acknowledge(quiet, by=amara, at=clock.now())
    sweep_incidents(at=clock.now())

    pages = (open_now().content.decode(), client.get("/incidents/").content.decode())

    assert missed.title in pages[0]
    for text, times_said in zip(pages, (2, 1), strict=True):  # Now: among the open ones and what waits for the reader
        assert text.count("1 missed, not done yet") == times_said
        assert text.count("No clock runs</span>") == 1


def test_settled_incidents_are_not_shown(open_now, amara):
    incident = make_incident(severity=2, title="Was slow", at=clock.now())
    services.cancel(incident, by=amara, at=clock.now(), reason="Declared twice.")

    assert "Was slow" not in open_now().content.decode()


def test_what_one_commands_responds_to_or_was_paged_for_waits_for_one(responder, amara):
    commanded = make_incident(severity=1, commander=amara)
    joined = make_incident(severity=2)
    services.add_responder(joined, contact=amara, by=amara, at=NOON)
    paged = make_incident(severity=3)
    services.page_person(paged, contact=amara, by="system: tests", at=NOON)
    make_incident(severity=1, title="Somebody else's")

    found = burning.waiting_for(responder, amara, at=NOON)

    assert [(one.row.incident, one.why) for one in found] == [
        (commanded, "You command it"),
        (joined, "You respond"),
        (paged, "You were paged"),
    ]


def test_without_an_entry_in_the_directory_nothing_waits(responder):
    make_incident()
    assert burning.waiting_for(responder, None, at=NOON) == []


def test_the_next_day_holds_the_clocks_that_run_out_within_it(responder):
    make_incident(severity=3)  # answered within 4 h; no recovery objective
    make_incident(severity=3, at=NOON - timedelta(hours=10))  # missed already

    found = upcoming.due_soon(responder, at=NOON)

    assert [(one.clock.name, one.clock.due_at) for one in found] == [("Response", NOON + timedelta(hours=4))]


def test_whoever_may_not_see_incidents_sees_none(client):
    make_incident(title="Mail stands still", at=clock.now())
    client.force_login(make_user("guest"), backend="django.contrib.auth.backends.ModelBackend")

    answer = client.get("/")

    assert answer.status_code == 200
    assert "Mail stands still" not in answer.content.decode()


def test_an_auditor_is_offered_the_room_and_no_act():
    make_incident(severity=1)
    assert burning.fire(make_user("siobhan", roles=["auditor"]), at=NOON).first.act is None


def test_htmx_gets_the_cards_without_the_shell(open_now):
    make_incident(severity=1, title="Mail stands still", at=clock.now())

    answer = open_now(**{"HX-Request": "true"})

    text = answer.content.decode()
    assert "Mail stands still" in text
    assert "<html" not in text
    assert 'hx-swap-oob="true"' in text
    assert "HX-Request" in answer["Vary"]


def test_acknowledging_from_the_card_needs_no_script(open_now, client):
    incident = make_incident(severity=1, at=clock.now())
    text = open_now().content.decode()
    address = f"{incident.get_absolute_url()}acknowledge/"
    assert f'action="{address}"' in text

    client.post(address, {"once": re.search(r'name="once" value="([^"]+)"', text)[1]})

    incident.refresh_from_db()
    assert incident.status == "acknowledged"


def test_the_engine_says_whether_it_keeps_time(open_now):
    assert "Silent" in open_now().content.decode()
    deadlines.mark_sweep("deadlines", at=clock.now())
    assert "Keeping time" in open_now().content.decode()


def test_the_page_asks_the_same_number_of_queries_however_much_burns(open_now, amara):
    make_policy(default=True, steps=[amara])
    systems = [make_system() for _ in range(3)]
    now = clock.now()
    for severity in (1, 2, 3):
        make_incident(severity=severity, systems=systems[:1], at=now, commander=amara)
    open_now()
    few = queries_of(open_now)

    for number in range(12):
        make_incident(severity=1 + number % 4, systems=systems, at=now, commander=amara)

    assert queries_of(open_now) == few
    assert few <= 40


def queries_of(open_now):
    with CaptureQueriesContext(connection) as queries:
        assert open_now().status_code == 200
    return len(queries)


def test_every_severity_stands_in_the_table(open_now):
    for severity in Severity.objects.all():
        make_incident(severity=severity, at=clock.now())
    text = open_now().content.decode()
    assert all(code in text for code in ("SEV-1", "SEV-2", "SEV-3", "SEV-4"))


def signed_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.get("/").content.decode()


def test_an_empty_installation_leads_an_administrator_through_the_first_steps(client):
    text = signed_in(client, make_superuser())

    assert "First steps" in text
    for page in ("directory_contact", "directory_system", "incidents_intaketoken"):
        assert f'href="{reverse(f"admin:{page}_add")}"' in text
    assert re.search(r'href="/directory/teams/[^/]+/on-call/">Put on call', text)
    assert f'href="{reverse("incidents:declare")}?severity=4' in text


def test_a_step_that_is_done_is_ticked_and_the_team_without_anybody_is_offered(client):
    boss = make_superuser()
    make_contact("Mei Tanaka", user=boss)
    make_system()
    duties = upcoming.duties(boss, at=NOON)

    steps = starting.first_steps(boss, Contact.objects.get(), duties)

    assert [step.done for step in steps] == [True, True, False, False, False]
    assert steps[2].url == reverse("directory:put-on-call", args=[duties[0].team.slug])


def test_who_is_on_call_is_shown_to_whoever_may_see_teams():
    make_team("platform", on_call=make_contact("Mei Tanaka"))

    assert "Mei Tanaka" in {str(duty.contact) for duty in upcoming.duties(make_user(roles=["auditor"]), at=NOON)}
    assert upcoming.duties(make_user(), at=NOON) == []


def test_without_any_team_the_step_on_call_adds_one(client):
    steps = starting.first_steps(make_superuser(), None, [])
    assert steps[2].url == reverse("admin:directory_team_add")


def test_the_first_steps_are_gone_once_there_is_a_system_and_an_incident(client):
    make_incident(systems=[make_system()], at=clock.now())
    assert "First steps" not in signed_in(client, make_superuser())


def test_whoever_may_take_no_step_is_shown_none(client):
    assert "First steps" not in signed_in(client, make_user("siobhan", roles=["auditor"]))


def test_an_account_without_an_entry_is_led_to_add_one_or_to_whoever_can(client):
    assert "Ask an administrator to add it." in signed_in(client, make_user("amara", roles=["responder"]))
    assert "Add my entry</a>" in signed_in(client, make_user("priya", roles=["manager"]))
