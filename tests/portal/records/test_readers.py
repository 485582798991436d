"""What is asked for and not made yet is read by whoever may read what comes of it."""

import pytest

from incidents.sweeps import OPEN_TOPIC, sweep_incidents
from portal.records import services
from portal.records.readers import may_read
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_severity
from tests.factories.records import make_demand

pytestmark = pytest.mark.django_db


def asked(kind, **more):
    payload = {"title": "Xylophone was stolen", "level": 1, "type": kind, **more}
    return make_demand("x", topic=OPEN_TOPIC, payload=payload)


def page(client, user, demand):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(f"/admin/records/demand/{demand.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_what_is_asked_as_a_security_incident_is_read_by_the_security_leads(client):
    demand = asked("security")
    outside = page(client, make_superuser("root"), demand)
    assert "Xylophone" not in outside
    assert "only its members may read" in outside
    lead = make_user("lead", roles=["security-lead", "administrator"])
    assert "Xylophone" in page(client, lead, demand)


def test_any_other_is_read_by_whoever_sees_demands(client):
    assert "Xylophone" in page(client, make_superuser("root"), asked("operational"))


def test_one_that_was_settled_by_hand_stays_as_it_was(client):
    demand = asked("security")
    demand.given_up_at = NOON
    demand.save()
    services.settle_by_hand(demand, by="system: tests", at=NOON, reason="It was a drill")
    assert "Xylophone" not in page(client, make_superuser("root"), demand)


def test_once_there_is_an_incident_the_demand_hides_with_it(client):
    make_severity(1)
    demand = asked("security")
    sweep_incidents(at=NOON)
    demand.refresh_from_db()
    assert demand.made_id is not None
    client.force_login(make_superuser("root"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/admin/records/demand/{demand.pk}/change/").status_code == 302
    assert may_read(demand, make_user("lead", roles=["security-lead"]))


def test_an_error_is_kept_without_the_rows_that_a_database_quotes():
    demand = make_demand("y")

    def fail(_):
        raise ValueError("new row violates a check\nDETAIL: Failing row contains (Xylophone).")

    services.answer_demands(demand.topic, at=NOON, handle=fail)
    demand.refresh_from_db()
    assert demand.error == "ValueError: new row violates a check"
