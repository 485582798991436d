import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from portal.accounts.models import User
from portal.audit import trail
from portal.audit.actor import Actor, acting
from portal.audit.bulk import bulk_create_audited
from portal.audit.enums import Action
from portal.audit.facts import AppendOnly
from portal.audit.models import Difference, TrailRow
from portal.directory.models import Calendar, CalendarDay, Contact, ContactMethod, Team
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_system, make_team
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 17, 9, 2, 18, 5, tzinfo=UTC)


def newest(model=None):
    rows = TrailRow.objects.order_by("-id")
    return (rows.filter(model=model._meta.label_lower) if model else rows).first()


def told(row):
    return {found.field: (found.old, found.new) for found in row.differences}


def test_a_change_says_who_when_why_from_where_and_what():
    team = make_team(name="Ops")
    who = Actor("Leila Nasser", user_id=12, contact_id=4)
    with acting(by=who, reason="The team grew", at=AT, origin="admin", address="192.0.2.1") as act:
        team.name = "Operations"
        team.save()
    row = newest()
    assert (row.actor_name, row.actor_id, row.contact_id) == ("Leila Nasser", 12, 4)
    assert (row.at, row.reason, row.origin, row.address, row.gesture) == (
        AT, "The team grew", "admin", "192.0.2.1", act.gesture,
    )  # fmt: skip
    assert (row.action, row.model, row.object_id, row.name) == ("changed", "directory.team", str(team.pk), "Operations")
    assert row.differences == [Difference("name", "Ops", "Operations")]
    assert row.fields == " name "
    assert row.privileged
    assert row.history_id == team.history.first().pk


def test_each_history_row_has_one_row_of_the_trail():
    contact = make_contact()
    contact.name = "Amara Okafor"
    contact.save()
    make_team()
    for model in (Contact, Team):
        kept = set(model.history.values_list("history_id", flat=True))
        rows = TrailRow.objects.filter(model=model._meta.label_lower).values_list("history_id", flat=True)
        assert sorted(rows) == sorted(kept)


def test_a_new_row_is_told_with_all_that_it_holds_and_a_deleted_one_with_all_that_it_held():
    with acting(by="setup", reason="New works"):
        calendar = Calendar.objects.create(name="Works")
    created = newest(Calendar)
    assert created.action == "created"
    assert told(created)["name"] == (None, "Works")
    assert all(old is None for old, _new in told(created).values())
    key = str(calendar.pk)
    with acting(by="setup", reason="Not needed"):
        calendar.delete()
    deleted = newest(Calendar)
    assert (deleted.action, deleted.object_id) == ("deleted", key)
    assert told(deleted)["name"] == ("Works", None)


def test_a_status_that_no_form_may_set_is_in_the_differences():
    incident = make_incident()
    incident.status, incident.acknowledged_at, incident.acknowledged_by = "acknowledged", AT, "Amara Okafor"
    incident.save()
    found = told(newest())
    assert found["status"] == ("Declared", "Acknowledged")
    assert found["acknowledged_at"] == (None, "2026-11-17T09:02:18.000005Z")


def test_a_relation_to_one_is_told_by_name_and_key():
    system, old, new = make_system(), make_team(name="Old"), make_team(name="New")
    system.owner = old
    system.save()
    system.owner = new
    system.save()
    assert told(newest())["owner"] == (f"Old ({old.pk})", f"New ({new.pk})")


def test_relations_to_many_are_told_from_either_side_by_what_left_and_what_came():
    incident, system = make_incident(), make_system(name="Billing")
    incident.systems.add(system)
    assert newest().differences == [Difference("systems", None, f"Billing ({system.pk})")]
    system.incidents.remove(incident)
    row = newest()
    assert (row.model, row.object_id) == ("incidents.incident", str(incident.pk))
    assert row.differences == [Difference("systems", f"Billing ({system.pk})", None)]
    incident.systems.add(system)
    incident.systems.clear()
    assert newest().differences == [Difference("systems", f"Billing ({system.pk})", None)]


