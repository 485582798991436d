"""The verbs and questions of the directory."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from portal.directory import services
from portal.directory.enums import EmergencyRole, MethodKind
from portal.directory.models import Calendar, OnCallShift
from tests.factories.accounts import make_user
from tests.factories.directory import (
    NOON,
    make_calendar,
    make_contact,
    make_emergency_contact,
    make_method,
    make_shift,
    make_system,
    make_team,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def put(team, contact, *, starts=NOON, until=NOON + 8 * HOUR, reason=""):
    return services.put_on_call(team, contact, starts=starts, until=until, by="test", at=NOON, reason=reason)


def test_whoever_is_put_on_call_is_on_call_until_the_end():
    team, mei = make_team(), make_contact()
    put(team, mei)
    assert services.on_call(team, at=NOON) == mei
    assert services.on_call_until(team, at=NOON) == NOON + 8 * HOUR
    assert services.on_call(team, at=NOON + 8 * HOUR) is None


def test_an_override_wins_for_its_time_and_gives_the_duty_back():
    mei, jonas = make_contact(), make_contact()
    team = make_team(on_call=mei)
    put(team, jonas, starts=NOON + HOUR, until=NOON + 2 * HOUR)
    assert services.on_call(team, at=NOON + HOUR) == jonas
    assert services.on_call(team, at=NOON + 2 * HOUR) == mei
    assert services.on_call_until(team, at=NOON) == NOON + HOUR


def test_somebody_who_has_left_is_never_on_call():
    mei, leaver = make_contact(), make_contact()
    team = make_team(on_call=mei)
    make_shift(team, leaver, starts=NOON)
    leaver.active = False
    leaver.save()
    assert services.on_call(team, at=NOON) == mei


def test_who_is_on_call_for_many_teams_takes_the_same_few_queries(django_assert_num_queries):
    teams = [make_team(on_call=make_contact()) for _ in range(5)]
    empty = make_team()
    with django_assert_num_queries(3):
        found = services.on_call_many([team.pk for team in [*teams, empty]], at=NOON)
    assert set(found) == {team.pk for team in teams}


def test_a_shift_into_the_past_is_refused():
    with pytest.raises(ValidationError, match="has passed"):
        put(make_team(), make_contact(), starts=NOON - 2 * HOUR, until=NOON)


def test_nobody_who_has_left_can_be_put_on_call():
    with pytest.raises(ValidationError, match="has left"):
        put(make_team(), make_contact(active=False))
    assert not OnCallShift.objects.exists()


def test_history_says_who_put_somebody_on_call_and_why():
    shift = put(make_team(), make_contact(), reason="Stands in for Mei")
    row = shift.history.get()
    assert (row.actor_name, row.history_change_reason) == ("test", "Stands in for Mei")


def test_a_running_shift_ends_now():
    team = make_team(on_call=make_contact())
    shift = services.end_shift(team.shifts.get(), by="test", at=NOON, reason="A test")
    assert shift.until == NOON
    assert services.on_call(team, at=NOON) is None


def test_a_coming_shift_is_withdrawn_and_never_counts():
    team = make_team()
    shift = services.end_shift(put(team, make_contact(), starts=NOON + HOUR), by="test", at=NOON, reason="A test")
    assert shift.withdrawn
    assert services.on_call(team, at=NOON + 2 * HOUR) is None


def test_a_shift_that_is_over_cannot_be_ended():
    shift = make_shift(make_team(), make_contact(), until=NOON)
    with pytest.raises(ValidationError, match="over already"):
        services.end_shift(shift, by="test", at=NOON, reason="A test")


def test_the_last_resort_are_reachable_administrators():
    group = Group.objects.get(name="Administrator")
    admin, boss, gone, left, plain = (make_user(name) for name in ("admin", "boss", "gone", "left", "plain"))
    for user in (admin, gone, left):
        user.groups.add(group)
    boss.is_superuser = True
    boss.groups.add(group)
    boss.save()
    gone.is_active = False
    gone.save()
    contacts = [make_contact(user.username, user=user) for user in (admin, boss, gone, plain)]
    make_contact("left", user=left, active=False)
    assert services.administrators() == contacts[:2]


def test_messages_go_to_verified_methods_in_their_order(django_assert_num_queries):
    mei = make_contact(reachable=False)
    last = make_method(mei, position=3)
    first = make_method(mei, kind=MethodKind.SLACK, position=1)
    make_method(mei, kind=MethodKind.PHONE)
    make_method(mei, verified=False)
    make_method(mei, active=False)
    left = make_contact(active=False)
    with django_assert_num_queries(1):
        assert services.sending_methods([mei.pk, left.pk]) == {mei.pk: [first, last]}


def add(contact, kind=MethodKind.EMAIL, address="mei@example.org"):
    return services.add_method(contact, kind=kind, address=address, by="test", at=NOON, reason="A test")


def test_a_new_method_comes_last_and_is_not_verified():
    mei = make_contact()
    method = add(mei)
    assert (method.position, method.verified_at, method.active) == (2, None, True)


def test_an_address_is_not_added_twice_and_comes_back_when_it_was_retired():
    mei = make_contact(reachable=False)
    method = add(mei)
    with pytest.raises(ValidationError, match="in the list already"):
        add(mei, address="mei@EXAMPLE.org")
    services.mark_verified(method, by="test", at=NOON, reason="A test")
    services.retire_method(method, by="test", at=NOON, reason="A test")
    again = add(mei)
    assert (again.pk, again.active, again.verified_at) == (method.pk, True, None)


@pytest.mark.parametrize(("kind", "address"), [("email", "nonsense"), ("fax", "+4420"), ("email", "x" * 301), ("", "")])
def test_a_bad_address_is_refused_with_a_sentence(kind, address):
    with pytest.raises(ValidationError):
        add(make_contact(), kind=kind, address=address)


def test_a_person_has_a_limited_number_of_methods():
    mei = make_contact(reachable=False)
    for number in range(services.MOST_METHODS):
        add(mei, address=f"mei{number}@example.org")
    with pytest.raises(ValidationError, match="at most 20"):
        add(mei)


def test_methods_are_put_in_order():
    mei = make_contact(reachable=False)
    first, second, third = (make_method(mei) for _ in range(3))
    services.reorder_methods(mei, [third.pk, first.pk, second.pk], by="test", at=NOON, reason="A test")
    assert services.methods_of(mei) == [third, first, second]


def test_an_order_of_other_methods_is_refused():
    mei = make_contact()
    stranger = make_method(make_contact(reachable=False))
    with pytest.raises(ValidationError, match="have changed meanwhile"):
        services.reorder_methods(mei, [stranger.pk], by="test", at=NOON, reason="A test")


def test_a_code_for_an_address_that_changed_meanwhile_verifies_nothing():
    method = make_method(make_contact(reachable=False), verified=False)
    changed = type(method).objects.get(pk=method.pk)
    changed.address = "elsewhere@example.org"
    changed.save()
    with pytest.raises(ValidationError, match="changed meanwhile"):
        services.mark_verified(method, by="test", at=NOON, reason="A test")


def test_emergency_contacts_come_with_their_backups_in_one_query(django_assert_num_queries):
    first, second = make_system(), make_system()
    row = make_emergency_contact(first, make_contact("Mei"), backup=make_contact("Jonas"))
    make_emergency_contact(second, make_contact("Ann"), role=EmergencyRole.SECURITY_LEAD)
    with django_assert_num_queries(1):
        found = services.emergency_contacts([first.pk, second.pk])
        names = [str(found[first.pk]["primary_owner"].contact), str(found[first.pk]["primary_owner"].backup)]
    assert names == ["Mei", "Jonas"]
    assert found[first.pk] == {"primary_owner": row}
    assert set(found[second.pk]) == {"security_lead"}


def test_the_tightest_recovery_time_counts():
    slow, fast, none = make_system(rto=240), make_system(rto=60), make_system(rpo=5)
    assert services.tightest_rto([slow.pk, fast.pk, none.pk]) == (60, fast)
    assert services.tightest_rto([none.pk]) is None


def test_the_calendar_is_that_of_the_first_system_that_has_one(django_assert_num_queries):
    oslo = make_calendar("Oslo", time_zone="Europe/Oslo")
    systems = [make_system(), make_system(calendar=oslo), make_system(calendar=make_calendar("Tokyo"))]
    with django_assert_num_queries(2):
        assert services.work_calendar_of(systems).name == "Oslo"


def test_without_a_calendar_of_their_own_the_company_s_counts_even_renamed():
    assert services.work_calendar_of([make_system()]).name == "Company"
    calendar = Calendar.objects.get(name="Company")
    calendar.name = "Head office"
    calendar.save()
    make_calendar("Later")
    assert services.work_calendar_of([]).name == "Head office"


def test_an_account_without_an_entry_gets_one():
    user = make_user("amara", first_name="Amara", last_name="Okafor")
    contact = services.contact_for_user(user.pk, by=user, at=NOON)
    assert contact.name == "Amara Okafor"
    assert services.contact_for_user(user.pk, by=user, at=NOON) == contact
