"""Every hole of the directory is named in a sentence, with the place to mend it."""

from datetime import timedelta

import pytest

from portal.directory import readiness
from portal.directory.models import Calendar, Contact, Team
from tests.factories.accounts import make_user
from tests.factories.directory import (
    NOON,
    make_contact,
    make_emergency_contact,
    make_method,
    make_shift,
    make_system,
    make_team,
)

pytestmark = pytest.mark.django_db


def sentences(tone=None):
    return [hole.sentence for hole in readiness.holes(at=NOON) if tone in (None, hole.severity_tone)]


@pytest.fixture
def ready():
    """A directory without a hole."""
    people = [make_contact(name) for name in ("Mei Tanaka", "Jonas Lindqvist")]
    make_contact("Ada", user=make_user("ada", is_superuser=True))
    for team in Team.objects.all():
        make_shift(team, people[0], until=NOON + timedelta(days=30))
    system = make_system("mail-intake", owner=Team.objects.get(slug="support"))
    make_emergency_contact(system, people[0], backup=people[1])
    return system


def leave(name):
    person = Contact.objects.get(name=name)
    person.active = False
    person.save()


def test_a_good_directory_has_no_holes(ready):
    assert sentences() == []


def test_a_system_nobody_owns(ready):
    ready.owner = None
    ready.save()
    assert sentences("red") == ["Nobody owns Mail Intake. Its incidents page the administrators."]


def test_a_system_whose_team_is_gone(ready):
    team = ready.owner
    team.active = False
    team.save()
    assert "Support, which owns Mail Intake, is no longer active." in sentences("red")[0]


def test_nobody_on_call_is_worse_for_a_team_that_owns_something(ready):
    for slug in ("support", "ops"):
        shift = Team.objects.get(slug=slug).shifts.get()
        shift.until = NOON
        shift.save()
    assert sentences("red") == ["Nobody is on call for Support."]
    assert sentences("amber") == ["Nobody is on call for Operations."]


def test_nobody_on_call_after_friday(ready):
    shift = Team.objects.get(slug="support").shifts.get()
    shift.until = NOON + timedelta(days=3)
    shift.save()
    assert sentences() == ["Nobody is on call for Support after Fri 20 Nov, 12:00."]


def test_nobody_as_primary_owner_and_nobody_as_backup(ready):
    make_system("search", owner=make_team("ops"))
    row = ready.emergency_contacts.get()
    row.backup = None
    row.save()
    assert sentences("amber") == [
        "Primary Owner of Mail Intake has no backup.",
        "Search names nobody as Primary Owner.",
    ]


def test_people_who_have_left_and_are_still_named(ready):
    leave("Jonas Lindqvist")
    assert sentences("red") == ["Jonas Lindqvist, backup Primary Owner of Mail Intake, has left."]


def test_a_leaver_who_is_down_as_on_call(ready):
    leave("Mei Tanaka")
    found = sentences("red")
    assert "Mei Tanaka has left, but is down as on call for Support." in found
    assert "Nobody is on call for Support." in found
    assert "Mei Tanaka, Primary Owner of Mail Intake, has left." in found


def test_somebody_who_could_be_paged_and_cannot_be_reached(ready):
    for method in Contact.objects.get(name="Jonas Lindqvist").methods.all():
        method.address = "new@example.org"
        method.save()
    assert sentences() == [
        "Jonas Lindqvist, backup Primary Owner of Mail Intake, has no verified contact method. No message reaches them."
    ]


def test_somebody_who_is_named_and_whose_account_is_closed(ready):
    person = Contact.objects.get(name="Jonas Lindqvist")
    person.user = make_user("jonas", is_active=False)
    person.save()
    assert sentences("red") == []
    assert sentences()[0].startswith("The account of Jonas Lindqvist, backup Primary Owner of Mail Intake, is closed.")


def test_no_administrator_who_can_be_reached(ready):
    Contact.objects.get(name="Ada").methods.get().delete()
    make_method(Contact.objects.get(name="Ada"), kind="phone")
    assert any(sentence.startswith("No administrator can be reached") for sentence in sentences("red"))


def test_a_zone_that_this_machine_does_not_know(ready):
    calendar = Calendar.objects.get()
    calendar.time_zone = "Mars/Base"
    calendar.save()
    person = Contact.objects.get(name="Mei Tanaka")
    person.time_zone = "Mars/Base"
    person.save()
    assert sentences("amber") == [
        "The time zone “Mars/Base” of the calendar Company is not known. It counts in UTC.",
        "The time zone “Mars/Base” of Mei Tanaka is not known.",
    ]


def test_the_worst_holes_come_first_and_each_can_be_mended(ready, client):
    make_system("search")
    leave("Jonas Lindqvist")
    found = readiness.holes(at=NOON)
    assert [hole.severity_tone for hole in found] == sorted((hole.severity_tone for hole in found), reverse=True)
    assert all(hole.fix_url.startswith("/") for hole in found)


def test_the_number_of_queries_is_constant(ready, django_assert_max_num_queries):
    for number in range(12):
        system = make_system(f"system-{number}", owner=make_team(f"team-{number}", on_call=make_contact()))
        make_emergency_contact(system, make_contact(), backup=make_contact())
    with django_assert_max_num_queries(12):
        readiness.holes(at=NOON)


def test_deactivating_somebody_names_the_places_to_mend(ready):
    mei = Contact.objects.get(name="Mei Tanaka")
    found = readiness.still_named(mei, at=NOON)
    assert "Mei Tanaka is still down as on call for Support. Put somebody else on call." in found
    assert "Mei Tanaka is still Primary Owner of Mail Intake. Name somebody else." in found
