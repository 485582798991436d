import re

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.urls import reverse

from portal.accounts import services
from portal.accounts.forms import ProfileForm
from portal.accounts.models import User
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db
SIGN_IN = "/sign-in/"


@pytest.fixture
def user():
    return make_user("amara", first_name="Amara", last_name="Okafor", roles=["responder"])


def sign_in(client, username="amara", password=PASSWORD, **more):
    return client.post(SIGN_IN, {"username": username, "password": password, **more})


def words(response):
    """Return the page without what differs by chance: the token of the form and the name that was typed."""
    text = re.sub(
        r'(csrfmiddlewaretoken" value|nonce|name="username" value|data-now|X-CSRFToken": )[=" ]*"[^"]*"',
        "",
        response.content.decode(),
    )
    return re.sub(r'"X-CSRFToken": "[^"]*"', "", text)


class TestSignIn:
    def test_the_right_password_opens_the_portal(self, client, user):
        response = sign_in(client)
        assert (response.status_code, response["Location"]) == (302, settings.LOGIN_REDIRECT_URL)
        assert client.get("/me/").context["user"] == user

    def test_it_leads_on_to_where_the_reader_wanted(self, client, user):
        assert sign_in(client, next="/incidents/?status=open")["Location"] == "/incidents/?status=open"

    @pytest.mark.parametrize(
        "wanted",
        [
            "https://evil.example.org/",
            "//evil.example.org/",
            "/\\evil.example.org",
            "javascript:alert(1)",
            "http:///evil.example.org",
            "\thttps://evil.example.org",
        ],
    )
    def test_it_leads_nowhere_else(self, client, user, wanted):
        assert sign_in(client, next=wanted)["Location"] == settings.LOGIN_REDIRECT_URL
        page = client.get(SIGN_IN, {"next": wanted})
        assert "evil.example.org" not in page.content.decode()

    def test_every_failure_says_the_same(self, client, user):
        make_user("gone", is_active=False)
        pages = [
            sign_in(client, password="wrong"),
            sign_in(client, username="nobody", password="wrong"),
            sign_in(client, username="gone", password="wrong"),
            sign_in(client, username="gone"),
        ]
        assert {page.status_code for page in pages} == {200}
        assert len({words(page) for page in pages}) == 1
        assert "do not fit together" in words(pages[0])

    @pytest.mark.parametrize("username", ["", "\x00", "x" * 200, "ünï\ud83d"[:3]])
    def test_odd_names_are_refused_quietly(self, client, username):
        assert sign_in(client, username=username).status_code == 200

    def test_the_session_gets_a_new_key(self, client, user):
        client.get("/me/")
        sign_in(client)
        first = client.session.session_key
        client.post("/sign-out/")
        sign_in(client)
        assert client.session.session_key != first

    def test_an_inactive_account_does_not_open(self, client):
        make_user("gone", is_active=False)
        assert sign_in(client, username="gone").status_code == 200

    def test_signing_in_is_no_change_of_the_account(self, client, user):
        before = user.history.count()
        sign_in(client)
        assert user.history.count() == before
        assert User.objects.get(pk=user.pk).last_login is not None

    def test_a_hash_renewed_at_sign_in_is_done_by_that_person(self, client, user, settings):
        settings.PASSWORD_HASHERS = [
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        sign_in(client)
        row = user.history.first()
        assert (row.actor_name, row.history_change_reason) == ("amara", "Password stored anew")


class TestThrottling:
    def fail(self, client, username, times=settings.AXES_FAILURE_LIMIT):
        return [sign_in(client, username=username, password="wrong") for _ in range(times)][-1]

    @pytest.mark.parametrize("username", ["amara", "nobody"])
    def test_after_too_many_failures_sign_in_is_locked_for_a_name_that_exists_or_not(self, client, user, username):
        last = self.fail(client, username)
        assert last.status_code == 429
        assert "Sign-in is locked for now" in last.content.decode()
        assert sign_in(client, username=username).status_code == 429

    def test_others_still_sign_in(self, client, user):
        make_user("ben")
        self.fail(client, "amara")
        assert sign_in(client, username="ben").status_code == 302

    def test_another_address_still_signs_in(self, client, user):
        self.fail(client, "amara")
        data = {"username": "amara", "password": PASSWORD}
        assert client.post(SIGN_IN, data, REMOTE_ADDR="192.0.2.9").status_code == 302

    def test_a_success_forgets_the_failures(self, client, user):
        self.fail(client, "amara", settings.AXES_FAILURE_LIMIT - 1)
        assert sign_in(client).status_code == 302
        assert not AccessAttempt.objects.exists()

    def test_no_password_is_kept(self, client, user):
        sign_in(client, password="a secret that I mistyped")
        kept = AccessAttempt.objects.values().get()
        assert "mistyped" not in str(kept)


class TestSignOut:
    def test_it_ends_the_session(self, client, user):
        sign_in(client)
        assert client.post("/sign-out/")["Location"] == SIGN_IN
        assert client.get("/me/").status_code == 302

    def test_a_link_does_not_sign_out(self, client, user):
        sign_in(client)
        assert client.get("/sign-out/").status_code == 405
        assert client.get("/me/").status_code == 200


class TestMe:
    def test_only_those_signed_in_have_an_account_page(self, client):
        assert client.get("/me/")["Location"].startswith(SIGN_IN)

    def test_it_shows_roles_and_saves_the_zone(self, client, user):
        client.force_login(user)
        assert "Declares and works incidents" in client.get("/me/").content.decode()
        data = {"first_name": "Amara", "last_name": "Okafor", "time_zone": "Asia/Tokyo"}
        assert client.post("/me/", data).status_code == 302
        user.refresh_from_db()
        row = user.history.first()
        assert (user.time_zone, row.actor_name, row.origin) == ("Asia/Tokyo", "Amara Okafor", "web")

    def test_an_unknown_zone_is_refused_with_a_sentence(self, client, user):
        client.force_login(user)
        page = client.post("/me/", {"time_zone": "Mars/Olympus"})
        assert "is no time zone" in page.content.decode()

    def test_nothing_else_can_be_changed(self, client, user):
        client.force_login(user)
        more = {"is_superuser": "on", "is_staff": "on", "username": "root", "groups": [1, 2, 3]}
        client.post("/me/", {"first_name": "A", "last_name": "O", "time_zone": "UTC", **more})
        fresh = User.objects.get(pk=user.pk)
        assert (fresh.is_superuser, fresh.username, fresh.groups.count()) == (False, "amara", 1)

    def test_an_account_that_is_closed_meanwhile_stays_closed(self, client, user, monkeypatch):
        def close_first(form):
            services.deactivate(User.objects.get(pk=user.pk), by="admin", at=clock.now(), reason="They left")
            return form.cleaned_data

        monkeypatch.setattr(ProfileForm, "clean", close_first)
        client.force_login(user)
        client.post("/me/", {"first_name": "Amara", "last_name": "Okafor", "time_zone": "Europe/Berlin"})
        fresh = User.objects.get(pk=user.pk)
        assert (fresh.is_active, fresh.time_zone) == (False, "Europe/Berlin")

    def test_a_password_is_changed_with_the_old_one_and_leaves_an_event(self, client, user):
        client.force_login(user)
        new = "another long sentence 42"
        wrong = {"old_password": "no", "new_password1": new, "new_password2": new}
        assert client.post("/me/password/", wrong).status_code == 200
        assert client.post("/me/password/", {**wrong, "old_password": PASSWORD}).status_code == 302
        assert client.get("/me/").status_code == 200
        row = user.history.first()
        assert (row.history_change_reason, row.actor_name) == (
            "Password changed. Changed by the person themselves, with their old password",
            "Amara Okafor",
        )
        assert User.objects.get(pk=user.pk).check_password(new)


def test_the_admin_sends_strangers_to_the_same_door(client):
    response = client.get(reverse("admin:index"), follow=True)
    assert response.redirect_chain[-1][0].startswith(SIGN_IN)


class TestTheOldPassword:
    NEW = "another long sentence 42"

    def change(self, client, old):
        return client.post("/me/password/", {"old_password": old, "new_password1": self.NEW, "new_password2": self.NEW})

    def told(self, user):
        rows = TrailRow.objects.filter(model="accounts.user", object_id=str(user.pk), event__startswith="Confirmation")
        return list(rows.order_by("id").values_list("event", "actor_name"))

    def test_five_wrong_ones_lock_it_and_each_is_in_the_trail(self, client, user):
        client.force_login(user)
        for _ in range(settings.PROOFS_LIMIT):
            assert "Wait" not in self.change(client, "a guess").content.decode()
        assert "Wait 15 minutes" in self.change(client, PASSWORD).content.decode()
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)
        wrong = ("Confirmation refused: wrong password", "Amara Okafor")
        assert self.told(user) == [wrong] * settings.PROOFS_LIMIT + [("Confirmation refused: locked", "Amara Okafor")]

    def test_they_count_with_every_other_wrong_proof(self, client, user):
        client.force_login(user)
        for _ in range(settings.PROOFS_LIMIT):
            self.change(client, "a guess")
        assert "Wait 15 minutes" in client.post("/confirm/", {"password": PASSWORD}).content.decode()

    def test_a_right_one_forgets_the_wrong_ones(self, client, user):
        client.force_login(user)
        for _ in range(settings.PROOFS_LIMIT - 1):
            self.change(client, "a guess")
        assert self.change(client, PASSWORD).status_code == 302
        assert User.objects.get(pk=user.pk).proofs_refused == 0

    def test_none_at_all_is_no_try(self, client, user):
        client.force_login(user)
        self.change(client, "")
        assert User.objects.get(pk=user.pk).proofs_refused == 0
        assert self.told(user) == []
