from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from portal.accounts import throttle
from portal.accounts.models import User
from portal.accounts.stepup import KEPT_LENGTH
from portal.lib import clock
from tests.factories.accounts import PASSWORD, confirm, make_superuser, make_user

pytestmark = pytest.mark.django_db
CONFIRM = "/confirm/"


@pytest.fixture
def administrator(client):
    user = make_user("ada", first_name="Ada", last_name="Min", roles=["administrator"])
    client.force_login(user)
    return user


@pytest.fixture
def ben():
    return make_user("ben", first_name="Ben", last_name="Ross")


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def form_of(user, **more):
    fields = {"username": user.username, "first_name": user.first_name, "last_name": user.last_name}
    boxes = {"is_active": "on", "is_staff": "on", "time_zone": user.time_zone, "change_reason": "She joins <b>them</b>"}
    found = {**fields, **boxes, "groups": list(user.groups.values_list("pk", flat=True)), **more}
    return {name: value for name, value in found.items() if value is not None}


def give_role(client, user, name="Auditor"):
    return client.post(page_of(user), form_of(user, groups=[Group.objects.get(name=name).pk]))


def roles_of(user):
    return User.objects.get(pk=user.pk).role_names


def test_a_role_is_given_only_after_a_confirmation(client, administrator, ben):
    assert give_role(client, ben)["Location"].startswith(f"{CONFIRM}?next=")
    assert roles_of(ben) == frozenset()
    confirm(client)
    assert give_role(client, ben)["Location"] == reverse("admin:accounts_user_changelist")
    assert roles_of(ben) == {"Auditor"}


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
def test_an_account_is_closed_only_after_a_confirmation(client, administrator, ben, field):
    assert client.post(page_of(ben), form_of(ben, **{field: None}))["Location"].startswith(CONFIRM)
    assert getattr(User.objects.get(pk=ben.pk), field)


def test_a_name_is_mended_without_one(client, administrator, ben):
    assert client.post(page_of(ben), form_of(ben, last_name="Rossi"))["Location"] != CONFIRM
    assert User.objects.get(pk=ben.pk).last_name == "Rossi"


def test_a_password_is_set_for_somebody_only_after_a_confirmation(client, administrator, ben):
    page = reverse("admin:auth_user_password_change", args=[ben.pk])
    assert client.get(page)["Location"].startswith(CONFIRM)
    confirm(client)
    assert client.get(page).status_code == 200


def test_a_confirmation_lasts_five_minutes(client, administrator, ben):
    confirm(client, ago=timedelta(minutes=5, seconds=1))
    assert give_role(client, ben)["Location"].startswith(CONFIRM)
    confirm(client, ago=timedelta(minutes=4, seconds=50))
    assert not give_role(client, ben)["Location"].startswith(CONFIRM)


def test_a_confirmation_of_the_future_is_not_believed(client, administrator, ben):
    confirm(client, ago=-timedelta(hours=1))
    assert give_role(client, ben)["Location"].startswith(CONFIRM)


def test_a_confirmation_is_one_persons_own(client, administrator, ben):
    confirm(client)
    root = make_superuser("root")
    client.force_login(root)
    assert give_role(client, ben)["Location"].startswith(CONFIRM)


def test_the_right_password_leads_back_to_the_form(client, administrator, ben):
    page = f"{page_of(ben)}?_changelist_filters=a%3Db"
    response = client.post(CONFIRM, {"password": PASSWORD, "next": page})
    assert response["Location"] == page


@pytest.mark.parametrize("wanted", ["https://evil.example.org/", "//evil.example.org", "javascript:alert(1)", ""])
def test_it_leads_nowhere_else(client, administrator, wanted):
    assert client.post(CONFIRM, {"password": PASSWORD, "next": wanted})["Location"] == "/"


def test_a_wrong_password_confirms_nothing_and_says_so(client, administrator, ben):
    page = client.post(CONFIRM, {"password": "wrong", "next": page_of(ben)})
    assert "That is not your password" in page.content.decode()
    assert give_role(client, ben)["Location"].startswith(CONFIRM)


def test_after_five_wrong_passwords_the_right_one_is_refused_too(client, administrator):
    for _ in range(5):
        client.post(CONFIRM, {"password": "wrong"})
    page = client.post(CONFIRM, {"password": PASSWORD})
    assert "Wait 15 minutes, or ask an administrator" in page.content.decode()


