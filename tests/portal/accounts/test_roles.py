import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS

from portal.accounts import roles
from portal.accounts.models import User
from portal.audit import guards
from tests.factories.accounts import make_superuser, make_user

pytestmark = pytest.mark.django_db
NARROW = ("auditor", "stakeholder")


def permissions(slug):
    group = Group.objects.get(name=roles.BY_SLUG[slug].name)
    return {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")}


def test_after_migrations_each_role_stands():
    assert {role.slug for role in roles.ROLES} == {
        "stakeholder",
        "responder",
        "change-approver",
        "manager",
        "security-lead",
        "auditor",
        "administrator",
    }
    assert {role.name for role in roles.ROLES} <= set(Group.objects.values_list("name", flat=True))


@pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.slug)
def test_each_pattern_of_a_role_means_something_and_nobody_deletes(role):
    everything = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    held = permissions(role.slug)
    assert held == {permission for permission in everything if role.allows(permission)}
    assert not any(".delete_" in permission for permission in held)


@pytest.mark.parametrize("role", [role for role in roles.ROLES if role.slug not in NARROW], ids=lambda role: role.slug)
def test_every_role_but_two_sees_every_record(role):
    parts = [config for config in apps.get_app_configs() if config.label in roles.PARTS]
    models = [m for part in parts for m in part.get_models() if m._meta.default_permissions and not m._meta.proxy]
    assert {f"{m._meta.app_label}.view_{m._meta.model_name}" for m in models} <= permissions(role.slug)


def test_the_role_auditor_opens_nothing_by_itself():
    assert permissions("auditor") == set()


def test_the_role_stakeholder_opens_the_status_page_alone():
    assert permissions("stakeholder") == {"incidents.read_status"}


def test_an_administrator_keeps_accounts_and_a_responder_does_not():
    assert "accounts.change_user" in permissions("administrator")
    assert "accounts.change_user" not in permissions("responder")
    assert "incidents.add_incident" in permissions("responder")


def test_sessions_are_shown_to_nobody():
    assert not any(p.startswith(("sessions.", "admin.")) for role in roles.ROLES for p in permissions(role.slug))


def test_synchronising_again_writes_nothing(django_assert_num_queries, django_assert_max_num_queries):
    with django_assert_max_num_queries(6) as context:
        roles.synchronise()
    assert not [q for q in context.captured_queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_what_was_bent_by_hand_is_put_right():
    group = Group.objects.get(name="Responder")
    group.permissions.set(Permission.objects.filter(codename="delete_user"))
    Group.objects.filter(name="Manager").delete()
    roles.synchronise()
    assert "accounts.delete_user" not in permissions("responder")
    assert "accounts.view_user" in permissions("responder")
    assert permissions("manager")


@pytest.mark.django_db(transaction=True)
def test_a_flush_brings_the_roles_back():
    with guards.lifted(DEFAULT_DB_ALIAS):
        call_command("flush", interactive=False, verbosity=0)
    assert "incidents.add_incident" in permissions("responder")


def test_has_role_asks_once(django_assert_num_queries):
    user = make_user(roles=["responder", "auditor"])
    with django_assert_num_queries(1):
        assert roles.has_role(user, "responder")
        assert roles.has_role(user, "auditor")
        assert not roles.has_role(user, "administrator")


def test_what_the_roles_permit_is_known_with_them(django_assert_num_queries):
    fresh = User.objects.get(pk=make_user(roles=["responder"]).pk)
    fresh.user_permissions.add(Permission.objects.get(codename="delete_user"))
    with django_assert_num_queries(1):
        assert fresh.role_names == {roles.BY_SLUG["responder"].name}
        held, own = fresh.get_group_permissions(), fresh.get_user_permissions()
    assert held == permissions("responder")
    assert own == {"accounts.delete_user"}
    again = User.objects.get(pk=fresh.pk)
    assert (again.get_group_permissions(), again.get_user_permissions()) == (held, own)


def test_a_superuser_holds_more_than_the_roles_permit():
    user = make_superuser("root")
    assert not roles.has_role(user, "responder")
    assert user.has_perm("accounts.delete_user")


def test_nobody_else_has_a_role():
    assert not roles.has_role(AnonymousUser(), "responder")
    assert not roles.has_role(make_user(roles=["responder"], is_active=False), "responder")
    assert not roles.has_role(make_superuser(), "administrator")
    with pytest.raises(KeyError):
        roles.has_role(AnonymousUser(), "king")
