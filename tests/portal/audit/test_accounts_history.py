from datetime import UTC, datetime

import pytest

from portal.accounts.models import User
from portal.audit.actor import acting
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.history import kinds, last

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_history_begins")]


class TestAccounts:
    def test_secrets_stay_out_of_history(self):
        names = {f.name for f in User.history.model._meta.get_fields()}
        assert not names & {"password", "last_login"}

    def test_signing_in_is_no_change(self):
        user = make_user()
        user.last_login = datetime(2026, 11, 17, tzinfo=UTC)
        user.save()
        assert kinds(User) == ["+"]
        assert User.objects.get(pk=user.pk).last_login == user.last_login

    def test_a_new_password_is_an_event_without_its_value(self):
        user = make_user()
        with acting(by=user, reason="I forgot it"):
            user.set_password("another " + PASSWORD)
            user.save()
        row = last(User)
        assert (row.history_type, row.history_change_reason) == ("~", "Password changed. I forgot it")
        assert row.actor_name == user.username

    def test_a_hash_renewed_at_sign_in_says_so(self, settings):
        user = make_user()
        settings.PASSWORD_HASHERS = [
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        with acting(by="anonymous", alone=True):  # at a sign-in nobody is asked why
            assert user.check_password(PASSWORD)
        assert last(User).history_change_reason == "Password stored anew"
