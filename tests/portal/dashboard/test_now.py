"""Now: what burns first, what waits for the reader, what comes next."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import services
from portal.dashboard.selectors import burning, upcoming
from portal.deadlines import services as deadlines
from portal.directory.models import Severity
from portal.lib import clock
from tests.factories.accounts import make_user
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
