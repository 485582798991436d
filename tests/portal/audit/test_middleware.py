import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory

from portal.accounts.models import User
from portal.audit.actor import current
from portal.audit.middleware import ActingMiddleware


def acting_during(path, user, **meta):
    request = RequestFactory().get(path, **meta)
    request.user = user
    seen = []

    def respond(_):
        seen.append(current())
        return HttpResponse()

    ActingMiddleware(respond)(request)
    return seen[0]


AMARA = User(pk=7, username="amara", first_name="Amara", last_name="Okafor")


def test_a_request_acts_as_whoever_is_signed_in(nobody):
    acting = acting_during("/incidents/", AMARA, REMOTE_ADDR="192.0.2.1")
    assert (acting.actor.name, acting.actor.user_id) == ("Amara Okafor", 7)
    assert (acting.origin, acting.address) == ("web", "192.0.2.1")
    assert current() is None


def test_record_pages_are_an_origin_of_their_own(nobody):
    assert acting_during("/admin/directory/team/", AMARA).origin == "admin"


def test_strangers_are_called_anonymous(nobody):
    acting = acting_during("/", AnonymousUser())
    assert (acting.actor.name, acting.actor.user_id) == ("anonymous", None)


def test_each_request_is_a_gesture(nobody):
    assert acting_during("/", AMARA).gesture != acting_during("/", AMARA).gesture


def test_an_address_that_is_too_long_is_cut(nobody):
    assert len(acting_during("/", AMARA, REMOTE_ADDR="f" * 99).address) == 45


@pytest.mark.django_db
def test_a_request_that_writes_nothing_asks_for_nobody(nobody):
    class Untouched:
        @property
        def is_authenticated(self):
            raise AssertionError("nobody had to know")

    assert acting_during("/healthz/", Untouched()).origin == "web"
