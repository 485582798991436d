"""A test page to oneself: over exactly the ways that a real one would take, so that nobody finds out at night."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from portal.directory import reaching
from portal.directory import services as directory
from portal.directory.models import Contact, Severity
from portal.notify.compose import page_drafts
from portal.notify.models import Message, MessageState
from portal.notify.outbox import queue, stop

KIND = "test_page"
TESTS_AN_HOUR = 10
SHOWN = 30


class TestRefused(ValueError):
    """No test page is sent; the sentence says why."""

    __test__ = False  # pytest collects what is called so


@transaction.atomic
def send_test(contact: Contact, severity: Severity, *, at: datetime) -> None:
    """Page the person as an incident of that severity would, marked as a test. What is left of an earlier test stops.

    TestRefused is raised after ten tests in an hour.
    """
    Contact.objects.select_for_update().get(pk=contact.pk)
    earlier = Message.objects.filter(contact=contact, kind=KIND)
    if earlier.filter(created_at__gt=at - timedelta(hours=1)).values("created_at").distinct().count() >= TESTS_AN_HOUR:
        raise TestRefused("Ten tests within an hour are enough. Try again later.")
    stop(earlier.filter(stopped_at=None).exclude(state__in=[MessageState.DEAD, MessageState.CANCELLED]), at=at)
    methods, rules = directory.sending_methods([contact.pk]), reaching.rules_of([contact.pk])
    ways = reaching.ways(methods.get(contact.pk, []), rules.get(contact.pk, {}), loud=severity.pages_loudly)
    drafts = page_drafts(
        contact,
        ways,
        key=f"test:{contact.pk}:{at.isoformat()}",
        kind=KIND,
        title=f"[Test, as {severity.code}] This is how a page reaches you",
        body=(
            "You sent yourself this page to see how an incident would reach you. Nothing is wrong.\n\n"
            "What arrived where and when stands on the page of your contact methods."
        ),
        url_path="/me/contact-methods/",
        urgent=True,
        waits_while_quiet=not severity.ignores_quiet_hours,
    )
    queue(drafts, at=at)


def newest_test(contact: Contact) -> list[Message]:
    """Return the messages of the person's last test page in the order in which they leave; none without a test."""
    found = list(Message.objects.filter(contact=contact, kind=KIND).order_by("-created_at", "-id")[:SHOWN])
    # A way that failed adds further messages to a test, which are younger than it.
    stem = found[0].idempotency_key.split("#")[0].rpartition(":")[0] if found else ""
    mine = [row for row in found if row.idempotency_key.startswith(f"{stem}:")]
    return sorted(mine, key=lambda row: (row.due_at, row.pk))
