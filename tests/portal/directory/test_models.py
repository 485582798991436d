"""What the directory refuses, and the sentence it says."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from portal.directory.enums import Clock, LimitUnit, MethodKind
from portal.directory.models import (
    Calendar,
    CalendarDay,
    Channel,
    Contact,
    ContactMethod,
    EmergencyContact,
    OnCallShift,
    RecoveryObjective,
    SeverityClock,
    System,
)
from tests.factories.directory import (
    NOON,
    make_calendar,
    make_contact,
    make_emergency_contact,
    make_method,
    make_severity,
    make_shift,
    make_system,
    make_team,
)

pytestmark = pytest.mark.django_db


def sentences(row):
    with pytest.raises(ValidationError) as refusal:
        row.full_clean()
    return " ".join(refusal.value.messages)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"time_zone": "London"}, "“London” is no time zone"),
        ({"time_zone": "../../etc/passwd"}, "is no time zone"),
        ({"weekdays": "1,2,9"}, "numbers from 0 (Monday) to 6 (Sunday)"),
        ({"weekdays": ","}, "numbers from 0 (Monday) to 6 (Sunday)"),
        ({"opens": "17:00", "closes": "09:00"}, "must end after it starts"),
        ({"country": "ZZ"}, "The holidays of “ZZ” are not known"),
        ({"country": "GB", "subdivision": "QQ"}, "GB has no part “QQ”. Known parts: ENG"),
        ({"subdivision": "ENG"}, "Give the country too"),
    ],
)
def test_a_calendar_that_cannot_count_is_refused(fields, sentence):
    assert sentence in sentences(Calendar(name="Broken", **fields))


def test_a_calendar_is_kept_in_order():
    calendar = Calendar(name="Oslo", country="no", weekdays=" 4, 0,1,1 ")
    calendar.full_clean()
    assert (calendar.country, calendar.weekdays) == ("NO", "0,1,4")


def test_two_own_days_on_one_date_are_refused():
    calendar = make_calendar(days_off={date(2026, 12, 24): "Company day"})
    again = CalendarDay(calendar=calendar, date=date(2026, 12, 24), name="Party")
    assert "already has a line for that day" in sentences(again)
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


@pytest.mark.parametrize(
    ("kind", "address", "sentence"),
    [
        (MethodKind.EMAIL, "amara at example", "complete e-mail address"),
        (MethodKind.EMAIL, f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.org", "more than 254 characters"),
        (MethodKind.PHONE, "020 7946 0018", "with its country code"),
        (MethodKind.PHONE, "+44 call me", "with its country code"),
        (MethodKind.PHONE, "+123456", "with its country code"),
        (MethodKind.NTFY, "my-topic", "ntfy topic with its server"),
        (MethodKind.NTFY, "file:///etc/passwd", "ntfy topic with its server"),
        (MethodKind.NTFY, "ntfys://ntfy.sh/topic?attach=http://inside", "ntfy topic with its server"),
        (MethodKind.SLACK, "#general", "Slack incoming webhook"),
        (MethodKind.SLACK, "https://hooks.slack.com.evil.example/services/A/B/c", "Slack incoming webhook"),
        (MethodKind.TEAMS, "https://teams.microsoft.com/l/channel/19", "Teams workflow that posts webhook alerts"),
        (MethodKind.TEAMS, "workflows://h/abcdefgh12/abcdefgh12?template=/etc/passwd", "Teams workflow"),
        (MethodKind.TEAMS, "https://[::1", "Teams workflow"),
        (MethodKind.PUSHOVER, "my-key", "user key and the token"),
        (MethodKind.PUSHOVER, f"pover://{'u' * 30}@{'t' * 30}/?attach=file:///etc/passwd", "user key and the token"),
        (MethodKind.SMS, "020 7946 0018", "with its country code"),
        (MethodKind.VOICE, "+44 20 7946 0018", "has no Twilio account"),
    ],
)
def test_an_address_without_the_form_of_its_kind_is_refused(kind, address, sentence):
    assert sentence in sentences(ContactMethod(contact=make_contact(reachable=False), kind=kind, address=address))
    if kind != MethodKind.PHONE:
        assert sentence in sentences(Channel(name="Room", kind=kind, address=address))


@pytest.mark.parametrize(
    ("kind", "address", "kept"),
    [
        (MethodKind.EMAIL, "  Amara@Example.ORG ", "Amara@example.org"),
        (MethodKind.PHONE, "+44 (20)  7946-0018", "+44 (20) 7946-0018"),
        (MethodKind.NTFY, "https://ntfy.sh/amara_1", "ntfys://ntfy.sh/amara_1"),
        (MethodKind.NTFY, "ntfy://user:word@10.0.0.5:8080/night", "ntfy://user:word@10.0.0.5:8080/night"),
        (
            MethodKind.SLACK,
            "https://hooks.slack.com/services/T1/B2/abc3",
            "https://hooks.slack.com/services/T1/B2/abc3",
        ),
        (MethodKind.SLACK, "slack://T1/B2/abc3/#ops", "slack://T1/B2/abc3/#ops"),
        (
            MethodKind.TEAMS,
            "https://prod-1.logic.azure.com:443/workflows/abcdef0123/triggers/manual/paths/invoke?api-version=1&sig=se_cret-9",
            "workflows://prod-1.logic.azure.com/abcdef0123/se_cret-9",
        ),
        (
            MethodKind.TEAMS,
            "https://E.x.com/powerautomate/automations/direct/cu/7/workflows/abcdef0123/triggers/manual/paths/invoke?sig=se_cret-9",
            "workflows://e.x.com/abcdef0123/se_cret-9?pa=yes&route=7",
        ),
    ],
)
def test_a_good_address_is_kept_in_its_normal_form(kind, address, kept):
    method = ContactMethod(contact=make_contact(reachable=False), kind=kind, address=address)
    method.full_clean()
    assert method.address == kept


def test_pages_do_not_show_the_secret_parts_of_an_address():
    contact = make_contact(reachable=False)
    ntfy = make_method(contact, kind=MethodKind.NTFY, address="ntfy://user:word@ntfy.example.org/night")
    slack = make_method(contact, kind=MethodKind.SLACK, address="https://hooks.slack.com/services/T1/B2/secret99")
    assert ntfy.shown_address == "night on ntfy.example.org"
    assert slack.shown_address == "webhook …et99"
    assert make_method(contact, kind=MethodKind.SLACK, address="slack://T1/B2/abc/#ops").shown_address == "#ops"
    teams = make_method(contact, kind=MethodKind.TEAMS, address="workflows://h.example.org/abcdefgh12/secret-99")
    assert teams.shown_address == "workflow …t-99"
    pover = f"pover://{'u' * 26}1234@{'t' * 30}"
    assert make_method(contact, kind=MethodKind.PUSHOVER, address=pover).shown_address == "key …1234"
    assert make_method(contact, kind=MethodKind.PUSHOVER, address=f"{pover}/phone").shown_address == "phone"


def test_a_changed_address_is_unverified_whatever_path_changes_it():
    method = make_method(make_contact(reachable=False))
    method.address = "elsewhere@example.org"
    method.save(update_fields=["address"])
    method.refresh_from_db()
    assert method.verified_at is None


def test_a_retired_address_is_unverified():
    method = make_method(make_contact(reachable=False))
    method.active = False
    method.save()
    method.refresh_from_db()
    assert method.verified_at is None


def test_a_verification_survives_what_leaves_the_address_alone():
    method = make_method(make_contact(reachable=False))
    method.position = 4
    method.save()
    method.refresh_from_db()
    assert method.verified_at is not None


def test_one_person_has_an_address_once():
    method = make_method(make_contact(reachable=False))
    twin = ContactMethod(contact=method.contact, kind=method.kind, address=method.address)
    assert "already has that address" in sentences(twin)


def test_a_contact_needs_a_known_time_zone():
    assert "“Utopia/Main” is no time zone" in sentences(Contact(name="Ann", time_zone="Utopia/Main"))


def test_a_shift_must_end_after_it_starts():
    shift = OnCallShift(team=make_team(), contact=make_contact(), starts=NOON, until=NOON)
    assert "must end after it starts" in sentences(shift)
    with pytest.raises(IntegrityError), transaction.atomic():
        shift.save()


def test_a_shift_lasts_at_most_a_year():
    shift = OnCallShift(team=make_team(), contact=make_contact(), starts=NOON, until=NOON + timedelta(days=400))
    assert "at most a year" in sentences(shift)


def test_nobody_who_has_left_is_put_on_call():
    leaver, team = make_contact("Mei Tanaka", active=False), make_team("closed", active=False)
    later = NOON + timedelta(days=1)
    assert "Mei Tanaka has left" in sentences(OnCallShift(team=make_team(), contact=leaver, starts=NOON, until=later))
    assert "no longer active" in sentences(OnCallShift(team=team, contact=make_contact(), starts=NOON, until=later))


def test_a_system_is_never_part_of_itself():
    top = make_system("top")
    middle = make_system("middle", parent=top)
    bottom = make_system("bottom", parent=middle)
    top.parent = bottom
    assert "Top cannot be part of Bottom" in sentences(top)
    middle.parent = middle
    assert "cannot be part of" in sentences(middle)


def test_a_dashboard_link_is_a_web_address():
    assert "begins with https://" in sentences(System(slug="x", name="X", dashboard_url="javascript:alert(1)"))


def test_the_backup_is_somebody_else():
    person = make_contact()
    row = EmergencyContact(system=make_system(), role="primary_owner", contact=person, backup=person)
    assert "somebody else" in sentences(row)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_a_role_of_a_system_is_named_once():
    row = make_emergency_contact(make_system(), make_contact())
    twin = EmergencyContact(system=row.system, role=row.role, contact=make_contact())
    assert "already has somebody in that role" in sentences(twin)


def test_somebody_who_has_left_is_not_named_but_stays_where_they_were():
    leaver = make_contact("Mei Tanaka")
    row = make_emergency_contact(make_system(), leaver)
    leaver.active = False
    leaver.save()
    EmergencyContact.objects.get(pk=row.pk).full_clean()
    anew = EmergencyContact(system=make_system(), role="primary_owner", contact=leaver)
    assert "Mei Tanaka has left" in sentences(anew)


def test_objectives_have_limits():
    assert "greater than or equal to 1" in sentences(RecoveryObjective(system=make_system(), rto_minutes=0))
    RecoveryObjective(system=make_system(), rto_minutes=60, rpo_minutes=0).full_clean()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"clock": Clock.CUSTOMERS, "limit": 0}, "limit of at least 1"),
        ({"clock": Clock.CUSTOMERS, "unit": LimitUnit.OBJECTIVE}, "Only the resolve clock"),
        ({"clock": Clock.CUSTOMERS, "limit": 61, "unit": LimitUnit.BUSINESS_DAYS}, "at most 60 business days"),
    ],
)
def test_a_clock_that_cannot_run_is_refused(fields, sentence):
    severity = make_severity(9)
    assert sentence in sentences(SeverityClock(severity=severity, **fields))


def test_every_change_has_its_history():
    shift = make_shift(make_team(), make_contact())
    shift.until += timedelta(days=1)
    shift.save()
    assert [row.history_type for row in shift.history.all()] == ["~", "+"]
