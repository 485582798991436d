"""What the page of contact methods shows beside the methods: rules, quiet hours, the last test page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from portal.directory import reaching
from portal.directory.enums import Occasion
from portal.directory.models import Contact, ContactMethod, Severity
from portal.notify import trying
from portal.notify.forms import HoursForm, RulesForm, TestForm
from portal.notify.models import Message, MessageState

# state: words, tone and icon; what waits says until when beside it
TEST_STATES: dict[str, tuple[str, str, str]] = {
    MessageState.PENDING: ("Waits", "", "hourglass"),
    MessageState.SENDING: ("On its way", "blue", "send"),
    MessageState.SENT: ("Handed over", "green", "circle-check"),
    MessageState.FAILED: ("Failed, is tried again", "amber", "triangle-alert"),
    MessageState.DEAD: ("Given up", "red", "circle-x"),
    MessageState.CANCELLED: ("Stopped", "", "ban"),
}


def reached_context(contact: Contact, usable: Sequence[ContactMethod], *, at: datetime) -> dict[str, Any]:
    """Return what the page needs of rules, hours and tests. `usable` are the person's verified methods."""
    rules = reaching.rules_of([contact.pk]).get(contact.pk, {})
    severities = list(Severity.objects.order_by("level"))
    return {
        "usable": usable,
        "usual_form": RulesForm(methods=usable, rules=rules.get(Occasion.USUAL, []), occasion=Occasion.USUAL),
        "loud_form": RulesForm(methods=usable, rules=rules.get(Occasion.LOUD, []), occasion=Occasion.LOUD),
        "loud_codes": [row.code for row in severities if row.pages_loudly],
        "waking_codes": [row.code for row in severities if row.ignores_quiet_hours],
        "hours_form": HoursForm(initial=_hours(contact)),
        "quiet_end": contact.quiet_end(at),
        "test_form": TestForm(),
        "test_rows": [(row, *_state(row)) for row in trying.newest_test(contact)],
    }


def _hours(contact: Contact) -> dict[str, Any]:
    return {
        "quiet_from": contact.quiet_from, "quiet_until": contact.quiet_until, "bundle_seconds": contact.bundle_seconds
    }  # fmt: skip


def _state(row: Message) -> tuple[str, str, str]:
    return TEST_STATES[MessageState(row.state)]
