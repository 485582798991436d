"""How I want to be reached: rules, quiet hours, a test page, all on one's own page."""

from datetime import time

import pytest
from django.urls import reverse

from portal.directory.models import Contact, NotificationRule, Severity
from portal.lib import clock
from portal.notify import services
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_method

pytestmark = pytest.mark.django_db
PAGE = "/me/contact-methods/"


@pytest.fixture
def mei(client):
    user = make_user("mei")
    client.force_login(user)
    contact = make_contact("Mei Tanaka", user=user, time_zone="UTC")
    make_method(contact, kind="ntfy")
    return contact


def text(response):
    return " ".join(response.content.decode().split())


def by_kind(contact):
    return {method.kind: method.pk for method in contact.methods.all()}


def rules(contact):
    return list(contact.rules.values_list("occasion", "method__kind", "delay_seconds"))


def post(client, name, data, *args):
    return client.post(reverse(f"notify:{name}", args=args), data)


def test_rules_are_set_on_ones_own_page_and_shown_there(client, mei):
    mine = by_kind(mei)
    data = {f"method-{mine['email']}": "0", f"method-{mine['ntfy']}": "120"}
    assert post(client, "set-rules", data, "loud").url == f"{PAGE}#loud"
    assert rules(mei) == [("loud", "email", 0), ("loud", "ntfy", 120)]
    assert 'value="120" selected' in text(client.get(PAGE))
    assert post(client, "set-rules", {}, "loud").status_code == 302
    assert rules(mei) == []


@pytest.mark.parametrize(
    ("value", "sentence"), [("120", "one method be used at once"), ("7", "Choose one of the times")]
)
def test_rules_that_make_a_page_late_are_refused_and_stay_in_the_form(client, mei, value, sentence):
    answer = post(client, "set-rules", {f"method-{by_kind(mei)['ntfy']}": value}, "usual")
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not NotificationRule.objects.exists()


def test_a_method_of_somebody_else_or_an_occasion_that_is_none_changes_nothing(client, mei):
    other = make_contact().methods.get()
    assert post(client, "set-rules", {f"method-{other.pk}": "0"}, "usual").status_code == 302
    assert not NotificationRule.objects.exists()
    assert post(client, "set-rules", {}, "often").status_code == 404


def test_quiet_hours_are_set_and_taken_away(client, mei):
    hours = {"quiet_from": "22:00", "quiet_until": "07:00", "bundle_seconds": "120"}
    assert post(client, "set-hours", hours).url == f"{PAGE}#hours"
    mei.refresh_from_db()
    assert (mei.quiet_from, mei.quiet_until, mei.bundle_seconds) == (time(22), time(7), 120)
    page = text(client.get(PAGE))
    assert 'value="22:00"' in page
    assert "SEV-1 reaches you in any case" in page
    assert "the escalation goes on to the next person" in page
    post(client, "set-hours", {"quiet_from": "", "quiet_until": "", "bundle_seconds": "60"})
    assert Contact.objects.get(pk=mei.pk).quiet_from is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"quiet_from": "22:00"}, "Give both"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "must end at another time"),
        ({"quiet_from": "late"}, "Give an hour"),
        ({"bundle_seconds": "99999"}, "Choose one of the times"),
        ({"bundle_seconds": ""}, "Choose a time"),
    ],
)
def test_hours_that_never_end_are_refused_with_a_sentence(client, mei, fields, sentence):
    answer = post(client, "set-hours", {"bundle_seconds": "60", **fields})
    assert answer.status_code == 422
    assert sentence in text(answer)


def test_a_test_page_goes_the_ways_of_a_real_one_and_shows_what_arrived(client, mei):
    mine = by_kind(mei)
    loud = {f"method-{mine['ntfy']}": "0", f"method-{mine['email']}": "600"}
    post(client, "set-rules", loud, "loud")
    assert post(client, "send-test", {"severity": Severity.objects.get(level=1).pk}).url == f"{PAGE}#test"
    messages = {row.lane: row for row in Message.objects.filter(kind="test_page")}
    assert set(messages) == {"inbox", "ntfy", "email"}
    assert (messages["email"].due_at - messages["ntfy"].due_at).total_seconds() == 600
    assert not messages["ntfy"].waits_while_quiet
    assert messages["ntfy"].title == "[Test, as SEV-1] This is how a page reaches you"
    Message.objects.filter(lane="ntfy").update(state="dead", settled_at=NOON, error="ntfy cannot be reached.")
    page = text(client.get(PAGE))
    for words in ("Inbox here", "Handed over", "Waits", "Given up", "ntfy cannot be reached."):
        assert words in page
    post(client, "send-test", {"severity": Severity.objects.get(level=3).pk})
    messages["email"].refresh_from_db()
    assert messages["email"].state == "cancelled"
    newest = services.newest_test(mei)
    assert [(row.lane, row.waits_while_quiet) for row in newest] == [("inbox", True), ("email", True)]


def test_too_many_tests_and_a_severity_that_is_none_are_refused(client, mei):
    answer = post(client, "send-test", {"severity": "99"})
    assert answer.status_code == 422
    assert "Choose one of the severities" in text(answer)
    severity = Severity.objects.get(level=1)
    for minute in range(10):
        services.send_test(mei, severity, at=clock.now().replace(microsecond=minute))
    answer = client.post(reverse("notify:send-test"), {"severity": severity.pk}, follow=True)
    assert "Ten tests within an hour are enough" in text(answer)


def test_without_a_verified_method_there_are_no_rules_to_set_and_no_entry_leads_back(client, mei):
    for method in mei.methods.all():
        method.active = False
        method.save()
    page = text(client.get(PAGE))
    assert "Keep usual rules" not in page
    assert "Page me now" in page
    client.force_login(make_user("new"))
    assert post(client, "send-test", {"severity": "1"}).url == PAGE
