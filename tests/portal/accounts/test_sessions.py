"""A sign-in lasts until it is not used, or for a day's work; and no longer than what it was opened for."""

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from portal.accounts import services, sessions
from portal.accounts.models import User
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import PASSWORD, confirm, make_user

pytestmark = pytest.mark.django_db
PART = {"hx-request": "true", "hx-current-url": "http://testserver/"}


@pytest.fixture
def amara():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["responder"])


@pytest.fixture
def signed_in(client, amara):
    client.force_login(amara)
    return client


def turn_back(client, *, began=timedelta(0), used=timedelta(0)):
    """Let the session be older than it is."""
    session = client.session
    session[sessions.BEGAN] -= began.total_seconds()
    session[sessions.USED] -= used.total_seconds()
    session.save()


def is_in(client):
    return SESSION_KEY in client.session


def test_a_session_that_is_used_goes_on(signed_in):
    for _ in range(3):
        turn_back(signed_in, began=timedelta(hours=1), used=timedelta(minutes=119))
        assert signed_in.get("/me/").status_code == 200


def test_one_that_was_not_used_for_two_hours_is_over_and_says_so(signed_in):
    turn_back(signed_in, used=timedelta(hours=2))
    response = signed_in.get("/me/?a=b")
    assert response["Location"] == "/sign-in/?next=%2Fme%2F%3Fa%3Db&ended=1"
    assert not is_in(signed_in)
    assert "Your sign-in had ended" in signed_in.get(response["Location"]).content.decode()
    row = TrailRow.objects.filter(action="signed-out").get()
    assert (row.event, row.actor_name, row.reference) == ("Signed out, 2 h without use", "system: sessions", "amara")


def test_one_that_began_twelve_hours_ago_is_over_however_much_it_is_used(signed_in):
    turn_back(signed_in, began=timedelta(hours=12))
    assert signed_in.get("/me/").status_code == 302
    assert TrailRow.objects.filter(action="signed-out").get().event == "Signed out, 12 h after it began"


def test_the_limits_are_settings(signed_in, settings):
    settings.SESSION_IDLE, settings.SESSION_LASTS = timedelta(minutes=5), timedelta(hours=1)
    turn_back(signed_in, began=timedelta(minutes=59), used=timedelta(minutes=4))
    assert signed_in.get("/me/").status_code == 200
    turn_back(signed_in, used=timedelta(minutes=5))
    assert signed_in.get("/me/").status_code == 302


def test_a_page_that_refreshes_itself_keeps_no_session_alive(signed_in):
    turn_back(signed_in, used=timedelta(minutes=119))
    assert signed_in.get("/", headers=PART).status_code == 200
    turn_back(signed_in, used=timedelta(minutes=2))
    response = signed_in.get("/", headers=PART)
    assert (response.status_code, response["HX-Redirect"]) == (200, "/sign-in/?next=%2F&ended=1")


def test_what_somebody_sends_from_such_a_page_does(signed_in):
    turn_back(signed_in, used=timedelta(minutes=119))
    signed_in.post("/inbox/read/", headers=PART)
    turn_back(signed_in, used=timedelta(minutes=2))
    assert signed_in.get("/me/").status_code == 200


def test_use_is_written_down_once_a_minute(signed_in):
    turn_back(signed_in, used=timedelta(seconds=30))
    before = signed_in.session[sessions.USED]
    signed_in.get("/me/")
    assert signed_in.session[sessions.USED] == before
    turn_back(signed_in, used=timedelta(seconds=31))
    signed_in.get("/me/")
    assert signed_in.session[sessions.USED] > before


def test_a_session_that_does_not_say_when_it_began_is_over(signed_in):
    session = signed_in.session
    del session[sessions.BEGAN]
    session.save()
    assert signed_in.get("/me/").status_code == 302


def test_one_that_was_used_in_the_future_is_not_used_for_ever(signed_in):
    turn_back(signed_in, used=-timedelta(days=400))
    signed_in.get("/me/")
    assert signed_in.session[sessions.USED] <= clock.now().timestamp() + 60


# What ends an account's sessions at once.


def grant(user):
    services.grant(user, "auditor", by="test", at=clock.now(), reason="joins")


def withdraw(user):
    services.withdraw(user, "responder", by="test", at=clock.now(), reason="leaves")


def from_the_group(user):
    Group.objects.get(name="Auditor").user_set.add(user)


