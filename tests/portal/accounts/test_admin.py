from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from tests.factories.accounts import PASSWORD, confirm, make_superuser, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    user = make_user("ada", first_name="Ada", last_name="Min", roles=["administrator"])
    client.force_login(user)
    confirm(client)
    return user


def change(user, **more):
    """Return the form of an account as it stands, with what is to be changed."""
    fields = {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "time_zone": user.time_zone,
        "is_active": "on",
        "is_staff": "on",
        "groups": list(user.groups.values_list("pk", flat=True)),
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


def page(name, *args):
    return reverse(f"admin:accounts_user_{name}", args=args)


def test_an_account_is_deactivated_with_a_reason(client, administrator):
    user = make_user()
    response = client.post(page("change", user.pk), change(user, is_active=None, change_reason="She left"))
    assert response.status_code == 302
    row = user.history.first()
    assert (row.is_active, row.actor_name, row.origin) == (False, "Ada Min", "admin")
    assert (row.history_change_reason, row.remote_address) == ("She left", "127.0.0.1")


def test_roles_are_ticked_and_recorded(client, administrator):
    user, auditor = make_user(), Group.objects.get(name="Auditor")
    client.post(page("change", user.pk), change(user, groups=[auditor.pk], change_reason="joins"))
    assert list(user.groups.all()) == [auditor]
    row = user.history.first()
    assert (row.groups.count(), row.actor_name, row.history_change_reason) == (1, "Ada Min", "joins")
    history = client.get(page("history", user.pk)).content.decode()
    assert "<ins>Auditor</ins>" in history


def test_an_administrator_makes_no_superuser_and_touches_none(client, administrator):
    user, root = make_user(), make_superuser("root")
    client.post(page("change", user.pk), change(user, is_superuser="on"))
    assert not User.objects.get(pk=user.pk).is_superuser
    assert client.post(page("change", root.pk), change(root, is_active=None)).status_code == 403
    new = "another long sentence 42"
    passwords = {"password1": new, "password2": new, "usable_password": "true"}
    assert client.post(reverse("admin:auth_user_password_change", args=[root.pk]), passwords).status_code == 403
    assert User.objects.get(pk=root.pk).check_password(PASSWORD)


def test_permissions_are_given_by_roles_alone(client, administrator):
    user = make_user()
    client.post(page("change", user.pk), change(user, user_permissions=[1, 2, 3]))
    assert not user.user_permissions.exists()
    assert "user_permissions" not in client.get(page("change", user.pk)).content.decode()


def test_a_password_set_for_somebody_is_an_event_of_whoever_set_it(client, administrator):
    user = make_user()
    new = "another long sentence 42"
    data = {"password1": new, "password2": new, "usable_password": "true"}
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    assert "Say why" in client.post(address, data).content.decode()
    assert user.history.count() == 1
    client.post(address, {**data, "change_reason": "She lost her telephone"})
    row = user.history.first()
    assert (row.history_change_reason, row.actor_name) == ("Password changed. She lost her telephone", "Ada Min")


def test_an_account_is_added(client, administrator):
    new = "another long sentence 42"
    data = {"username": "newcomer", "password1": new, "password2": new, "usable_password": "true"}
    assert "Say why" in client.post(page("add"), data).content.decode()
    assert not User.objects.filter(username="newcomer").exists()
    data["change_reason"] = "She starts on Monday"
    assert client.post(page("add"), data).status_code == 302
    row = User.objects.get(username="newcomer").history.last()
    assert (row.history_type, row.actor_name) == ("+", "Ada Min")


def test_an_auditor_sees_accounts_and_changes_none(client):
    client.force_login(make_user(roles=["auditor"]))
    user = make_user()
    assert client.get(page("change", user.pk)).status_code == 200
    assert client.get(page("history", user.pk)).status_code == 200
    assert client.post(page("change", user.pk), change(user, is_active=None)).status_code == 403
    assert client.get(page("add")).status_code == 403


def test_a_responder_changes_no_account(client):
    user = make_user(roles=["responder"])
    client.force_login(user)
    admin_role = Group.objects.get(name="Administrator")
    assert client.post(page("change", user.pk), change(user, groups=[admin_role.pk])).status_code == 403


def test_roles_are_not_edited_by_hand(client, administrator):
    assert client.get("/admin/auth/group/").status_code == 404


def lock_out(client, username):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post("/sign-in/", {"username": username, "password": "wrong"})


def test_somebody_locked_out_is_let_in_again(client, administrator):
    user, stranger = make_user("amara"), Client()
    assert client.get(page("change", user.pk)).context["verbs"] == []
    lock_out(stranger, "amara")
    verb = client.get(page("change", user.pk)).context["verbs"][0]
    assert verb.label == "Unlock sign-in"
    assert client.post(verb.url, {"change_reason": ""}).status_code == 422
    client.post(verb.url, {"change_reason": "It was her new keyboard"})
    assert stranger.post("/sign-in/", {"username": "amara", "password": PASSWORD}).status_code == 302
    row = user.history.first()
    assert (row.history_change_reason, row.actor_name) == (
        "Sign-in unlocked. It was her new keyboard",
        "Ada Min",
    )


def test_only_who_may_change_accounts_unlocks(client):
    client.force_login(make_user(roles=["auditor"]))
    user = make_user("amara")
    lock_out(Client(), "amara")
    assert client.get(page("change", user.pk)).context["verbs"] == []
    assert client.post(page("unlock", user.pk)).status_code == 403


def test_an_auditor_reads_who_signed_in(client):
    make_user("amara")
    Client().post("/sign-in/", {"username": "amara", "password": PASSWORD})
    client.force_login(make_user(roles=["auditor"]))
    assert "amara" in client.get("/admin/accounts/signin/").content.decode()


def test_sign_ins_are_for_auditors_and_administrators(client):
    client.force_login(make_user(roles=["manager"]))
    assert client.get("/admin/accounts/signin/").status_code == 403


def test_a_role_beyond_every_number_of_the_database_is_refused_with_a_sentence(client, administrator):
    user = make_user(roles=["auditor"])
    answer = client.post(page("change", user.pk), change(user, groups=["9" * 23]))
    assert answer.context["adminform"].form.errors == {"groups": ["Choose from the list."]}
    assert [group.name for group in user.groups.all()] == ["Auditor"]


def test_an_account_is_opened_only_after_a_confirmation(client):
    client.force_login(make_user("ada", roles=["administrator"]))
    new = "another long sentence 42"
    data = {"username": "newcomer", "password1": new, "password2": new, "usable_password": "true", "change_reason": "x"}
    for response in (client.get(page("add")), client.post(page("add"), data)):
        assert response.status_code == 302
        assert response["Location"].startswith(f"/confirm/?next={quote(page('add'), safe='')}")
    assert not User.objects.filter(username="newcomer").exists()
    confirm(client)
    assert client.get(page("add")).status_code == 200
    client.post(page("add"), data)
    assert User.objects.get(username="newcomer").is_active


@pytest.mark.parametrize(
    "question",
    [
        "accounts/user/?session_stamp__startswith=a",
        "accounts/user/?password__startswith=pbkdf2",
        "accounts/signin/?session_hash__startswith=a",
        "incidents/intaketoken/?digest__startswith=a",
        "directory/contactmethod/?address__startswith=a",
        "directory/channel/?address__startswith=a",
        "notify/message/?address__startswith=a",
        "notify/message/?lease_token__startswith=a",
        "assurance/export/?lease_token__startswith=a",
        "audit/reconciliation/?lease_token__startswith=a",
    ],
)
def test_no_list_is_narrowed_by_a_secret(client, question):
    client.force_login(make_superuser())
    assert client.get(f"/admin/{question.partition('?')[0]}").status_code == 200
    assert client.get(f"/admin/{question}").status_code == 400
