"""The list of changes: every view of it is an address."""

from __future__ import annotations

import pytest

from changes import services
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.changes import DAY, make_assessed, make_change, make_emergency
from tests.factories.directory import make_system

pytestmark = pytest.mark.django_db


def titles(response):
    return [row.change.title for row in response.context["listing"].rows]


def text_of(response):
    return response.content.decode()


def test_the_list_asks_strangers_to_sign_in_and_refuses_who_has_no_role(client, as_user):
    assert client.get("/changes/").status_code == 302
    assert as_user(make_user("nobody")).get("/changes/").status_code == 403


def test_open_changes_stand_in_the_order_of_their_windows(as_user, jonas, slot, at):
    later = {name: moment + DAY for name, moment in slot.items()}
    make_change(title="Later", by=jonas, at=at, **later)
    make_change(title="No window", by=jonas, at=at, planned_start=None, planned_end=None)
    make_change(title="Sooner", by=jonas, at=at, **slot)
    over = make_change(title="Over", by=jonas, at=at, **slot)
    services.cancel(over, by=jonas, at=at, reason="Twice")
    assert titles(as_user(jonas).get("/changes/")) == ["Sooner", "Later", "No window"]
    assert titles(as_user(jonas).get("/changes/?view=closed")) == ["Over"]


def test_each_view_shows_what_it_says(as_user, jonas, amara, ruth, slot, at):
    mine = make_change(title="Mine", by=jonas, implementer=amara, at=at, **slot)
    make_assessed(title="To decide", by=amara, implementer=jonas, at=at, **slot)
    urgent = make_emergency(title="Urgent", by=jonas, implementer=amara, at=at, planned_start=None, planned_end=None)
    ines = make_person("Ines Halloran", "change-approver")
    services.start_emergency(urgent, authority=ines, by=amara, at=at, reason="It burns")
    assert titles(as_user(ines).get("/changes/?view=decide")) == ["To decide"]  # on the other's word it started
    assert set(titles(as_user(ruth).get("/changes/?view=decide"))) == {"To decide", "Urgent"}
    assert titles(as_user(ruth).get("/changes/?view=mine")) == []
    assert set(titles(as_user(jonas).get("/changes/?view=mine"))) == {"Mine", "To decide", "Urgent"}
    assert titles(as_user(jonas).get("/changes/?view=reviews")) == ["Urgent"]
    assert mine.reference in text_of(as_user(jonas).get("/changes/?view=all"))


def test_filters_narrow_the_list(as_user, jonas, slot, at):
    system = make_system("mail", name="Mail")
    make_assessed(title="Upgrade the mail", by=jonas, systems=[system], at=at, impact=4, likelihood=4, **slot)
    make_emergency(title="Urgent", by=jonas, at=at, **slot)
    for query in (
        "type=normal",
        "status=assessed",
        "risk=high",
        "system=mail",
        "q=MAIL+upgrade",
        "sort=risk&risk=high",
    ):
        assert titles(as_user(jonas).get(f"/changes/?{query}")) == ["Upgrade the mail"], query
    assert titles(as_user(jonas).get("/changes/?month=2020-01")) == []


def test_what_an_address_misspells_is_left_out(as_user, jonas, slot, at):
    change = make_change(by=jonas, at=at, **slot)
    query = "view=what&type=x&status=gone&risk=7&month=2026-13&sort=7&page=zero&q=%00&outcome=%00"
    assert titles(as_user(jonas).get(f"/changes/?{query}")) == [change.title]


def test_a_reference_is_found_in_every_view(as_user, jonas, slot, at):
    change = make_change(by=jonas, at=at, **slot)
    services.cancel(change, by=jonas, at=at, reason="Twice")
    for words in (change.reference, change.reference.lower(), change.reference.removeprefix("CHG-").lstrip("0")):
        assert titles(as_user(jonas).get("/changes/", {"q": words})) == [change.title]


def test_an_empty_list_says_what_is_true(as_user, jonas):
    reader = as_user(jonas)
    assert "No change is planned" in text_of(reader.get("/changes/"))
    assert "No change fits these filters" in text_of(reader.get("/changes/?q=unheard"))
    assert "No change waits for your decision" in text_of(reader.get("/changes/?view=decide"))
    assert "There is no such page" in text_of(reader.get("/changes/?page=7"))


def test_the_list_costs_the_same_at_one_change_and_at_thirty(
    as_user, jonas, slot, at, django_assert_num_queries, django_assert_max_num_queries
):
    make_change(by=jonas, at=at, **slot)
    reader = as_user(jonas)
    reader.get("/changes/")
    with django_assert_max_num_queries(25) as few:
        reader.get("/changes/")
    for _ in range(29):
        make_change(by=jonas, at=at, **slot)
    with django_assert_num_queries(len(few)):
        response = reader.get("/changes/")
    assert len(titles(response)) == 25
    assert "1 to 25 of 30" in " ".join(text_of(response).split())