def taken_by_the_group(user):
    Group.objects.get(name="Responder").user_set.clear()


def set_anew(user):
    User.objects.get(pk=user.pk).groups.set([Group.objects.get(name="Manager")])


def the_group_is_gone(user):
    Group.objects.get(name="Responder").delete()


def deactivate(user):
    services.deactivate(user, by="test", at=clock.now(), reason="left")


def deactivate_and_back(user):
    deactivate(user)
    services.reactivate(user, by="test", at=clock.now(), reason="came back")


def superuser(user):
    fresh = User.objects.get(pk=user.pk)
    fresh.is_superuser = True
    fresh.save()


def staff(user):
    fresh = User.objects.get(pk=user.pk)
    fresh.is_staff = False
    fresh.save(update_fields=["is_staff"])


def password(user):
    fresh = User.objects.get(pk=user.pk)
    fresh.set_password("another " + PASSWORD)
    fresh.save()


ROUTES = [
    *(grant, withdraw, from_the_group, taken_by_the_group, set_anew, the_group_is_gone),
    *(deactivate, deactivate_and_back, superuser, staff, password),
]


@pytest.mark.parametrize("act", ROUTES, ids=lambda act: act.__name__)
def test_it_ends_the_sessions_by_whatever_route(signed_in, amara, act):
    assert signed_in.get("/me/").status_code == 200
    act(amara)
    assert signed_in.get("/me/").status_code == 302


@pytest.mark.parametrize("act", ROUTES, ids=lambda act: act.__name__)
def test_it_ends_nobody_elses(client, amara, act):
    client.force_login(make_user("ben", roles=["manager"]))
    act(amara)
    assert client.get("/me/").status_code == 200


def test_roles_ticked_in_the_admin_end_them_too(signed_in, amara):
    boss = Client()
    boss.force_login(make_user("ada", roles=["administrator"]))
    confirm(boss)
    form = {
        "username": "amara", "first_name": "Amara", "last_name": "Okafor", "time_zone": "UTC", "is_active": "on",
        "is_staff": "on", "groups": [Group.objects.get(name="Auditor").pk], "change_reason": "She joins the auditors",
    }  # fmt: skip
    assert boss.post(reverse("admin:accounts_user_change", args=[amara.pk]), form).status_code == 302
    assert signed_in.get("/me/").status_code == 302
    assert boss.get("/me/").status_code == 200


def test_a_changed_name_ends_none(signed_in, amara):
    amara.first_name = "Amy"
    amara.save()
    assert signed_in.get("/me/").status_code == 200


def test_a_copy_read_before_does_not_bring_them_back(signed_in, amara):
    stale = User.objects.get(pk=amara.pk)
    grant(amara)
    stale.first_name = "Amy"
    stale.save()
    assert signed_in.get("/me/").status_code == 302


def test_nor_an_old_password(amara):
    stale = User.objects.get(pk=amara.pk)
    password(amara)
    stale.first_name = "Amy"
    stale.save()
    assert User.objects.get(pk=amara.pk).check_password("another " + PASSWORD)


def test_ending_them_is_no_change_that_history_tells_beside_the_role(amara):
    before = amara.history.count()
    grant(amara)
    assert amara.history.count() == before + 1
    row = TrailRow.objects.filter(model="accounts.user", object_id=str(amara.pk)).order_by("id").last()
    (difference,) = row.differences
    assert (difference.field, difference.old) == ("groups", None)
    assert difference.new.startswith("Auditor (")


def test_a_new_password_keeps_ones_own_session_and_ends_the_others(signed_in, amara):
    other = Client()
    other.force_login(amara)
    new = "another long sentence 42"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert signed_in.post("/me/password/", form).status_code == 302
    assert signed_in.get("/me/").status_code == 200
    assert other.get("/me/").status_code == 302


def test_somebody_signs_out_everywhere_else(signed_in, amara):
    other = Client()
    other.force_login(amara)
    page = signed_in.post("/me/sessions/end/", follow=True)
    assert "signed out everywhere but here" in page.content.decode()
    assert other.get("/me/").status_code == 302


def test_ones_page_shows_where_one_signed_in(client, amara):
    client.post("/sign-in/", {"username": "amara", "password": PASSWORD}, REMOTE_ADDR="192.0.2.17")
    assert "192.0.2.17" in client.get("/me/").content.decode()