def test_a_role_given_is_a_privileged_change_of_the_account():
    user = make_user(roles=["auditor"])
    row = newest(User)
    assert (row.model, row.object_id, row.fields, row.privileged) == ("accounts.user", str(user.pk), " groups ", True)
    assert row.differences[0].new.startswith("Auditor (")


def test_a_secret_is_told_without_its_value():
    contact = make_contact()
    method = ContactMethod.objects.create(contact=contact, kind="email", address="amara@example.org")
    assert told(newest())["address"] == (None, "not shown")
    method.address = "other@example.org"
    method.save()
    assert told(newest())["address"] == ("not shown", "not shown")
    assert "example.org" not in "".join(TrailRow.objects.values_list("changes", flat=True))


def test_a_part_belongs_to_its_record():
    calendar = Calendar.objects.create(name="Works")
    CalendarDay.objects.create(calendar=calendar, date=AT.date(), name="Fair")
    row = newest()
    assert (row.model, row.root_model, row.root_id) == ("directory.calendarday", "directory.calendar", str(calendar.pk))


def test_rows_written_in_bulk_are_told_each():
    calendar = Calendar.objects.create(name="Works")
    days = [CalendarDay(calendar=calendar, date=AT.date() + timedelta(days=n), name=f"Day {n}") for n in range(3)]
    created = bulk_create_audited(CalendarDay, days)
    rows = TrailRow.objects.filter(model="directory.calendarday").order_by("id")
    assert [row.object_id for row in rows] == [str(day.pk) for day in created]
    assert [told(row)["name"] for row in rows] == [(None, "Day 0"), (None, "Day 1"), (None, "Day 2")]
    assert list(rows.values_list("history_id", flat=True)) == list(
        CalendarDay.history.order_by("history_id").values_list("history_id", flat=True)
    )


def test_the_row_is_gone_with_its_change_when_the_transaction_fails(transactional_db):
    def fail():
        with transaction.atomic():
            make_team()
            raise RuntimeError

    before = TrailRow.objects.count()
    with pytest.raises(RuntimeError):
        fail()
    assert TrailRow.objects.count() == before


def test_what_is_no_change_is_told_as_an_event():
    incident = make_incident()
    with acting(by="Elif Cetin", reason="Sample 12"):
        trail.record_reading(incident)
    row = newest()
    assert (row.action, row.object_id, row.reason, row.history_id) == ("read", str(incident.pk), "Sample 12", None)
    assert row.reference == incident.reference
    trail.record(Action.SIGN_IN_REFUSED, event="Sign-in refused", name="x" * 500)
    assert newest().name == "x" * 200
    with pytest.raises(ValueError, match="history"):
        trail.record(Action.CHANGED, event="Forged", subject=incident)


def test_a_row_is_neither_edited_nor_deleted():
    make_team()
    row = newest()
    for act in (row.save, row.delete, TrailRow.objects.all().delete, lambda: TrailRow.objects.update(reason="x")):
        with pytest.raises(AppendOnly, match="never"):
            act()


def test_the_trail_is_seen_with_its_permission_alone():
    make_team()
    assert TrailRow.objects.visible_to(make_user(roles=["administrator"])).exists()
    assert not TrailRow.objects.visible_to(make_user()).exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (timedelta(hours=4), "4 h"),
        (timedelta(hours=2, minutes=6, seconds=3), "2:06:03"),
        ({"b": 1, "a": "ä"}, '{"a": "ä", "b": 1}'),
        (AT, "2026-11-17T09:02:18.000005Z"),
        ("x" * 3000, "x" * 1999 + "…"),
    ],
)
def test_values_read_the_same_everywhere(value, text):
    assert trail.plain(value) == text


def test_differences_have_one_text():
    assert json.loads(trail.canonical([Difference("a", None, "ä")])) == [["a", None, "ä"]]
    assert trail.canonical([Difference("a", None, "ä")]) == '[["a",null,"ä"]]'
