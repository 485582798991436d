"""A contact method is used only after a code that was sent to it came back."""

import re
from datetime import timedelta

import pytest
from django.core import mail

from portal.notify import services
from portal.notify.models import Message, Verification
from tests.factories.directory import NOON, make_contact, make_method
from tests.factories.notify import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact():
    return make_contact("Ada", reachable=False)


@pytest.fixture
def method(contact):
    return make_method(contact, verified=False)


def send_code(method, contact, at=NOON):
    services.start_verification(method, by=contact, at=at)
    services.send_lane(method.kind, now=Clock(at))
    return re.search(r"\b\d{6}\b", mail.outbox[-1].body)[0]


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06d}"


def test_the_code_that_came_back_verifies_the_address(method, contact):
    code = send_code(method, contact)
    services.verify(method, f" {code[:3]} {code[3:]} ", by=contact, at=NOON)
    method.refresh_from_db()
    assert method.verified_at == NOON
    assert mail.outbox[0].to == [method.address]


def test_no_row_holds_the_code(method, contact):
    code = send_code(method, contact)
    assert code not in str(list(Message.objects.values_list("title", "body")))
    assert code not in str(list(Verification.objects.values_list("digest")))


def test_a_code_works_once_and_for_a_quarter_of_an_hour(method, contact):
    code = send_code(method, contact)
    with pytest.raises(services.VerificationRefused, match="no valid code"):
        services.verify(method, code, by=contact, at=NOON + timedelta(minutes=15))
    services.verify(method, code, by=contact, at=NOON)
    with pytest.raises(services.VerificationRefused, match="no valid code"):
        services.verify(method, code, by=contact, at=NOON)


def test_five_wrong_tries_end_it(method, contact):
    code = send_code(method, contact)
    for left in ("4 tries left", "3 tries left", "2 tries left", "1 tries? left", "Ask for a new one"):
        with pytest.raises(services.VerificationRefused, match=left):
            services.verify(method, wrong(code), by=contact, at=NOON)
    with pytest.raises(services.VerificationRefused, match="no valid code"):
        services.verify(method, code, by=contact, at=NOON)
    method.refresh_from_db()
    assert method.verified_at is None


def test_a_code_belongs_to_its_own_address(method, contact):
    code = send_code(method, contact)
    other = make_method(contact, verified=False)
    send_code(other, contact)
    with pytest.raises(services.VerificationRefused):
        services.verify(other, code, by=contact, at=NOON)


def test_only_five_codes_an_hour_are_sent(method, contact):
    for second in range(5):
        send_code(method, contact, NOON + timedelta(seconds=second))
    with pytest.raises(services.VerificationRefused, match="Try again in an hour"):
        services.start_verification(method, by=contact, at=NOON + timedelta(minutes=5))
    services.start_verification(method, by=contact, at=NOON + timedelta(minutes=61))


def test_nothing_is_sent_to_a_telephone(contact):
    with pytest.raises(services.VerificationRefused, match="Nothing is sent"):
        services.start_verification(make_method(contact, kind="phone"), by=contact, at=NOON)
