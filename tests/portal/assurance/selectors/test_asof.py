"""What stood at a moment: one object, all of a kind, and who held which role."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.models import User
from portal.accounts.services import grant, withdraw
from portal.assurance.selectors import asof
from portal.assurance.selectors.asof import kinds_for, model_for, moment_of, object_then, register_then
from portal.assurance.selectors.asof_roles import SUPERUSER, holdings
from portal.assurance.selectors.asof_values import names_at
from portal.audit.actor import acting
from portal.audit.models import TrailRow
from portal.directory.models import ContactMethod, Team
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_method, make_team

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = NOON + 400 * DAY


def at(days):
    """Act so many days after noon."""
    return acting(at=NOON + days * DAY, anew=True)


def rows():
    return TrailRow.objects.all()


def held(then):
    return {field.name: [value.text for value in field.values] for field in then.fields}


@pytest.fixture
def team():
    """A team that was made on day 1, got Mei on day 2, another name on day 3, and went on day 5."""
    with at(0):
        mei = make_contact("Mei Tanaka")
    with at(1):
        team = make_team("storage", name="Storage")
    with at(2):
        team.members.add(mei)
    with at(3):
        team.name = "Files"
        team.save()
    with at(4):
        mei.name = "Mei Sato"
        mei.save()
    return team


def test_an_object_holds_what_it_held_then_relations_included(team):
    then = object_then(rows(), Team, str(team.pk), at=NOON + 1.5 * DAY)
    assert (held(then)["name"], held(then)["members"]) == (["Storage"], [])
    then = object_then(rows(), Team, str(team.pk), at=NOON + 2.5 * DAY)
    assert (held(then)["name"], held(then)["members"]) == (["Storage"], ["Mei Tanaka"])
    assert (then.title, then.row.at, then.next.at) == ("Storage", NOON + 2 * DAY, NOON + 3 * DAY)
    then = object_then(rows(), Team, str(team.pk), at=NOON + 10 * DAY)
    assert (held(then)["name"], held(then)["members"]) == (["Files"], ["Mei Sato"])
    assert then.next is None


def test_what_it_points_at_leads_to_the_same_moment(team):
    moment = NOON + 2.5 * DAY
    members = next(f for f in object_then(rows(), Team, str(team.pk), at=moment).fields if f.name == "members")
    assert members.values[0].url.startswith("/audit/as-of/directory.contact/")
    assert "at=2026-11-20T00%3A00%3A00.000000Z" in members.values[0].url


def test_before_it_was_made_it_did_not_exist_yet(team):
    then = object_then(rows(), Team, str(team.pk), at=NOON)
    assert (then.not_yet, then.gone, then.fields, then.title) == (True, False, [], "Storage")
    assert then.next.at == NOON + DAY


def test_after_it_was_deleted_it_did_not_exist_any_more():
    with at(1):
        method = make_method(make_contact("Mei Tanaka"))
    key = str(method.pk)
    with at(2):
        method.delete()
    then = object_then(rows(), ContactMethod, key, at=NOON + 3 * DAY)
    assert (then.gone, then.not_yet, then.fields) == (True, False, [])
    assert held(object_then(rows(), ContactMethod, key, at=NOON + 1.5 * DAY))["kind"] != []


def test_a_secret_is_not_shown():
    with at(1):
        method = make_method(make_contact("Mei Tanaka"), address="mei@example.org")
    then = object_then(rows(), ContactMethod, str(method.pk), at=LATER)
    assert held(then)["address"] == ["not shown"]


def test_who_may_not_read_its_trail_sees_nothing_of_an_object(team):
    assert object_then(rows().exclude(model="directory.team"), Team, str(team.pk), at=LATER) is None
    assert object_then(rows(), Team, "no number", at=LATER) is None


def names(days, **asked):
    register = register_then(rows(), Team, at=NOON + days * DAY, now=LATER, **asked)
    return [row.title for row in register.rows if row.title in {"Storage", "Files", "Network"}]


def test_a_register_lists_what_existed_under_the_names_of_then(team):
    with at(2):
        other = make_team("network", name="Network")
    assert names(0) == []
    assert names(1) == ["Storage"]
    assert names(2) == ["Network", "Storage"]
    assert names(3) == ["Network", "Files"]
    assert names(3, words="net") == ["Network"]
    assert names(3, words="storage") == []
    assert other.pk


def test_a_register_leaves_out_what_had_been_deleted():
    contact = make_contact("Mei Tanaka")
    with at(1):
        method = make_method(contact)
    with at(2):
        method.delete()
    assert len(register_then(rows(), ContactMethod, at=NOON + 1.5 * DAY, now=LATER).rows) == 1
    assert register_then(rows(), ContactMethod, at=NOON + 2.5 * DAY, now=LATER).rows == []


def test_a_register_shows_short_fields_and_no_secret():
    with at(1):
        make_method(make_contact("Mei Tanaka"))
    register = register_then(rows(), ContactMethod, at=LATER, now=LATER)
    assert len(register.columns) == len(register.rows[0].fields)
    assert "address" not in register.columns
    assert [field.label for field in register.rows[0].fields] == register.columns


def test_all_pages_of_a_register_hold_every_object_once(monkeypatch):
    monkeypatch.setattr(asof, "PAGE", 4)
    for number in range(11):
        with at(number + 1):
            make_team(f"team-{number}", name=f"Team {number}")
    for words in ("", "team"):
        found, place = [], None
        while True:
            register = register_then(rows(), Team, at=NOON + 9.5 * DAY, now=LATER, place=place, words=words)
            found += [row.title for row in register.rows if row.title.startswith("Team ")]
            place = register.older
            if place is None:
                break
        assert found == [f"Team {number}" for number in range(8, -1, -1)]


def test_a_search_that_would_take_long_says_how_far_it_looked(monkeypatch):
    monkeypatch.setattr(asof, "CHUNKS", (2, 2))
    for number in range(7):
        with at(number + 1):
            make_team(f"team-{number}", name="Wanted" if number == 0 else f"Team {number}")
    made = rows().exclude(actor_name__startswith="system:")
    first = register_then(made, Team, at=LATER, now=LATER, words="wanted")
    assert first.rows == []
    assert first.looked == NOON + 4 * DAY
    second = register_then(made, Team, at=LATER, now=LATER, words="wanted", place=first.older)
    assert [row.title for row in second.rows] == ["Wanted"]


def test_a_register_costs_the_same_however_many_there_are(django_assert_max_num_queries):
    def cost():
        with django_assert_max_num_queries(10) as queries:
            register_then(rows(), Team, at=LATER, now=LATER)
        return len(queries)

    make_team("team-1", members=[make_contact("A")])
    few = cost()
    for number in range(20):
        make_team(f"team-{number + 2}", members=[make_contact(f"B{number}"), make_contact(f"C{number}")])
    assert cost() == few


def test_names_are_those_of_then_or_the_first_afterwards(team):
    key = ("directory.team", str(team.pk))
    assert names_at(rows(), [key], at=NOON + 2 * DAY) == {key: "Storage"}
    assert names_at(rows(), [key], at=NOON + 5 * DAY) == {key: "Files"}
    assert names_at(rows(), [key], at=NOON - 5 * DAY) == {key: "Storage"}
    assert names_at(rows(), [("directory.team", "0")], at=LATER) == {}
    assert names_at(rows().none(), [key], at=LATER) == {}


def test_a_reader_chooses_among_the_kinds_they_may_see():
    nobody, everybody = make_user(), make_superuser()
    assert kinds_for(nobody) == []
    assert {"incidents.incident", "accounts.user", "directory.team"} <= {kind.label for kind in kinds_for(everybody)}
    assert model_for(everybody, "directory.team") is Team
    assert model_for(nobody, "directory.team") is None
    assert model_for(everybody, "audit.trailrow") is None
    assert model_for(everybody, "no.model") is None


def test_a_moment_is_read_in_the_readers_zone_or_in_the_one_it_names():
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert moment_of("2026-11-17T09:00") == datetime(2026, 11, 17, tzinfo=UTC)
        assert moment_of("2026-11-17 09:00:01") == datetime(2026, 11, 17, 0, 0, 1, tzinfo=UTC)
        assert moment_of("2026-11-17T09:00:00Z") == datetime(2026, 11, 17, 9, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59", "٢٠٢٦"])
def test_what_is_no_moment_says_what_to_do(text):
    with pytest.raises(ValidationError, match="Give a day and an hour"):
        moment_of(text)


@given(st.text(max_size=60))
def test_no_text_breaks_a_moment(text):
    with suppress(ValidationError):
        assert moment_of(text).tzinfo is UTC


@pytest.fixture
def oscar():
    """Somebody who led security from day 1 to day 3, and manages from day 2 on."""
    with at(0):
        user = make_user("oscar", first_name="Oscar", last_name="Brandt")
    grant(user, "security-lead", by="Leila Nasser", at=NOON + DAY, reason="Covers my leave")
    grant(user, "manager", by="Leila Nasser", at=NOON + 2 * DAY, reason="Promoted")
    withdraw(user, "security-lead", by="Henrik Voss", at=NOON + 3 * DAY, reason="Leave is over")
    return user


def roles(first, last=None, **asked):
    starts, ends = NOON + first * DAY, NOON + (first if last is None else last) * DAY
    return [one.role for one in holdings(rows(), starts=starts, ends=ends, **asked) if one.person == "Oscar Brandt"]


def test_a_role_is_held_from_its_grant_to_its_withdrawal(oscar):
    assert roles(0.5) == []
    assert roles(1.5) == ["Security lead"]
    assert roles(2.5) == ["Manager", "Security lead"]
    assert roles(3.5) == ["Manager"]
    assert roles(0, 10) == ["Manager", "Security lead"]
    assert roles(3.5, 10) == ["Manager"]
    assert roles(0, 10, role="Security lead") == ["Security lead"]
    assert roles(0, 10, words="bran osc") == ["Manager", "Security lead"]
    assert roles(0, 10, words="nobody") == []


def test_a_holding_says_who_gave_and_withdrew_it_when_and_why(oscar):
    found = holdings(rows(), starts=NOON, ends=NOON + 10 * DAY, role="Security lead", words="oscar")
    given, withdrawn = found[0].given, found[0].withdrawn
    assert (given.at, given.by, given.why) == (NOON + DAY, "Leila Nasser", "Covers my leave")
    assert (withdrawn.at, withdrawn.by, withdrawn.why) == (NOON + 3 * DAY, "Henrik Voss", "Leave is over")
    assert given.url.startswith("/audit/gestures/")


def test_superusers_and_closed_accounts_are_told(oscar):
    with at(4):
        oscar.is_superuser = True
        oscar.save()
    with at(5):
        oscar.is_active = False
        oscar.save()
    found = holdings(rows(), starts=NOON + 6 * DAY, ends=NOON + 6 * DAY, words="oscar")
    assert [(one.role, one.closed) for one in found] == [("Manager", True), (SUPERUSER, True)]
    assert [one.closed for one in holdings(rows(), starts=NOON + 4.5 * DAY, ends=NOON + 4.5 * DAY, words="oscar")] == [
        False,
        False,
    ]


def test_roles_are_found_in_three_queries_and_only_where_the_trail_may_be_read(oscar, django_assert_num_queries):
    with django_assert_num_queries(3):
        holdings(rows(), starts=NOON, ends=LATER)
    assert User.objects.filter(pk=oscar.pk).exists()
    assert holdings(rows().exclude(model="accounts.user"), starts=NOON, ends=LATER, words="oscar") == []
