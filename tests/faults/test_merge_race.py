"""Merging races the alerts of what is merged: nothing is lost, nothing deadlocks, the survivor gets them."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client

from incidents import services
from incidents.enums import OPEN, Status
from incidents.intake.receiving import receive
from incidents.models import Alert, Incident, IntakeDelivery
from incidents.policy import Refused
from incidents.sweeps import sweep_incidents
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.incidents import make_policy, make_token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
ROUNDS = 60 if connection.vendor == "postgresql" else 12
HOUR = timedelta(hours=1)


@pytest.fixture
def source():
    """A source whose incidents page somebody, so that merging stops an escalation too."""
    make_policy(steps=[make_contact("Ada")], default=True)
    make_system("mail")
    return make_token("prometheus", kind="json")


def post(secret, key, *, at, status="firing", severity="low", system="mail"):
    body = f'{{"key": "{key}", "status": "{status}", "title": "{key}", "severity": "{severity}", "system": "{system}"}}'
    return receive(secret, body.encode(), content_type="application/json", address="192.0.2.1", at=at)


def merge(duplicate, survivor, *, at):
    """Merge, unless somebody else did the opposite meanwhile; tell whether it was done."""
    try:
        services.merge(duplicate, into=survivor, by="test", at=at, reason="The same disk")
    except Refused:
        return False
    return True


# What the source says meanwhile of the alert whose incident is merged: the same again, more of it, or that it is over.
SAID = {"the same": {}, "worse": {"severity": "critical"}, "resolved": {"status": "resolved"}}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_an_alert_that_comes_during_a_merge_is_kept_and_ends_on_the_survivor(together, source, said):
    _, secret = source
    firing = said.get("status", "firing") == "firing"
    answered = set()
    for number in range(ROUNDS):
        at = NOON + number * HOUR
        survivor, duplicate = (post(secret, f"{name}-{number}", at=at).incident for name in ("disk", "mail"))
        key = f"mail-{number}"
        _, one, two, _ = together(
            lambda one=duplicate, other=survivor, at=at: merge(one, other, at=at),
            lambda key=key, at=at: post(secret, key, at=at, **said),
            lambda key=key, at=at: post(secret, key, at=at, **said),
            lambda at=at: sweep_incidents(at=at),
        )
        assert {one.status_code, two.status_code} == {200}
        answered |= {answer.incident == survivor for answer in (one, two) if answer.incident}
        assert IntakeDelivery.objects.filter(received_at=at).count() == 4
        merged = Incident.objects.get(pk=duplicate.pk)
        if merged.status != Status.MERGED:  # it was resolved before anybody could merge it
            assert not firing
            continue
        assert merged.merged_into == survivor
        mine = Alert.objects.filter(key=key)
        assert not mine.filter(incident=duplicate).exists()
        assert mine.get().firing == firing
        assert mine.aggregate(told=Sum("count"))["told"] == (3 if firing else 1)
        assert Incident.objects.get(pk=survivor.pk).status in OPEN
        assert post(secret, key, at=at).incident == survivor
    assert Incident.objects.count() == 2 * ROUNDS
    assert answered, "no answer ever named an incident"


def submitted(client, duplicate, survivor):
    """Merge by the form of the page, and tell whether it was done: what was merged meanwhile is refused."""
    fields = {"once": str(uuid.uuid4()), "into": survivor.reference, "reason": "The same disk"}
    answer = client.post(f"{duplicate.get_absolute_url()}merge/", fields)
    assert answer.status_code in {302, 422}
    return answer.status_code == 302


def signed_in(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_two_that_are_merged_into_one_another_at_once_leave_one(together, source):
    _, secret = source
    first, second = (signed_in(make_user(name, roles=["responder"])) for name in ("amara", "bola"))
    for number in range(ROUNDS):
        at = clock.now()
        one, two = (post(secret, f"{name}-{number}", at=at).incident for name in ("disk", "mail"))
        done = together(
            lambda one=one, two=two: submitted(first, one, two),
            lambda one=one, two=two: submitted(second, two, one),
            lambda key=f"disk-{number}", at=at: post(secret, key, at=at) and None,
            lambda key=f"mail-{number}", at=at: post(secret, key, at=at) and None,
        )
        assert sorted(map(bool, done[:2])) == [False, True]
        standing = Incident.objects.get(pk__in=[one.pk, two.pk], status__in=OPEN)
        assert set(Alert.objects.filter(key__endswith=f"-{number}").values_list("incident", flat=True)) == {standing.pk}
    assert Incident.objects.count() == 2 * ROUNDS
