"""How a person wants to be reached: rules that are kept in order, hours that begin and end."""

from datetime import time

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from portal.audit.models import TrailRow
from portal.directory import reaching, reference, services
from portal.directory.models import Contact, NotificationRule, Severity
from tests.factories.directory import NOON, make_contact, make_method

pytestmark = pytest.mark.django_db
WHO = {"by": "test", "at": NOON, "reason": "A test"}


def ways(contact, *, loud=False):
    methods, rules = services.sending_methods([contact.pk]), reaching.rules_of([contact.pk])
    found = reaching.ways(methods.get(contact.pk, []), rules.get(contact.pk, {}), loud=loud)
    return [(method.kind, seconds) for method, seconds in found]


@pytest.fixture
def ada():
    contact = make_contact("Ada")
    make_method(contact, kind="sms")
    make_method(contact, kind="ntfy")
    return contact


def by_kind(contact):
    return {method.kind: method for method in contact.methods.all()}


def test_without_rules_the_first_method_is_used_and_loud_pages_follow_the_usual_rules(ada):
    mine = by_kind(ada)
    assert ways(ada) == ways(ada, loud=True) == [("email", 0)]
    reaching.set_rules(ada, "usual", [(mine["ntfy"].pk, 0), (mine["sms"].pk, 120)], **WHO)
    assert ways(ada) == ways(ada, loud=True) == [("ntfy", 0), ("sms", 120)]
    reaching.set_rules(ada, "loud", [(mine["sms"].pk, 0), (mine["email"].pk, 0)], **WHO)
    assert ways(ada, loud=True) == [("sms", 0), ("email", 0)]
    assert ways(ada) == [("ntfy", 0), ("sms", 120)]


def test_when_the_first_step_is_no_longer_usable_the_next_does_not_wait(ada):
    mine = by_kind(ada)
    reaching.set_rules(ada, "usual", [(mine["ntfy"].pk, 0), (mine["sms"].pk, 120), (mine["email"].pk, 300)], **WHO)
    services.retire_method(mine["ntfy"], **WHO)
    assert ways(ada) == [("sms", 0), ("email", 180)]
    for kind in ("sms", "email"):
        services.retire_method(mine[kind], **WHO)
    assert ways(ada) == []


def test_changing_the_rules_keeps_what_stays_and_tells_the_trail(ada):
    mine = by_kind(ada)
    reaching.set_rules(ada, "usual", [(mine["ntfy"].pk, 0), (mine["sms"].pk, 120)], **WHO)
    kept = NotificationRule.objects.get(method=mine["ntfy"])
    reaching.set_rules(ada, "usual", [(mine["ntfy"].pk, 0), (mine["email"].pk, 60)], **WHO)
    assert NotificationRule.objects.get(method=mine["ntfy"]) == kept
    assert ways(ada) == [("ntfy", 0), ("email", 60)]
    assert kept.history.count() == 1
    assert TrailRow.objects.filter(model="directory.notificationrule", reason="A test").count() == 4
    reaching.set_rules(ada, "usual", [], **WHO)
    assert ways(ada) == [("email", 0)]


def test_rules_that_would_not_reach_are_refused_with_a_sentence(ada):
    mine, other = by_kind(ada), make_contact().methods.get()
    phone = make_method(ada, kind="phone")
    for steps, sentence in [
        ([(mine["sms"].pk, 60)], "one method be used at once"),
        ([(mine["sms"].pk, 0), (mine["sms"].pk, 60)], "Each method has one place"),
        ([(mine["sms"].pk, 0), (mine["ntfy"].pk, 10**6)], "waits at most 4 h"),
        ([(mine["sms"].pk, 0), (mine["ntfy"].pk, -1)], "waits at most 4 h"),
        ([(other.pk, 0)], "have changed meanwhile"),
        ([(phone.pk, 0)], "have changed meanwhile"),
    ]:
        with pytest.raises(ValidationError, match=sentence):
            reaching.set_rules(ada, "usual", steps, **WHO)
    with pytest.raises(ValidationError, match="usual or for loud"):
        reaching.set_rules(ada, "often", [], **WHO)
    assert not NotificationRule.objects.exists()


@pytest.mark.parametrize(
    ("hours", "bundle", "sentence"),
    [
        ((time(22), None), 60, "Give both"),
        ((time(22), time(22)), 60, "must end at another time"),
        ((None, None), 10_000, "less than or equal to 900"),
    ],
)
def test_hours_that_never_end_are_refused(ada, hours, bundle, sentence):
    with pytest.raises(ValidationError, match=sentence):
        reaching.set_hours(ada, quiet_from=hours[0], quiet_until=hours[1], bundle_seconds=bundle, **WHO)


def test_the_database_refuses_half_of_the_hours_too(ada):
    ada.quiet_from = time(22)
    with pytest.raises(IntegrityError), transaction.atomic():
        ada.save()


def test_hours_are_kept_with_their_reason(ada):
    reaching.set_hours(ada, quiet_from=time(22), quiet_until=time(7), bundle_seconds=0, **WHO)
    fresh = Contact.objects.get(pk=ada.pk)
    assert (fresh.quiet_from, fresh.quiet_until, fresh.bundle_seconds) == (time(22), time(7), 0)
    assert fresh.history.latest("history_id").history_change_reason == "A test"


def test_severities_say_what_is_loud_and_a_choice_against_it_stays():
    flags = {row.level: (row.pages_loudly, row.ignores_quiet_hours) for row in Severity.objects.all()}
    assert flags == {1: (True, True), 2: (True, False), 3: (False, False), 4: (False, False)}
    for severity in Severity.objects.all():
        severity.pages_loudly = severity.ignores_quiet_hours = False
        severity.save()
    reference.load()
    assert not Severity.objects.filter(pages_loudly=True).exists()
