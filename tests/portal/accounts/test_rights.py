"""Groups and permissions keep their history, whoever changes them and by whatever route."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.accounts import rights, roles
from portal.audit.actor import acting
from portal.audit.models import HistoryBypassed, ReasonMissing, TrailRow
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def trail_of(row):
    return TrailRow.objects.filter(model=row._meta.label_lower, object_id=str(row.pk)).order_by("id")


def permission(name):
    return Permission.objects.get(content_type__app_label=name.split(".")[0], codename=name.split(".")[1])


def test_every_group_and_permission_has_a_history_from_the_first_migration_on():
    for model in (Group, Permission):
        assert set(model.history.values_list("id", flat=True)) == set(model.objects.values_list("pk", flat=True))
    told = set(TrailRow.objects.filter(model="auth.permission").values_list("object_id", flat=True))
    assert told == {str(pk) for pk in Permission.objects.values_list("pk", flat=True)}


def test_it_says_who_made_them_and_why():
    row = trail_of(Group.objects.get(name="Auditor")).first()
    assert (row.action, row.reason) == ("created", "Roles and permissions follow the code")
    assert row.actor_name.startswith(("system: roles", "command: ", "system: "))
    assert row.privileged


def test_a_role_given_reads_as_a_difference_of_groups():
    user = make_user(roles=["responder"])
    with acting(by="boss", reason="She joins the auditors"):
        user.groups.set([Group.objects.get(name="Auditor")])
    went, came = trail_of(user).reverse()[:2][::-1]
    assert [d.field for row in (went, came) for d in row.differences] == ["groups", "groups"]
    assert (went.differences[0].old[:9], went.differences[0].new) == ("Responder", None)
    assert (came.differences[0].old, came.differences[0].new[:7]) == (None, "Auditor")
    assert {(row.actor_name, row.reason) for row in (went, came)} == {("boss", "She joins the auditors")}


def test_what_a_group_may_do_is_told_by_name_from_either_side():
    group, one = Group.objects.create(name="Guests"), permission("incidents.view_incident")
    for act in (lambda: group.permissions.add(one), one.group_set.clear):
        act()
        row = trail_of(group).last()
        (difference,) = row.differences
        assert f"Incidents | incident | Can view incident ({one.pk})" in difference
    assert group.history.first().permissions.count() == 0
    assert group.history.all()[1].permissions.count() == 1


def test_a_group_renamed_and_deleted_is_told():
    group = Group.objects.create(name="Guests")
    group.name = "Visitors"
    group.save()
    group.save()
    key = group.pk
    group.delete()
    rows = TrailRow.objects.filter(model="auth.group", object_id=str(key)).order_by("id")
    assert [(row.action, [tuple(d) for d in row.differences]) for row in rows] == [
        ("created", [("id", None, str(key)), ("name", None, "Guests")]),
        ("changed", [("name", "Guests", "Visitors")]),
        ("deleted", [("id", str(key), None), ("name", "Visitors", None)]),
    ]


def test_a_permission_made_or_deleted_by_hand_is_told():
    kind = ContentType.objects.get_for_model(Group)
    made = Permission.objects.create(codename="praise_group", name="May praise", content_type=kind)
    group = Group.objects.get(name="Auditor")
    group.permissions.add(made)
    key = made.pk
    made.delete()
    rows = TrailRow.objects.filter(model="auth.permission", object_id=str(key)).order_by("id")
    assert [row.action for row in rows] == ["created", "deleted"]
    assert "May praise" in trail_of(group).last().differences[0].old


def test_a_group_asks_why():
    with acting(by="boss", alone=True), pytest.raises(ReasonMissing):
        Group.objects.create(name="Guests")


def test_a_fixture_is_refused(tmp_path):
    path = tmp_path / "groups.json"
    path.write_text('[{"model": "auth.group", "pk": 999, "fields": {"name": "Kings", "permissions": []}}]')
    with pytest.raises(Exception, match="no history") as refused:
        call_command("loaddata", str(path), verbosity=0)
    assert HistoryBypassed in {type(refused.value), type(refused.value.__cause__)}


def test_what_came_in_bulk_begins_its_history_afterwards():
    kind = ContentType.objects.get_for_model(Group)
    Permission.objects.bulk_create([Permission(codename="praise_group", name="May praise", content_type=kind)])
    Group.objects.bulk_create([Group(name="Guests")])
    rights.record_new()
    assert permission("auth.praise_group").history.count() == 1
    assert trail_of(Group.objects.get(name="Guests")).get().action == "created"


def test_beginning_again_writes_nothing():
    with CaptureQueriesContext(connection) as asked:
        rights.record_new()
        roles.synchronise()
    assert not [q["sql"] for q in asked if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_what_was_bent_by_hand_and_put_right_is_told_both_times():
    group = Group.objects.get(name="Responder")
    group.permissions.add(permission("accounts.delete_user"))
    roles.synchronise()
    came, went = trail_of(group).reverse()[:2][::-1]
    assert came.differences[0].new.startswith("Accounts | account | Can delete account")
    assert went.differences[0].old.startswith("Accounts | account | Can delete account")


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_a_group_is_refused():
    with pytest.raises(HistoryBypassed):
        Group.objects.create(name="Guests")
