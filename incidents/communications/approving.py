"""How a message to an audience is shown to those who approve it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from incidents.communications.drafting import APPROVABLE
from incidents.communications.recipients import described
from incidents.enums import CommunicationState
from incidents.models import Communication
from portal.approvals.registry import Approvable, DefaultStage
from portal.approvals.shown import Fact, fact

ASK_THERE = "Open the message and ask there: it then goes out once it is approved."


def _rows() -> QuerySet[Communication]:
    return Communication.objects.select_related("incident")


def _facts(message: Communication) -> Iterator[Fact]:
    yield fact("Incident", f"{message.incident.reference} {message.incident.title}")
    if message.incident.is_drill:
        yield fact("Drill", "Yes. It reaches people of the company only, and begins with DRILL.")
    yield fact("Audience", message.get_audience_display())
    yield fact("Goes to", "\n".join(described(message.recipients)))
    yield fact("Subject", message.subject)
    yield fact("Text", message.text)
    yield fact("Withdrawn", message.state == CommunicationState.WITHDRAWN)


def _not_yet(message: Communication) -> str:
    """Refuse to ask past the message: it would be approved, and nothing would send it."""
    return "" if message.state == CommunicationState.WAITING else ASK_THERE


def authors_of(pk: int) -> frozenset[int]:
    """Return who wrote words of a message, whoever asks for it: nobody approves what they wrote. One query."""
    rows = Communication.history.filter(id=pk).order_by("history_id")
    found: set[int] = set()
    words: tuple[str, str] | None = None
    for subject, text, account in rows.values_list("subject", "text", "history_user_id"):
        if (subject, text) != words and account is not None:
            found.add(account)
        words = (subject, text)
    return frozenset(found)


MESSAGE = Approvable(
    kind=APPROVABLE,
    model=Communication,
    label="message",
    facts=_facts,
    rows=_rows,
    url=Communication.get_absolute_url,
    stages=(DefaultStage("Communications", "Manager"),),
    decide_within=4,
    lasting=False,
    carried_out=False,
    authors=authors_of,
    not_yet=_not_yet,
    is_drill=lambda message: message.incident.is_drill,
)
