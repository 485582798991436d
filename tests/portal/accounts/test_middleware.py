import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from portal.accounts.middleware import TimeZoneMiddleware
from portal.accounts.models import User


def zone_in_page(user):
    request = RequestFactory().get("/")
    request.user = user
    seen = []
    TimeZoneMiddleware(lambda _: seen.append(timezone.get_current_timezone_name()))(request)
    return seen[0]


@pytest.mark.parametrize(
    ("name", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), ("Mars/Olympus", "UTC"), ("", "UTC"), ("../../etc/passwd", "UTC")]
)
def test_each_person_reads_in_their_zone_and_an_unknown_one_is_utc(name, zone):
    assert zone_in_page(User(time_zone=name)) == zone


def test_strangers_read_in_the_portals_own_zone(settings):
    settings.TIME_ZONE = "Europe/Paris"
    assert zone_in_page(AnonymousUser()) == "Europe/Paris"


def test_the_zone_ends_with_the_request():
    before = timezone.get_current_timezone_name()
    zone_in_page(User(time_zone="Asia/Tokyo"))
    assert timezone.get_current_timezone_name() == before


@pytest.mark.django_db
def test_a_stranger_costs_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/nowhere-at-all/")