def test_a_right_password_forgets_the_wrong_ones(client, administrator):
    for _ in range(4):
        client.post(CONFIRM, {"password": "wrong"})
    client.post(CONFIRM, {"password": PASSWORD})
    assert User.objects.get(pk=administrator.pk).proofs_refused == 0


def test_the_lock_ends_by_itself(administrator):
    at = clock.now()
    for _ in range(5):
        throttle.spend(administrator, at=at)
    with pytest.raises(throttle.TooManyProofs):
        throttle.spend(administrator, at=at + timedelta(minutes=14))
    throttle.spend(administrator, at=at + timedelta(minutes=15))


def test_counting_proofs_is_no_change_of_the_account(administrator):
    before = administrator.history.count()
    throttle.spend(administrator, at=clock.now())
    throttle.forget(administrator)
    assert administrator.history.count() == before


class TestWhatWasTyped:
    def test_is_kept_and_can_be_sent_after_confirming(self, client, administrator, ben):
        asked = give_role(client, ben)["Location"]
        assert "What you entered is kept" in client.get(asked).content.decode()
        page = client.post(CONFIRM, {"password": PASSWORD, "next": page_of(ben)})
        text = page.content.decode()
        assert "Nothing is done yet" in text
        assert f'action="{page_of(ben)}"' in text
        assert 'name="change_reason" value="She joins &lt;b&gt;them&lt;/b&gt;"' in text
        fields = page.context["kept"]["fields"]
        client.post(page_of(ben), dict(fields))
        assert roles_of(ben) == {"Auditor"}

    def test_is_forgotten_once_it_was_sent(self, client, administrator, ben):
        give_role(client, ben)
        confirm(client)
        give_role(client, ben)
        assert client.get(f"{CONFIRM}?next=/me/")["Location"] == "/me/"

    def test_is_forgotten_when_the_reader_goes_back(self, client, administrator, ben):
        give_role(client, ben)
        assert client.post(CONFIRM, {"forget": "1", "next": page_of(ben)})["Location"] == page_of(ben)
        assert client.post(CONFIRM, {"password": PASSWORD, "next": "/me/"})["Location"] == "/me/"

    def test_is_shown_to_nobody_else(self, client, administrator, ben):
        give_role(client, ben)
        session = client.session
        session["kept_post"] = {**session["kept_post"], "user": ben.pk}
        session.save()
        assert "What you entered is kept" not in client.get(CONFIRM).content.decode()

    def test_no_password_is_kept(self, client, administrator, ben):
        page = reverse("admin:auth_user_password_change", args=[ben.pk])
        client.post(page, {"password1": "a secret", "password2": "a secret", "note": "kept"})
        assert client.session["kept_post"]["fields"] == [["note", "kept"]]

    def test_is_not_lost_silently_when_it_is_too_long(self, client, administrator, ben):
        client.post(
            page_of(ben), form_of(ben, is_active=None, change_reason="x" * 10, first_name="x", extra="y" * KEPT_LENGTH)
        )
        assert "too long to be kept" in client.get(CONFIRM).content.decode()
        page = client.post(CONFIRM, {"password": PASSWORD, "next": "/me/"}, follow=True)
        assert "Go back to it with your browser" in page.content.decode()

    def test_leads_back_to_the_page_that_the_form_stood_on(self, client, administrator, ben):
        form = form_of(ben, is_active=None)
        response = client.post(page_of(ben), form, headers={"referer": "http://testserver/me/?a=b"})
        assert response["Location"] == f"{CONFIRM}?next=%2Fme%2F%3Fa%3Db"
        response = client.post(page_of(ben), form, headers={"referer": "https://evil.example.org/"})
        assert response["Location"].endswith(f"next={page_of(ben).replace('/', '%2F')}")


def test_a_part_of_a_page_leads_the_whole_page(client, administrator, ben):
    form = form_of(ben, is_active=None)
    response = client.post(
        page_of(ben), form, headers={"hx-request": "true", "hx-current-url": "http://testserver/me/"}
    )
    assert (response.status_code, response["HX-Redirect"]) == (200, f"{CONFIRM}?next=%2Fme%2F")


def test_only_those_signed_in_are_asked(client):
    assert client.get(CONFIRM)["Location"].startswith("/sign-in/")
