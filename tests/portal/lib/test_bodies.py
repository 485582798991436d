"""A body is read within bounds, whatever its headers say."""

import pytest
from django.test import RequestFactory

from portal.lib.bodies import TooLong, read_within


def sent(body, **headers):
    return RequestFactory().post("/", body, content_type="application/json", **headers)


def test_as_much_as_is_taken_is_read():
    assert read_within(sent(b"12345"), 5) == b"12345"


def test_one_byte_more_is_too_long():
    with pytest.raises(TooLong):
        read_within(sent(b"123456"), 5)


@pytest.mark.parametrize("length", ["", "5", "many", "-1"])
def test_a_length_that_is_not_true_changes_nothing(length):
    request = sent(b"123456")
    request.META["CONTENT_LENGTH"] = length
    with pytest.raises(TooLong):
        read_within(request, 5)
