"""The incident list: every view of it is an address."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import services
from incidents.sweeps import sweep_incidents
from tests.factories.accounts import make_user
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def titles(response):
    return [row.incident.title for row in response.context["listing"].rows]


def test_the_list_asks_strangers_to_sign_in(client):
    response = client.get("/incidents/")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


def test_the_list_is_refused_to_accounts_without_a_role(client):
    client.force_login(make_user("nobody"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/incidents/").status_code == 403


def test_the_list_shows_open_incidents_worst_first(signed_in, mail, at):
    make_incident(title="Small", severity=4, systems=[mail], at=at)
    make_incident(title="Large", severity=1, systems=[mail], at=at - timedelta(hours=1))
    services.cancel(make_incident(title="Over", systems=[mail], at=at), by="test", at=at, reason="Twice")
    assert titles(signed_in.get("/incidents/")) == ["Large", "Small"]


def test_among_all_incidents_the_unsettled_come_first(signed_in, mail, at):
    services.cancel(make_incident(title="New and over", at=at), by="test", at=at, reason="Twice")
    make_incident(title="Old and open", at=at - timedelta(days=9))
    assert titles(signed_in.get("/incidents/?view=all")) == ["Old and open", "New and over"]


def test_filters_narrow_the_list(signed_in, mail, amara, at):
    first = make_incident(title="Mail stands still", severity=2, systems=[mail], at=at)
    services.activate(first, commander=amara, by=amara, at=at)
    make_incident(title="Key was found in public", severity=3, type="security", at=at, by=amara.user)
    for query in ("severity=2", "system=mail-intake", f"commander={amara.pk}", "type=operational", "q=STANDS+mail"):
        assert titles(signed_in.get(f"/incidents/?{query}")) == ["Mail stands still"], query
    assert titles(signed_in.get("/incidents/?type=security")) == ["Key was found in public"]
    assert titles(signed_in.get("/incidents/?status=declared&severity=9")) == []


def test_what_an_address_misspells_is_left_out(signed_in, incident):
    response = signed_in.get("/incidents/?view=what&severity=x&status=gone&commander=-1&sort=7&page=zero&q=%00")
    assert titles(response) == [incident.title]


def test_a_reference_is_found_in_every_view(signed_in, mail, at):
    over = services.cancel(make_incident(title="Over", at=at), by="test", at=at, reason="Twice")
    for words in (over.reference, over.reference.lower(), over.reference.removeprefix("INC-").lstrip("0")):
        assert titles(signed_in.get("/incidents/", {"q": words})) == ["Over"]


def test_mine_are_those_that_i_command_or_respond_to(signed_in, incident, amara, at):
    make_incident(title="Somebody else's", at=at)
    services.acknowledge(incident, by=amara, at=at)
    assert titles(signed_in.get("/incidents/?view=mine")) == [incident.title]


def test_an_empty_list_says_what_is_true_and_what_to_do(signed_in):
    assert "Nothing burns" in text_of(signed_in.get("/incidents/"))
    assert "No incident fits these filters" in text_of(signed_in.get("/incidents/?q=unheard"))
    assert "You work on no incident" in text_of(signed_in.get("/incidents/?view=mine"))
    assert "There is no such page" in text_of(signed_in.get("/incidents/?page=7"))


def test_each_row_shows_the_clock_that_is_due_next(signed_in, at):
    incident = make_incident(severity=3, at=at)
    row = signed_in.get("/incidents/").context["listing"].rows[0]
    assert row.clock["name"] == "Answer"
    assert row.clock["due_at"] == incident.declared_at + timedelta(hours=4)


def test_an_open_row_with_every_deadline_missed_is_marked_late(signed_in, incident, at):
    sweep_incidents(at=incident.declared_at + timedelta(hours=3))
    row = signed_in.get("/incidents/").context["listing"].rows[0]
    assert (row.edge, row.clock["state"]) == ("is-late", "missed")
    assert row.clock["chip"].endswith("missed, none done yet")


def test_settled_rows_tell_how_many_deadlines_were_missed(signed_in, incident, amara, at):
    late = incident.declared_at + timedelta(minutes=20)
    services.acknowledge(incident, by=amara, at=late)
    services.resolve(incident, by=amara, at=late)
    row = signed_in.get("/incidents/?status=resolved").context["listing"].rows[0]
    assert row.clock["state"] == "missed"
    assert row.settled


def test_pages_follow_one_another_without_a_gap(signed_in, at):
    for number in range(30):
        incident = make_incident(title=f"Number {number}", at=at - timedelta(minutes=number))
        if number >= 10:
            services.cancel(incident, by="test", at=at, reason="Twice")
    first, second = signed_in.get("/incidents/?view=all"), signed_in.get("/incidents/?view=all&page=2")
    assert titles(first) + titles(second) == [f"Number {number}" for number in range(30)]
    assert "1 to 25 of 30 incidents" in text_of(first)
    assert "26 to 30 of 30 incidents" in text_of(second)


def test_the_list_asks_as_many_questions_for_few_rows_as_for_many(
    signed_in, mail, amara, at, django_assert_num_queries, django_assert_max_num_queries
):
    def declare(number):
        for place in range(number):
            incident = make_incident(systems=[mail], at=at)
            services.activate(incident, commander=amara, by=amara, at=at)
            if place % 2:
                services.cancel(incident, by="test", at=at, reason="Twice")

    declare(2)
    signed_in.get("/incidents/?view=all")  # what a process asks once is asked
    with django_assert_max_num_queries(30) as few:
        signed_in.get("/incidents/?view=all")
    declare(20)
    with django_assert_num_queries(len(few)):
        signed_in.get("/incidents/?view=all")
