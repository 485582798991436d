"""Every sign-in, refusal and proof is on the trail, by whatever route, with who, whence and no secret."""

import pytest
from django.conf import settings as live
from django.contrib.auth import authenticate
from django.test import Client

from portal.accounts import factors, services
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import PASSWORD, confirm, make_user
from tests.factories.factors import code_of, give_app

pytestmark = pytest.mark.django_db
SIGN_IN = "/sign-in/"


@pytest.fixture
def amara():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["responder"])


@pytest.fixture(autouse=True)
def _begin(amara):
    global began  # noqa: PLW0603 - rows before a test are those of its fixtures
    began = TrailRow.objects.order_by("-id").first().pk


def rows():
    return list(TrailRow.objects.filter(pk__gt=began, model="accounts.user").order_by("id"))


def events():
    return [row.event for row in rows()]


def sign_in(client, username="amara", password=PASSWORD, **more):
    return client.post(SIGN_IN, {"username": username, "password": password}, **more)


def test_a_sign_in_says_who_with_what_and_from_where(client, amara):
    sign_in(client, REMOTE_ADDR="192.0.2.17")
    (row,) = rows()
    assert (row.action, row.event) == ("signed-in", "Signed in with password")
    assert (row.actor_name, row.actor_id, row.address, row.origin) == ("Amara Okafor", amara.pk, "192.0.2.17", "web")
    assert (row.model, row.object_id, row.reference) == ("accounts.user", str(amara.pk), "amara")
    assert not row.privileged


def test_a_second_factor_says_which(client, amara):
    secret = give_app(amara)
    codes = factors.new_recovery_codes(amara)
    for code, how in ((code_of(secret), "authenticator app"), (codes[0], "recovery code")):
        other = Client()
        sign_in(other)
        other.post("/sign-in/second/", {"code": code})
        assert rows()[-1].event == f"Signed in with password and {how}"


def test_a_refusal_names_nobody_as_its_actor_and_what_was_tried(client, amara):
    sign_in(client, password="wrong", REMOTE_ADDR="192.0.2.17")
    (row,) = rows()
    assert (row.action, row.event) == ("sign-in-refused", "Wrong user name or password")
    assert (row.actor_name, row.actor_id, row.address) == ("unknown", None, "192.0.2.17")
    assert (row.object_id, row.reference, row.name) == (str(amara.pk), "amara", "Amara Okafor")


@pytest.mark.parametrize(
    ("tried", "told"),
    [
        ("nobody", "nobody"),
        ("x" * 41, "(no user name)"),
        ("my secret pass phrase", "(no user name)"),
        ("p@ss!w0rd", "(no user name)"),
        ("<script>", "(no user name)"),
        ("jürgen", "jürgen"),
    ],
)
def test_a_name_that_is_none_may_be_a_password_and_is_not_kept(client, tried, told):
    sign_in(client, username=tried, password="wrong")
    (row,) = rows()
    assert (row.name, row.object_id, row.reference) == (told, "", "")


def test_no_password_is_told(client):
    sign_in(client, password="a secret that I mistyped")
    assert "mistyped" not in str(list(TrailRow.objects.filter(pk__gt=began).values()))


def test_a_lock_is_told_once_and_tries_after_it_are_not(client):
    for _ in range(live.AXES_FAILURE_LIMIT + 3):
        sign_in(client, password="wrong")
    wrong = "Wrong user name or password"
    assert events() == [wrong] * 4 + [f"{wrong}; sign-in locked from that address"]


def test_a_sign_out_is_told(client):
    sign_in(client)
    client.post("/sign-out/")
    assert (rows()[-1].action, rows()[-1].event, rows()[-1].actor_name) == ("signed-out", "Signed out", "Amara Okafor")


def test_a_refused_second_factor_is_told(client, amara):
    give_app(amara)
    sign_in(client)
    for _ in range(6):
        client.post("/sign-in/second/", {"code": "000000"})
    assert events() == ["Second factor refused: wrong code"] * 5 + ["Second factor refused: locked"]
    assert {(row.action, row.actor_name, row.reference) for row in rows()} == {("sign-in-refused", "unknown", "amara")}


def test_a_confirmation_and_a_refused_one_are_told(client):
    sign_in(client)
    client.post("/confirm/", {"password": "wrong"})
    client.post("/confirm/", {"password": PASSWORD})
    assert events()[1:] == ["Confirmation refused: wrong password", "Confirmed with password"]
    assert {row.actor_name for row in rows()} == {"Amara Okafor"}


def test_nothing_given_is_nothing_told(client, amara):
    sign_in(client)
    client.post("/confirm/", {"password": ""})
    give_app(amara)
    client.post("/confirm/", {"code": " "})
    assert events() == ["Signed in with password"]


def test_what_becomes_of_second_factors_is_told_without_secrets(client, amara):
    sign_in(client)
    secret = client.get("/me/second-factor/app/").context["secret"].replace(" ", "")
    codes = client.post("/me/second-factor/app/", {"code": code_of(secret)}).context["codes"]
    confirm(client)
    client.post("/me/second-factor/codes/")
    client.post(f"/me/second-factor/{factors.factors_of(amara).app.pk}/remove/")
    assert events()[1:] == [
        "Second factor added: authenticator app",
        "Recovery codes made; earlier ones no longer count",
        "Recovery codes made; earlier ones no longer count",
        "Second factor removed: authenticator app",
    ]
    kept = str(list(TrailRow.objects.filter(pk__gt=began).values()))
    assert not any(word in kept for word in (secret, *codes, *(code.replace(" ", "") for code in codes)))


def test_no_secret_of_a_factor_has_a_history():
    assert not hasattr(factors.Authenticator, "history")


def test_a_sign_in_outside_the_pages_is_told_too(rf):
    request = rf.get("/")
    assert authenticate(request, username="amara", password="wrong") is None
    assert events() == ["Wrong user name or password"]


def test_a_reset_is_told_with_its_reason(amara):
    give_app(amara)
    services.reset_second_factor(amara, by="test", at=clock.now(), reason="Her phone is gone")
    (row,) = rows()
    assert (row.event, row.reason, row.privileged) == (
        "Second factor reset: all of it removed",
        "Her phone is gone",
        True,
    )
