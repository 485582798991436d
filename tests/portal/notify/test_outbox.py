"""Into the outbox: once for each key, in the transaction that decides, and out again when acknowledged."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from portal.notify import services
from portal.notify.compose import draft_for_channel, drafts_for
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_channel, make_contact, make_method, make_system
from tests.factories.notify import draft, make_message

pytestmark = pytest.mark.django_db
COMMON = {"kind": "page", "title": "Disk full", "body": "Full. {action_link}", "urgent": True, "action_path": "/a/"}


def test_a_key_is_queued_once():
    first = make_message(key="page:1:1", title="first")
    services.queue([draft(key="page:1:1", title="again"), draft(key="page:1:2")], at=NOON)
    assert Message.objects.count() == 2
    first.refresh_from_db()
    assert first.title == "first"


def test_a_person_with_an_account_gets_the_inbox_and_the_first_method():
    contact = make_contact(user=make_user("ada"), reachable=False)
    first = make_method(contact)
    make_method(contact)
    inside, outside = drafts_for(contact, list(contact.methods.all()), key="page:7", repeat_seconds=300, **COMMON)
    assert (inside.key, inside.lane, inside.repeat_seconds, inside.action_path) == ("page:7:inbox", "inbox", None, "")
    assert (outside.key, outside.lane, outside.address) == (f"page:7:{first.pk}", "email", first.address)
    assert (outside.repeat_seconds, outside.action_path) == (300, "/a/")


def test_a_person_without_account_or_method_gets_nothing():
    assert drafts_for(make_contact(reachable=False), [], key="page:7", **COMMON) == []


def test_a_shared_channel_gets_no_secret_link():
    made = draft_for_channel(make_channel(), key="page:7", **COMMON)
    assert made.action_path == ""


def test_the_inbox_has_arrived_by_being_written():
    user = make_user("ada")
    contact = make_contact(user=user)
    message = make_message(lane="inbox", contact_id=contact.pk)
    make_message(lane="inbox", contact_id=make_contact(user=make_user("bob")).pk)
    assert (message.state, message.settled_at) == ("sent", NOON)
    assert list(services.inbox_of(user)) == [message]
    assert services.unread_count(user) == 1
    everything = list(Message.objects.values_list("pk", flat=True))
    assert services.mark_read(user, everything, at=NOON) == 1
    assert services.unread_count(user) == 0


def test_what_concerns_no_record_does_not_repeat():
    assert make_message(urgent=True, repeat_seconds=300).repeat_seconds is None


def test_acknowledging_cancels_what_waits_and_leaves_other_records_alone():
    system, other = make_system(), make_system()
    waiting, failed = make_message(about=system), make_message(about=system)
    Message.objects.filter(pk=failed.pk).update(state="failed", next_attempt_at=NOON + timedelta(minutes=5))
    elsewhere, inside = make_message(about=other), make_message(about=system, lane="inbox")
    assert services.cancel_unsent(about=system, at=NOON) == 2
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {
        waiting.pk: "cancelled",
        failed.pk: "cancelled",
        elsewhere.pk: "pending",
        inside.pk: "sent",
    }
    assert services.cancel_unsent(about=system, at=NOON) == 0


@pytest.mark.parametrize(
    "wrong", [{"state": "sent"}, {"settled_at": NOON}, {"state": "sending"}, {"lease_until": NOON}]
)
def test_the_database_refuses_half_a_state(wrong):
    make_message()
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.update(**wrong)


def test_the_oldest_unsent_counts_from_when_it_should_have_gone():
    assert services.oldest_unsent_seconds(at=NOON) == 0.0
    make_message(at=NOON - timedelta(minutes=3))
    make_message(at=NOON + timedelta(minutes=3))
    assert services.oldest_unsent_seconds(at=NOON) == 180.0


def test_stuck_are_the_failed_the_late_and_the_lately_given_up():
    late = make_message(at=NOON - timedelta(minutes=3))
    make_message(at=NOON)
    failed, dead, long_dead = make_message(), make_message(), make_message()
    Message.objects.filter(pk=failed.pk).update(state="failed")
    Message.objects.filter(pk=dead.pk).update(state="dead", settled_at=NOON - timedelta(days=1))
    Message.objects.filter(pk=long_dead.pk).update(state="dead", settled_at=NOON - timedelta(days=8))
    assert set(services.stuck(at=NOON)) == {late, failed, dead}
