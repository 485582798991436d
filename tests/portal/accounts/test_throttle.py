"""Passwords of one user name from many addresses: a wait that grows up to a cap, and locks nobody out for good."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
from axes.models import AccessLog
from django.conf import settings
from django.db import connection
from django.test import Client

from portal.accounts import services, throttle
from portal.accounts.models import SignInTries
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import PASSWORD, make_user

SIGN_IN = "/sign-in/"
HOME = "198.51.100.7"
_strangers = count(1)


@pytest.fixture
def amara(db):
    return make_user("amara", roles=["responder"])


@pytest.fixture
def pass_time(monkeypatch):
    """Let the clock of the pages stand, and go on by so much."""
    now = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def go(**span):
        now[0] += timedelta(**span)

    return go


def try_from(address, password="wrong", name="amara"):
    return Client(REMOTE_ADDR=address).post(SIGN_IN, {"username": name, "password": password})


def stranger():
    """Return an address that nobody used before."""
    number = next(_strangers)
    return f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"


def guess(times=settings.SIGN_IN_TRIES, name="amara"):
    return [try_from(stranger(), name=name).status_code for _ in range(times)]


def refusals():
    rows = TrailRow.objects.filter(action="sign-in-refused").order_by("id")
    return list(rows.values_list("event", flat=True))


def test_wrong_passwords_from_many_addresses_make_the_next_try_wait_even_the_right_one(amara):
    assert guess() == [200] * settings.SIGN_IN_TRIES
    page = try_from(stranger(), PASSWORD)
    assert page.status_code == 429
    assert "Many wrong passwords were tried for this user name. Wait a minute" in page.content.decode()


@pytest.mark.usefixtures("db")
def test_a_name_that_nobody_has_waits_alike():
    guess(name="nobody")
    assert try_from(stranger(), name="nobody").status_code == 429
    assert try_from(stranger(), name="somebody-else").status_code == 200


def test_it_is_no_way_round_to_write_the_name_otherwise(amara):
    for number in range(settings.SIGN_IN_TRIES):
        try_from(stranger(), name=" " * number + ("\uff41mara" if number % 2 else "amara") + "\u00a0" * number)
    assert try_from(stranger()).status_code == 429


def test_the_wait_doubles_up_to_a_cap(settings):
    waits = [throttle.wait_after(tries).total_seconds() / 60 for tries in range(9, 17)]
    assert waits == [0, 1, 2, 4, 8, 15, 15, 15]
    assert throttle.wait_after(10**9) == settings.SIGN_IN_LONGEST_WAIT
    settings.SIGN_IN_TRIES, settings.SIGN_IN_LONGEST_WAIT = 5, timedelta(minutes=3)
    assert [throttle.wait_after(tries).total_seconds() / 60 for tries in (4, 5, 7)] == [0, 1, 3]


def test_after_the_wait_the_right_one_opens_and_a_wrong_one_waits_longer(amara, pass_time):
    guess()
    pass_time(seconds=61)
    assert try_from(stranger()).status_code == 200
    pass_time(seconds=61)
    assert "Wait a minute" in try_from(stranger()).content.decode()
    pass_time(seconds=60)
    assert try_from(stranger(), PASSWORD).status_code == 302


def test_tries_while_it_waits_are_not_counted_and_prolong_nothing(amara, pass_time):
    guess()
    told = len(refusals())
    for _ in range(3):
        pass_time(seconds=15)
        assert guess(4) == [429] * 4
    assert len(refusals()) == told
    assert SignInTries.objects.get().tries == settings.SIGN_IN_TRIES
    pass_time(seconds=16)
    assert try_from(stranger(), PASSWORD).status_code == 302


def test_nobody_waits_longer_than_the_cap_however_long_it_is_guessed(amara, pass_time):
    guess()
    for _ in range(30):
        pass_time(minutes=15)
        try_from(stranger())
    pass_time(minutes=15)
    assert try_from(stranger(), PASSWORD).status_code == 302


def test_where_the_account_signed_in_lately_nobody_waits(amara):
    assert try_from(HOME, PASSWORD).status_code == 302
    guess()
    assert try_from(stranger(), PASSWORD).status_code == 429
    assert try_from(HOME, PASSWORD).status_code == 302


def test_a_known_address_counts_apart_and_waits_too_when_it_guesses(amara, settings):
    settings.AXES_FAILURE_LIMIT = 1000
    try_from(HOME, PASSWORD)
    for _ in range(settings.SIGN_IN_TRIES):
        assert try_from(HOME).status_code == 200
    assert try_from(HOME, PASSWORD).status_code == 429
    assert try_from(stranger(), PASSWORD).status_code == 302


def test_what_somebody_else_signs_in_from_is_no_known_address(amara):
    make_user("ben")
    try_from(HOME, PASSWORD, name="ben")
    guess()
    assert try_from(HOME, PASSWORD).status_code == 429


def test_an_address_is_known_for_a_while(amara, settings):
    try_from(HOME, PASSWORD)
    AccessLog.objects.update(attempt_time=clock.now() - settings.SIGN_IN_KNOWN)
    guess()
    assert try_from(HOME, PASSWORD).status_code == 429


def test_of_ipv6_the_network_is_known(amara):
    try_from("2001:db8:1:2:aaaa::1", PASSWORD)
    guess()
    assert try_from("2001:db8:1:3::1", PASSWORD).status_code == 429
    assert try_from("2001:db8:1:2:bbbb::9", PASSWORD).status_code == 302


def test_a_right_password_gives_strangers_no_tries_back(amara):
    guess(settings.SIGN_IN_TRIES - 1)
    assert try_from(stranger(), PASSWORD).status_code == 302
    assert guess(2) == [200, 429]


def test_it_is_forgotten_an_hour_after_the_last_try_and_nothing_stays(amara, pass_time):
    guess()
    guess(3, name="nobody")
    pass_time(minutes=60)
    assert try_from(stranger(), PASSWORD).status_code == 302
    assert [row.tries for row in SignInTries.objects.all()] == [0]


def test_the_trail_tells_each_wrong_try_that_was_looked_at_and_how_long_the_next_one_waits(amara, pass_time):
    guess()
    pass_time(minutes=1)
    guess(1)
    wrong = "Wrong user name or password"
    waits = f"{wrong}; the next try by that name waits"
    assert refusals() == [wrong] * (settings.SIGN_IN_TRIES - 1) + [f"{waits} 1 min", f"{waits} 2 min"]


def test_a_locked_address_does_not_use_up_the_tries_of_others(amara):
    for _ in range(settings.SIGN_IN_TRIES * 2):
        try_from("203.0.113.66")
    assert SignInTries.objects.get().tries == settings.AXES_FAILURE_LIMIT
    assert try_from(stranger(), PASSWORD).status_code == 302


def test_an_administrator_unlocks_it(amara):
    guess()
    assert services.is_locked(amara, at=clock.now())
    services.unlock(amara, by="test", at=clock.now(), reason="It was her")
    assert not services.is_locked(amara, at=clock.now())
    assert try_from(stranger(), PASSWORD).status_code == 302


def test_no_name_is_kept(amara):
    guess(1, name="my-password")
    assert "my-password" not in str(list(SignInTries.objects.values()))


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_are_all_counted():
    at = clock.now()

    def one(_):
        try:
            throttle.try_name("amara", stranger(), at=at)
        except throttle.TooManyTries:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        looked_at = sum(pool.map(one, range(24)))
    assert looked_at == settings.SIGN_IN_TRIES
