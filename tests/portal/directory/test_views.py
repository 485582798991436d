"""The pages of the directory."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from portal.accounts.services import grant
from portal.directory import services
from portal.directory.models import OnCallShift, Team
from portal.lib import clock
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

SYSTEMS, PEOPLE = "/directory/systems/", "/directory/people/"


def somebody(role):
    user = make_user(role)
    grant(user, role, by="test", at=NOON, reason="A test")
    return user


@pytest.fixture
def responder(client):
    client.force_login(somebody("responder"))
    return client


@pytest.fixture
def manager(client):
    client.force_login(somebody("manager"))
    return client


def on_duty(team, contact):
    now = clock.now()
    return make_shift(team, contact, starts=now - timedelta(hours=1), until=now + timedelta(days=3))


def text(response):
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("path", [SYSTEMS, PEOPLE, "/directory/systems/mail/", "/directory/teams/support/on-call/"])
def test_pages_ask_for_a_sign_in_and_for_the_right_to_see(client, path):
    make_system("mail")
    assert client.get(path).status_code == 302
    client.force_login(make_user("nobody-special"))
    assert client.get(path).status_code == 403


def test_the_list_names_owner_duty_and_objective(responder):
    support = Team.objects.get(slug="support")
    on_duty(support, make_contact("Mei Tanaka"))
    make_emergency_contact(make_system("mail-intake", owner=support, rto=90), make_contact("Jonas Lindqvist"))
    page = text(responder.get(SYSTEMS))
    for words in ("Mail Intake", "Support", "Mei Tanaka", "Jonas Lindqvist", "1 h 30 min"):
        assert words in page


def test_a_system_nobody_owns_stands_out_and_can_be_filtered(responder):
    make_system("orphan")
    make_system("mail-intake", owner=Team.objects.get(slug="support"))
    assert "1 system without an owner" in text(responder.get(SYSTEMS))
    assert "Mail Intake" not in text(responder.get(f"{SYSTEMS}?owner=nobody"))
    assert "Orphan" not in text(responder.get(f"{SYSTEMS}?owner=support"))
    assert "No system here" in text(responder.get(f"{SYSTEMS}?owner=ops"))


def test_no_systems_yet_says_what_to_do(responder, manager):
    assert "No systems yet" in text(manager.get(SYSTEMS))


def test_a_system_shows_facts_parts_and_its_emergency_table(responder):
    mei, jonas = make_contact("Mei Tanaka"), make_contact("Jonas Lindqvist", reachable=False)
    make_method(mei, kind="phone", address="+44 20 7946 0018")
    make_method(jonas, kind="slack", address="https://hooks.slack.com/services/T1/B2/verysecret", verified=False)
    system = make_system("mail-intake", owner=Team.objects.get(slug="support"), version="4.2", rto=60, rpo=0)
    make_system("parser", parent=system)
    make_emergency_contact(system, mei, backup=jonas)
    page = text(responder.get("/directory/systems/mail-intake/"))
    for words in ("Mei Tanaka", "tel:+442079460018", "Jonas Lindqvist", "No verified method", "4.2", "Parser"):
        assert words in page
    assert "No data may be lost" in page
    assert "Nobody is on call for Support." in page
    assert "verysecret" not in page


def test_a_system_shows_whether_its_recovery_is_proven(responder):
    make_system("mail-intake", rto=60, rpo=60)
    page = text(responder.get("/directory/systems/mail-intake/"))
    assert "It was never measured." in page
    assert "no verified backup of all of it" in page
    assert "/recovery/systems/mail-intake/" in page
    make_system("wiki")
    assert "Nothing promised" in text(responder.get("/directory/systems/wiki/"))
    make_system("old", rto=60, active=False)
    assert "It was never measured." not in text(responder.get("/directory/systems/old/"))


def test_whoever_reads_of_systems_alone_learns_nothing_of_their_recovery(client):
    make_system("mail-intake", rto=60, rpo=60)
    user = make_user()
    user.user_permissions.set(Permission.objects.filter(codename="view_system"))
    client.force_login(user)
    page = text(client.get("/directory/systems/mail-intake/"))
    assert "It was never measured." not in page
    assert "/recovery/systems/" not in page


def test_an_unknown_system_is_not_found(responder):
    assert responder.get("/directory/systems/nothing/").status_code == 404


def test_people_see_who_is_on_call_and_who_follows(responder):
    mei, jonas = make_contact("Mei Tanaka"), make_contact("Jonas Lindqvist", reachable=False)
    support = make_team("support", members=[mei, jonas])
    shift = on_duty(support, mei)
    make_shift(support, jonas, starts=shift.until, until=shift.until + timedelta(days=1))
    page = text(responder.get(PEOPLE))
    assert page.index("Mei Tanaka") < page.index("Jonas Lindqvist")
    assert "No verified method" in page
    assert "Put on call" not in page


@pytest.mark.parametrize("path", [SYSTEMS, PEOPLE, "/directory/systems/mail/", "/directory/teams/support/on-call/"])
def test_the_number_of_queries_does_not_grow(manager, path, django_assert_max_num_queries):
    def fill(many):
        for number in range(many):
            person = make_contact()
            team = make_team(f"team-{many}-{number}", members=[person])
            on_duty(team, person)
            on_duty(Team.objects.get(slug="support"), person)
            system = make_system(f"system-{many}-{number}", owner=team, rto=5, parent=mail)
            make_emergency_contact(system, person, backup=make_contact())

    mail = make_system("mail", owner=Team.objects.get(slug="support"))
    fill(2)
    manager.get(path)
    with django_assert_max_num_queries(100) as few:
        assert manager.get(path).status_code == 200
    fill(15)
    with django_assert_max_num_queries(len(few)):
        manager.get(path)


ON_CALL = "/directory/teams/support/on-call/"


def put(client, contact, *, until=None, **fields):
    until = until or clock.now() + timedelta(days=2)
    fields.setdefault("reason", "Jonas is ill")
    data = {"contact": getattr(contact, "pk", contact), "until": f"{until:%Y-%m-%dT%H:%M}", **fields}
    return client.post(ON_CALL, data, follow=True)


def test_a_manager_puts_somebody_on_call(manager):
    mei = make_contact("Mei Tanaka")
    page = text(put(manager, mei, reason="Jonas is ill"))
    assert "Mei Tanaka is on call for Support until" in page
    assert services.on_call(Team.objects.get(slug="support"), at=clock.now()) == mei
    row = OnCallShift.objects.get().history.get()
    assert (row.history_change_reason, row.actor_name, row.origin) == ("Jonas is ill", "manager", "web")


def test_a_shift_that_overlaps_with_another_one_says_so(manager):
    mei, jonas = make_contact("Mei Tanaka"), make_contact("Jonas Lindqvist")
    assert "It overlaps" not in text(put(manager, mei))
    assert "It overlaps" not in text(put(manager, mei))  # with oneself
    assert "It overlaps with what Mei Tanaka took over by hand." in text(put(manager, jonas))


def test_putting_somebody_on_call_who_cannot_be_reached_says_so(manager):
    assert "has no verified contact method" in text(put(manager, make_contact(reachable=False)))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"contact": ""}, "Choose who is on call."),
        ({"contact": "999999"}, "Choose somebody else."),
        ({"until": ""}, "Say until when."),
        ({"until": "soon"}, "Give a day and an hour."),
        ({"until": "2020-01-01T09:00"}, "That moment has passed."),
        ({"until": "2190-01-01T09:00"}, "at most a year"),
        ({"starts": "2190-01-01T09:00"}, "must end after it starts"),
        ({"reason": "x" * 301}, "under 300 characters"),
        ({"reason": " \n"}, "Say why"),
    ],
)
def test_a_bad_form_is_answered_with_a_sentence(manager, fields, sentence):
    mei = make_contact()
    until = clock.now() + timedelta(days=2)
    data = {"contact": mei.pk, "until": f"{until:%Y-%m-%dT%H:%M}", "reason": "Jonas is ill", **fields}
    answer = manager.post(ON_CALL, data)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not OnCallShift.objects.exists()


def test_somebody_who_has_left_cannot_be_chosen(manager):
    assert "Choose somebody else." in text(put(manager, make_contact("Gone", active=False)))


def test_a_closed_team_refuses_with_its_sentence(manager):
    team = Team.objects.get(slug="support")
    team.active = False
    team.save()
    assert "Support is no longer active." in text(put(manager, make_contact()))


def test_only_who_may_puts_people_on_call(responder):
    assert "Your roles do not put people on call" in text(responder.get(ON_CALL))
    assert put(responder, make_contact()).status_code == 403
    shift = on_duty(Team.objects.get(slug="support"), make_contact())
    assert responder.post(reverse("directory:end-shift", args=[shift.pk])).status_code == 403


BECAUSE = {"change_reason": "Mei is ill"}


def test_a_shift_is_ended_with_a_reason(manager):
    shift = on_duty(Team.objects.get(slug="support"), make_contact("Mei Tanaka"))
    address = reverse("directory:end-shift", args=[shift.pk])
    assert address in text(manager.get(ON_CALL))
    assert "End the shift of Mei Tanaka now" in text(manager.get(address))
    refused = manager.post(address, {"change_reason": " "})
    assert (refused.status_code, "Say why" in text(refused)) == (422, True)
    assert shift.history.count() == 1
    page = text(manager.post(address, BECAUSE, follow=True))
    assert "Mei Tanaka is no longer on call for Support." in page
    assert "Nobody is on call for Support now." in page
    assert shift.history.first().history_change_reason == "Mei is ill"
    assert "over already" in text(manager.post(address, BECAUSE, follow=True))


def test_a_coming_shift_is_withdrawn(manager):
    now = clock.now()
    team, mei = Team.objects.get(slug="support"), make_contact("Mei Tanaka")
    shift = make_shift(team, mei, starts=now + timedelta(days=1), until=now + timedelta(days=2))
    assert "Withdraw" in text(manager.get(ON_CALL))
    page = text(manager.post(reverse("directory:end-shift", args=[shift.pk]), BECAUSE, follow=True))
    assert "Mei Tanaka will not be on call for Support." in page


def test_times_are_the_reader_s_own(client):
    user = somebody("manager")
    user.time_zone = "Asia/Tokyo"
    user.save()
    client.force_login(user)
    put(client, make_contact(), until=clock.now().replace(hour=3, minute=0) + timedelta(days=3))
    assert OnCallShift.objects.get().until.hour == 18


def test_addresses_are_shown_only_to_who_may_see_contact_methods(client):
    system, ada = make_system("mail"), make_contact("Ada Byron")
    make_method(ada, kind="phone", address="+44 20 7946 0001")
    make_emergency_contact(system, ada)
    user = make_user()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_system", "view_contact", "view_team"]))
    client.force_login(user)
    paths = [reverse("directory:system", args=["mail"]), reverse("directory:people")]
    assert all("Ada Byron" in text(client.get(path)) for path in paths)
    assert not any("7946" in text(client.get(path)) for path in paths)
    user.user_permissions.add(Permission.objects.get(codename="view_contactmethod"))
    assert all("7946" in text(client.get(path)) for path in paths)
