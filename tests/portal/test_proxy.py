"""Who asks, seen from behind the proxy."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from portal.proxy import ClientAddress


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_only_the_entry_of_our_own_proxy_is_believed(header, seen):
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=header)
    ClientAddress(lambda _request: HttpResponse())(request)
    assert request.META["REMOTE_ADDR"] == seen
