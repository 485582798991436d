"""The shell of every page: what it reads, and what it costs."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from portal.dashboard.context import Engine, Shell, shell
from portal.deadlines import services as deadlines
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    user = make_user("amara", first_name="Amara", last_name="Okafor", is_staff=True)
    user.groups.add(*Group.objects.filter(name__in=["Responder", "Security lead"]))
    make_contact("Amara Okafor", user=user)
    return user


@pytest.fixture
def asked(rf):
    def asked(user, path="/"):
        request = rf.get(path)
        request.user = user
        return request

    return asked


def test_nothing_is_read_before_a_template_asks(asked, staff, django_assert_num_queries):
    with django_assert_num_queries(0):
        shell(asked(staff))


def test_the_shell_says_who_reads_and_in_which_roles(asked, staff):
    found = Shell(asked(staff))
    assert found.person == "Amara Okafor"
    assert found.role == "Responder, security lead"


def test_the_shell_of_nobody_is_empty_and_costs_nothing(asked, django_assert_num_queries):
    request = asked(AnonymousUser())
    with django_assert_num_queries(0):
        found = Shell(request)
        assert (found.person, found.role, found.navigation, found.inbox_count) == ("", "", [], 0)
        assert Engine(request).banner == ""


def test_the_shell_costs_the_same_however_much_there_is(client, staff, django_assert_max_num_queries):
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    with django_assert_max_num_queries(12):
        assert client.get("/nothing-stands-here/").status_code == 404


def test_the_page_speaks_of_one_moment(asked, staff):
    found = Shell(asked(staff))
    assert found.now is found.now


def test_staff_is_told_that_the_engine_never_started(asked, staff):
    assert Engine(asked(staff)).banner.startswith("The engine has not started yet")


def test_staff_is_told_that_the_engine_is_silent_and_others_are_not(asked, staff):
    deadlines.mark_sweep("incidents", at=clock.now() - timedelta(minutes=3))
    assert "has not swept for 3 min" in Engine(asked(staff)).banner
    staff.is_staff = False
    assert Engine(asked(staff)).banner == ""


def test_nothing_is_said_while_the_engine_keeps_time(asked, staff):
    deadlines.mark_sweep("incidents", at=clock.now())
    assert Engine(asked(staff)).banner == ""
