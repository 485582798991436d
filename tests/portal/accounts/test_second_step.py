"""Signing in with a second factor, and the gate before everything else."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from portal.accounts import factors, roles, second, services
from portal.accounts.models import User
from portal.accounts.views.door import PENDING
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import PASSWORD, confirm, make_superuser, make_user
from tests.factories.factors import SoftKey, code_of, give_app

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SIGN_IN, SECOND_STEP, FACTORS = "/sign-in/", "/sign-in/second/", "/me/second-factor/"
LOCAL = {"HTTP_HOST": "localhost"}


@pytest.fixture
def amara():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["responder"])


@pytest.fixture
def required(settings):
    settings.SECOND_FACTOR = "required"


def give_password(client, username="amara", **more):
    return client.post(SIGN_IN, {"username": username, "password": PASSWORD, **more})


def give_code(client, code):
    return client.post(SECOND_STEP, {"code": code})


def is_in(client):
    return SESSION_KEY in client.session


def told(action):
    return [row.event for row in TrailRow.objects.filter(action=action).order_by("id")]


class TestSecondStep:
    def test_the_password_alone_opens_nothing(self, client, amara):
        give_app(amara)
        assert give_password(client)["Location"] == SECOND_STEP
        assert not is_in(client)
        assert client.get("/me/")["Location"].startswith(SIGN_IN)

    def test_the_code_of_the_app_opens_and_leads_on(self, client, amara):
        secret = give_app(amara)
        give_password(client, next="/incidents/?status=open")
        assert give_code(client, code_of(secret))["Location"] == "/incidents/?status=open"
        assert client.get("/me/").context["user"] == amara

    @pytest.mark.parametrize("ahead", [-1, 0, 1])
    def test_a_clock_may_be_half_a_minute_off(self, client, amara, ahead):
        secret = give_app(amara)
        give_password(client)
        give_code(client, code_of(secret, ahead=ahead))
        assert is_in(client)

    @pytest.mark.parametrize("ahead", [-3, 3, 100])
    def test_but_not_more(self, client, amara, ahead):
        secret = give_app(amara)
        give_password(client)
        assert "That code is not right" in give_code(client, code_of(secret, ahead=ahead)).content.decode()
        assert not is_in(client)

    def test_a_code_is_believed_once(self, client, amara):
        secret = give_app(amara)
        code = code_of(secret, ahead=1)
        give_password(client)
        give_code(client, code)
        other = Client()
        give_password(other)
        give_code(other, code)
        assert is_in(client)
        assert not is_in(other)

    def test_nor_is_an_older_one_after_it(self, amara):
        secret, at = give_app(amara), clock.now()
        assert factors.spend_code(amara, code_of(secret, at=at), at=at)
        assert not factors.spend_code(amara, code_of(secret, at=at, ahead=-1), at=at)

    def test_a_recovery_code_opens_once(self, client, amara):
        give_app(amara)
        first, *others = factors.new_recovery_codes(amara)
        give_password(client)
        give_code(client, first)
        assert is_in(client)
        assert factors.factors_of(amara).codes_left == len(others) == 9
        other = Client()
        give_password(other)
        give_code(other, first)
        assert not is_in(other)

    def test_new_recovery_codes_replace_the_old_ones(self, client, amara):
        give_app(amara)
        old = factors.new_recovery_codes(amara)
        factors.new_recovery_codes(amara)
        give_password(client)
        give_code(client, old[0])
        assert not is_in(client)

    def test_a_passkey_opens(self, client, amara):
        key = SoftKey()
        give_passkey(amara, key)
        client.post(SIGN_IN, {"username": "amara", "password": PASSWORD}, **LOCAL)
        page = client.get(SECOND_STEP, **LOCAL)
        client.post(SECOND_STEP, {"credential": key.sign(page.context["question"])}, **LOCAL)
        assert is_in(client)
        assert told("signed-in")[-1] == "Signed in with password and passkey"

    def test_a_passkey_is_asked_for_only_where_it_works(self, client, amara):
        give_passkey(amara, SoftKey())
        give_password(client)
        assert client.get(SECOND_STEP).context["question"] is None

    @pytest.mark.parametrize("code", ["", " ", "x", "000000", "٠١٢٣٤٥", "1" * 20, "\x00"])
    def test_odd_codes_are_refused_quietly(self, client, amara, code):
        give_app(amara)
        give_password(client)
        assert give_code(client, code).status_code == 200
        assert not is_in(client)

    @pytest.mark.parametrize("answer", ["{}", "[]", "null", "x", '{"response": {}}', '{"id": 1, "rawId": "%%"}'])
    def test_odd_answers_of_a_browser_are_refused_quietly(self, client, amara, answer):
        give_passkey(amara, SoftKey())
        client.post(SIGN_IN, {"username": "amara", "password": PASSWORD}, **LOCAL)
        client.get(SECOND_STEP, **LOCAL)
        page = client.post(SECOND_STEP, {"credential": answer}, **LOCAL)
        assert "did not prove that it is you" in page.content.decode()

    def test_nobody_comes_to_it_without_a_password(self, client):
        assert client.get(SECOND_STEP)["Location"] == SIGN_IN
        assert give_code(client, "123456")["Location"] == f"{SIGN_IN}?ended=1"

    def test_the_password_is_believed_for_ten_minutes(self, client, amara):
        secret = give_app(amara)
        give_password(client)
        session = client.session
        session[PENDING] = {**session[PENDING], "at": session[PENDING]["at"] - 601}
        session.save()
        assert give_code(client, code_of(secret))["Location"] == f"{SIGN_IN}?ended=1"

    def test_it_is_believed_no_longer_once_the_account_changed(self, client, amara):
        secret = give_app(amara)
        give_password(client)
        services.grant(amara, "auditor", by="test", at=clock.now(), reason="joins")
        assert give_code(client, code_of(secret))["Location"] == f"{SIGN_IN}?ended=1"

    def test_nor_once_it_was_closed(self, client, amara):
        secret = give_app(amara)
        give_password(client)
        services.deactivate(amara, by="test", at=clock.now(), reason="left")
        give_code(client, code_of(secret))
        assert not is_in(client)

    def test_the_session_gets_a_new_key_at_each_step(self, client, amara):
        secret = give_app(amara)
        client.get(SIGN_IN)
        give_password(client)
        first = client.session.session_key
        give_code(client, code_of(secret))
        assert client.session.session_key != first

    def test_it_leads_nowhere_else(self, client, amara):
        secret = give_app(amara)
        give_password(client, next="https://evil.example.org/")
        assert give_code(client, code_of(secret))["Location"] == "/"

    def test_five_wrong_codes_lock_the_account_from_everywhere(self, client, amara):
        secret = give_app(amara)
        give_password(client)
        for _ in range(5):
            give_code(client, "000000")
        other = Client(REMOTE_ADDR="192.0.2.9")
        give_password(other)
        page = give_code(other, code_of(secret))
        assert "Wait 15 minutes" in page.content.decode()
        assert not is_in(other)

    def test_a_wrong_code_counts_though_the_password_is_given_anew(self, client, amara):
        give_app(amara)
        for _ in range(3):
            give_password(client)
            give_code(client, "000000")
        assert User.objects.get(pk=amara.pk).proofs_refused == 3

    def test_the_secret_stands_in_the_database_only_encrypted(self, amara):
        secret = give_app(amara)
        factors.new_recovery_codes(amara)
        stored = str(list(factors.Authenticator.objects.values_list("data", flat=True)))
        assert secret not in stored
        assert "gAAAA" in stored

    def test_a_key_that_is_gone_makes_codes_wrong_and_breaks_nothing(self, client, amara, settings):
        secret = give_app(amara)
        codes = factors.new_recovery_codes(amara)
        settings.SECRET_KEY = "another key that is long enough for everybody, surely it is"
        give_password(client)
        for code in (code_of(secret), codes[0]):
            assert give_code(client, code).status_code == 200
        assert not is_in(client)

    def test_an_older_key_still_opens(self, amara, settings):
        secret = give_app(amara)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key that is long enough for everybody, surely it is"
        assert factors.spend_code(amara, code_of(secret), at=clock.now()) == "totp"


def give_passkey(user, key, host="localhost"):
    """A passkey as this key made it."""
    client = Client(HTTP_HOST=host)
    client.force_login(user)
    confirm(client)
    page = client.get(f"{FACTORS}passkey/")
    answer = key.make(page.context["question"], origin=f"http://{host}")
    client.post(f"{FACTORS}passkey/", {"name": "Blue key", "credential": answer})
    user.refresh_from_db()


class TestPasskeys:
    def test_a_challenge_is_answered_once(self, client, amara):
        key = SoftKey()
        give_passkey(amara, key)
        client.post(SIGN_IN, {"username": "amara", "password": PASSWORD}, **LOCAL)
        answer = key.sign(client.get(SECOND_STEP, **LOCAL).context["question"])
        client.get(SECOND_STEP, **LOCAL)  # another challenge since
        client.post(SECOND_STEP, {"credential": answer}, **LOCAL)
        assert not is_in(client)

    def test_another_origin_is_refused(self, client, amara):
        key = SoftKey()
        give_passkey(amara, key)
        client.post(SIGN_IN, {"username": "amara", "password": PASSWORD}, **LOCAL)
        question = client.get(SECOND_STEP, **LOCAL).context["question"]
        client.post(SECOND_STEP, {"credential": key.sign(question, origin="http://evil.example.org")}, **LOCAL)
        assert not is_in(client)

    def test_another_key_is_refused(self, client, amara):
        give_passkey(amara, SoftKey())
        client.post(SIGN_IN, {"username": "amara", "password": PASSWORD}, **LOCAL)
        question = client.get(SECOND_STEP, **LOCAL).context["question"]
        client.post(SECOND_STEP, {"credential": SoftKey().sign(question)}, **LOCAL)
        assert not is_in(client)

    def test_a_copy_of_a_key_is_refused(self, client, amara):
        key = SoftKey()
        give_passkey(amara, key)
        for counter, opens in ((5, True), (3, False)):
            key.counter = counter
            other = Client(HTTP_HOST="localhost")
            other.post(SIGN_IN, {"username": "amara", "password": PASSWORD})
            question = other.get(SECOND_STEP).context["question"]
            other.post(SECOND_STEP, {"credential": key.sign(question)})
            assert is_in(other) == opens

    def test_the_same_key_is_added_once(self, amara):
        key = SoftKey()
        give_passkey(amara, key)
        give_passkey(amara, key)
        assert len(factors.factors_of(amara).passkeys) == 1

    def test_somebody_elses_passkey_proves_nothing(self, client, amara):
        key, ben = SoftKey(), make_user("ben")
        give_passkey(ben, key)
        give_passkey(amara, SoftKey())
        client.post(SIGN_IN, {"username": "amara", "password": PASSWORD}, **LOCAL)
        question = client.get(SECOND_STEP, **LOCAL).context["question"]
        client.post(SECOND_STEP, {"credential": key.sign(question)}, **LOCAL)
        assert not is_in(client)

    @pytest.mark.parametrize(
        ("host", "secure", "possible"),
        [
            ("localhost:8000", False, True),
            ("127.0.0.1:8000", False, False),
            ("127.0.0.1", True, False),
            ("[::1]:8000", True, False),
            ("testserver", False, False),
            ("testserver", True, True),
        ],
    )
    def test_they_work_over_https_or_on_localhost(self, client, amara, host, secure, possible, settings):
        settings.ALLOWED_HOSTS = ["*"]
        client.force_login(amara)
        confirm(client)
        page = client.get(FACTORS, HTTP_HOST=host, secure=secure)
        assert page.context["passkeys_work"] == possible
        found = client.get(f"{FACTORS}passkey/", HTTP_HOST=host, secure=secure)
        assert found.status_code == (200 if possible else 302)


ROLES = [(role.slug, role.second_factor) for role in roles.ROLES]


def addresses(resolver=None, prefix="/"):
    """Yield each address of the portal that needs nothing filled in, or a number, with its view."""
    for found in (resolver or get_resolver()).url_patterns:
        route = prefix + str(found.pattern).lstrip("^").replace("$", "")
        for hole in ("<int:pk>", "<path:object_id>", "<int:content_type_id>"):
            route = route.replace(hole, "1")
        if isinstance(found, URLResolver):
            yield from addresses(found, route)
        elif isinstance(found, URLPattern) and not set(route) & set("<(\\?["):
            yield route, found.callback


@pytest.mark.usefixtures("required")
class TestTheGate:
    def test_who_decides_or_administers_needs_one(self):
        needing = {slug for slug, needed in ROLES if needed}
        assert needing == {"change-approver", "manager", "security-lead", "auditor", "administrator"}

    @pytest.mark.parametrize(("slug", "needed"), ROLES)
    def test_a_role_says_whether_it_needs_one(self, client, slug, needed):
        client.force_login(make_user(roles=[slug]))
        assert (client.get("/me/").status_code == 302) == needed

    def test_a_superuser_needs_one(self, client):
        client.force_login(make_superuser())
        assert client.get("/me/")["Location"] == f"{FACTORS}?next=%2Fme%2F"

    def test_nothing_else_is_reached_on_the_whole_map(self, client):
        client.force_login(make_superuser())
        reached = set()
        for address, view in addresses():
            for method in ("get", "post"):
                response = getattr(client, method)(address)
                led = response.status_code == 302 and response["Location"].startswith(f"{FACTORS}?next=")
                if not led:
                    reached.add(address)
            if not is_in(client):
                assert getattr(view, "no_second_factor", False)
                client.force_login(User.objects.get(is_superuser=True))
        way = {SIGN_IN, SECOND_STEP, "/sign-out/", "/confirm/", FACTORS, f"{FACTORS}app/", f"{FACTORS}passkey/"}
        doors = {f"/v2/{door}{slash}" for door in ("enqueue", "change/enqueue") for slash in ("", "/")}
        assert reached == way | doors | {"/healthz/"}

    @pytest.mark.parametrize("address", ["/intake/x/", "/a/x/", "/v2/enqueue"])
    def test_what_machines_and_pages_ask_for_answers(self, client, address):
        client.force_login(make_superuser())
        assert not client.post(address).has_header("Location")

    def test_no_page_of_the_admin_is_reached(self, client):
        client.force_login(make_superuser())
        names = [f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist" for m in admin.site._registry]
        for name in ["admin:index", "admin:password_change", *names]:
            assert client.get(reverse(name))["Location"].startswith(FACTORS)

    def test_the_admins_own_sign_in_opens_nothing(self, client):
        make_superuser("root")
        response = client.post(reverse("admin:login"), {"username": "root", "password": PASSWORD})
        assert response["Location"].startswith(SIGN_IN)
        assert not is_in(client)

    @pytest.mark.parametrize(
        "address",
        [
            "accounts/login/", "accounts/signup/", "accounts/2fa/", "accounts/2fa/authenticate/",
            "accounts/2fa/webauthn/login/", "accounts/password/reset/", "accounts/email/", "accounts/reauthenticate/",
        ],
    )  # fmt: skip
    def test_no_page_of_the_library_is_there(self, client, address):
        assert client.get(f"/{address}").status_code == 404
        assert client.post(f"/{address}").status_code == 404

    def test_a_part_of_a_page_leads_the_whole_page(self, client):
        client.force_login(make_superuser())
        response = client.get("/", headers={"hx-request": "true", "hx-current-url": "http://testserver/me/"})
        assert response["HX-Redirect"] == f"{FACTORS}?next=%2Fme%2F"

    def test_after_the_second_step_everything_is_open(self, client):
        user = make_user("amara", roles=["administrator"])
        secret = give_app(user)
        give_password(client)
        give_code(client, code_of(secret))
        assert client.get("/me/").status_code == 200
        assert client.get(reverse("admin:index")).status_code == 200

    def test_a_session_that_showed_none_is_ended_for_who_has_one(self, client):
        user = make_user("amara", roles=["administrator"])
        give_app(user)
        client.force_login(user)
        assert client.get("/me/")["Location"] == f"{SIGN_IN}?next=%2Fme%2F"
        assert not is_in(client)

    def test_what_one_person_showed_does_not_count_for_another(self, client):
        amara, ben = make_user("amara", roles=["auditor"]), make_user("ben", roles=["auditor"])
        client.force_login(amara)
        session = client.session
        session[second.MARK] = {"user": ben.pk, "kind": "passkey", "at": 0}
        session.save()
        assert client.get("/me/")["Location"].startswith(FACTORS)

    def test_a_responder_signs_in_with_a_password(self, client, amara):
        give_password(client)
        assert client.get("/me/").status_code == 200

    def test_asking_costs_nothing_once_it_was_shown(self, client, settings, django_assert_num_queries):
        user = make_user("amara", roles=["administrator"])
        secret = give_app(user)
        give_password(client)
        give_code(client, code_of(secret))
        with CaptureQueriesContext(connection) as asked:
            client.get("/keys/")
        settings.SECOND_FACTOR = "demo"
        with django_assert_num_queries(len(asked)):
            client.get("/keys/")


class TestEnrolling:
    def page(self, client, what="app"):
        return client.get(f"{FACTORS}{what}/")

    def enrol(self, client):
        secret = self.page(client).context["secret"].replace(" ", "")
        return client.post(f"{FACTORS}app/", {"code": code_of(secret), "next": "/incidents/"})

    @pytest.mark.usefixtures("required")
    def test_whoever_needs_one_is_led_to_it_and_through_it(self, client):
        make_user("amara", roles=["administrator"])
        assert client.get(give_password(client, next="/incidents/")["Location"])["Location"].startswith(FACTORS)
        assert "Set up a second factor" in client.get(f"{FACTORS}?next=/incidents/").content.decode()
        page = self.enrol(client)
        assert len(page.context["codes"]) == 10
        assert 'href="/incidents/"' in page.content.decode()
        assert client.get("/incidents/").status_code == 200

    def test_the_picture_holds_the_key_and_the_name(self, client, amara):
        give_password(client)
        assert self.page(client).context["picture"].startswith("data:image/svg+xml;base64,")
        address = factors.address_of(amara, "ABC")
        assert address == "otpauth://totp/Watchbook:amara?secret=ABC&issuer=Watchbook"

    def test_the_key_stays_until_its_code_was_right(self, client, amara):
        give_password(client)
        first = self.page(client).context["secret"]
        page = client.post(f"{FACTORS}app/", {"code": "000000"})
        assert "That is not the code" in page.content.decode()
        assert page.context["secret"] == first
        assert not factors.has_factor(amara)

    def test_its_first_code_does_not_sign_in_again(self, client, amara):
        give_password(client)
        secret = self.page(client).context["secret"].replace(" ", "")
        code = code_of(secret)
        client.post(f"{FACTORS}app/", {"code": code})
        other = Client()
        give_password(other)
        give_code(other, code)
        assert not is_in(other)

    def test_it_ends_other_sessions_and_keeps_its_own(self, client, amara):
        other = Client()
        give_password(other)
        give_password(client)
        self.enrol(client)
        assert client.get("/me/").status_code == 200
        assert other.get("/me/").status_code == 302

    def test_a_session_of_old_confirms_first(self, client, amara):
        give_password(client)
        session = client.session
        session["signed_in_at"] -= 600
        session.save()
        assert self.page(client)["Location"].startswith("/confirm/")

    def test_whoever_has_one_confirms_with_it_before_adding_another(self, client, amara):
        secret = give_app(amara)
        give_password(client)
        give_code(client, code_of(secret))
        assert self.page(client, "passkey")["Location"].startswith("/confirm/")
        assert client.post("/confirm/", {"password": PASSWORD}).status_code == 200
        assert self.page(client, "passkey")["Location"].startswith("/confirm/")
        client.post("/confirm/", {"code": code_of(secret, ahead=1)})
        assert self.page(client)["Location"] == FACTORS  # there is an app already

    def test_the_last_one_stays_where_it_is_needed(self, client, required):
        user = make_user("amara", roles=["administrator"])
        secret = give_app(user)
        give_password(client)
        give_code(client, code_of(secret))
        confirm(client)
        page = client.post(f"{FACTORS}{factors.factors_of(user).app.pk}/remove/", follow=True)
        assert "your roles need a second factor" in page.content.decode()
        assert factors.has_factor(user)

    def test_it_goes_where_it_is_not_needed_with_its_recovery_codes(self, client, amara):
        secret = give_app(amara)
        factors.new_recovery_codes(amara)
        give_password(client)
        give_code(client, code_of(secret))
        confirm(client)
        client.post(f"{FACTORS}{factors.factors_of(amara).app.pk}/remove/")
        assert factors.factors_of(amara) == factors.Factors()

    def test_nobody_removes_what_is_somebody_elses(self, client, amara):
        ben = make_user("ben")
        give_app(ben)
        client.force_login(amara)
        confirm(client)
        client.post(f"{FACTORS}{factors.factors_of(ben).app.pk}/remove/")
        assert factors.has_factor(ben)

    @pytest.mark.parametrize("address", [f"{FACTORS}codes/", f"{FACTORS}1/remove/"])
    def test_removing_and_new_codes_ask_for_a_confirmation(self, client, amara, address):
        give_app(amara)
        client.force_login(amara)
        assert client.post(address)["Location"].startswith("/confirm/")

    def test_codes_without_a_factor_are_refused_with_a_sentence(self, client, amara):
        client.force_login(amara)
        confirm(client)
        page = client.post(f"{FACTORS}codes/", follow=True)
        assert "Set up an authenticator app or a passkey first" in page.content.decode()


class TestReset:
    def test_an_administrator_resets_a_colleagues_with_a_reason(self, client, amara):
        give_app(amara)
        factors.new_recovery_codes(amara)
        boss = make_user("boss", roles=["administrator"])
        client.force_login(boss)
        page = reverse("admin:accounts_user_reset_factor", args=[amara.pk])
        assert client.get(page)["Location"].startswith("/confirm/")
        confirm(client)
        assert "Make sure that it is really them" in client.get(page).content.decode()
        assert client.post(page).status_code == 422
        assert factors.has_factor(amara)
        client.post(page, {"change_reason": "Her phone fell into the sea"})
        assert factors.factors_of(amara) == factors.Factors()
        row = TrailRow.objects.filter(event__startswith="Second factor reset").get()
        assert (row.actor_name, row.reason, row.privileged) == ("boss", "Her phone fell into the sea", True)

    def test_it_ends_the_sessions(self, amara):
        give_app(amara)
        client = Client()
        client.force_login(amara)
        services.reset_second_factor(amara, by="test", at=clock.now(), reason="lost")
        assert client.get("/me/").status_code == 302

    def test_nobody_resets_their_own(self, client):
        boss = make_user("boss", roles=["administrator"])
        give_app(boss)
        client.force_login(boss)
        confirm(client)
        page = reverse("admin:accounts_user_reset_factor", args=[boss.pk])
        answer = client.post(page, {"change_reason": "lost"}, follow=True)
        assert "nobody resets their own" in answer.content.decode()
        assert factors.has_factor(boss)

    def test_only_a_superuser_resets_a_superusers(self, client):
        root = make_superuser("root")
        give_app(root)
        client.force_login(make_user(roles=["administrator"]))
        confirm(client)
        page = reverse("admin:accounts_user_reset_factor", args=[root.pk])
        assert client.post(page, {"change_reason": "lost"}).status_code == 403
        assert factors.has_factor(root)

    def test_who_has_none_is_told_so(self, amara):
        with pytest.raises(services.Refused, match="no second factor to reset"):
            services.reset_second_factor(amara, by="test", at=clock.now(), reason="lost")


def test_a_lock_by_wrong_codes_is_undone_by_an_administrator(client, amara):
    secret = give_app(amara)
    give_password(client)
    for _ in range(5):
        give_code(client, "000000")
    amara.refresh_from_db()
    assert services.is_locked(amara, at=clock.now())
    assert not services.is_locked(amara, at=clock.now() + timedelta(minutes=16))
    services.unlock(amara, by="test", at=clock.now(), reason="It was her")
    give_code(client, code_of(secret))
    assert is_in(client)
