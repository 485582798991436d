"""Overdue maintenance of an incident's systems is shown on its page while it is worked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from incidents import services as incidents
from maintenance import services
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_system
from tests.factories.maintenance import make_plan, standing

pytestmark = pytest.mark.django_db
WHY = "For the test"
HEADING = "Overdue maintenance"


@pytest.fixture
def make_late():
    """`make_late(*systems, task=)`: a plan whose first date was five days ago and is not done."""

    def make_late(*systems, task):
        at = clock.now() - timedelta(days=9)
        first = timezone.localtime(at).date() + timedelta(days=4)
        return make_plan(task=task, systems=systems, at=at, anchor=first, lead_days=3)

    return make_late


def shown(client, incident):
    return " ".join(client.get(incident.get_absolute_url()).content.decode().split())


def test_what_is_overdue_on_its_systems_is_shown_with_whose_it_is(signed_in, mail, incident, make_late):
    late = make_late(mail, make_system("queue"), task="Renew the certificate")
    make_late(make_system("desk"), task="Turn the tapes")
    page = shown(signed_in, incident)
    assert f"{late.reference}</span> on Mail Intake, was due" in page
    assert "Renew the certificate" in page
    assert "· Amara Okafor" in page
    assert standing(late).get_absolute_url() in page
    assert "Turn the tapes" not in page


def test_what_is_not_overdue_yet_is_not_shown(signed_in, mail, incident):
    make_plan(systems=[mail], task="Rotate the logs", anchor=timezone.localtime(clock.now()).date() + timedelta(days=3))
    assert HEADING not in shown(signed_in, incident)


def test_the_live_parts_drop_it_once_it_is_done(signed_in, mail, incident, make_late):
    late = make_late(mail, task="Renew the certificate")
    live = f"{incident.get_absolute_url()}live/"
    assert "Renew the certificate" in signed_in.get(live).content.decode()
    services.skip(standing(late), by=incident.declared_by, at=clock.now(), reason="The vendor has renewed it")
    assert "Renew the certificate" not in signed_in.get(live).content.decode()


def test_a_cancelled_incident_gives_no_hint(signed_in, amara, mail, incident, make_late):
    make_late(mail, task="Renew the certificate")
    incidents.cancel(incident, by=amara.user, at=clock.now(), reason="It was a test")
    assert HEADING not in shown(signed_in, incident)


def test_whoever_may_not_read_maintenance_is_not_shown_it(client, mail, incident, make_late):
    make_late(mail, task="Renew the certificate")
    user = make_user("stefan")
    user.user_permissions.add(Permission.objects.get(codename="view_incident"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Renew the certificate" not in shown(client, incident)


def test_more_of_it_costs_no_more_queries(
    signed_in, mail, incident, make_late, django_assert_num_queries, django_assert_max_num_queries
):
    address = incident.get_absolute_url()
    make_late(mail, task="Renew the certificate")
    signed_in.get(address)
    with django_assert_max_num_queries(75) as few:
        signed_in.get(address)
    for number in range(12):
        make_late(mail, make_system(f"queue-{number}"), task=f"Turn tape {number}")
    with django_assert_num_queries(len(few)):
        page = shown(signed_in, incident)
    assert "there is more on the" in page
