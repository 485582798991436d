"""What burns first, what else is open, and what waits for the reader."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from incidents import acts, clocks
from incidents.enums import OPEN, Status
from incidents.messages import PAGES
from incidents.models import Incident, Responder
from incidents.selectors.listing import Row, rows_of
from portal.directory.models import Contact
from portal.notify.models import Message

SHOWN_OPEN = 25
SHOWN_WAITING = 8
MOST_WAITING = 500


@dataclass(frozen=True)
class Burning:
    """The incident that needs somebody first, with the clocks that are not kept yet and the one act due."""

    row: Row
    cards: list[Any]
    act: acts.Offer | None


@dataclass(frozen=True)
class Waiting:
    """An open incident that waits for the reader, and why."""

    row: Row
    why: str


@dataclass(frozen=True)
class Fire:
    """The open incidents that the reader may see. Drills follow the real ones, and count by themselves."""

    first: Burning | None
    others: list[Row]
    total: int
    worst: str
    worst_count: int
    drills: int

    @property
    def hidden(self) -> int:
        """How many open incidents the page leaves to the list."""
        return self.total + self.drills - len(self.others) - (self.first is not None)


def fire(user: Any, *, at: datetime) -> Fire:
    """Return what is open, the worst first. A major incident that is the worst becomes the burning one. Six queries.

    However bad it plays, a drill comes after whatever is real, and never burns.
    """
    seen = Incident.objects.visible_to(user).filter(status__in=OPEN)
    names = ("severity_id", "severity__level", "severity__code")
    levels = list(seen.order_by("severity__level").values(*names, "is_drill").annotate(number=Count("pk")))
    severities = list(dict.fromkeys(level["severity_id"] for level in levels))
    rows = sorted(rows_of(_worst(seen, severities), at=at), key=_urgency)
    first = rows[0] if rows and rows[0].incident.is_major and not rows[0].incident.is_drill else None
    by_level = [level for level in levels if not level["is_drill"]]
    return Fire(
        first=None if first is None else _burning(first, user, at),
        others=rows[1:] if first else rows,
        total=sum(level["number"] for level in by_level),
        worst=by_level[0]["severity__code"] if by_level else "",
        worst_count=by_level[0]["number"] if by_level else 0,
        drills=sum(level["number"] for level in levels if level["is_drill"]),
    )


def _worst(seen: QuerySet[Incident], severities: list[int]) -> list[int]:
    """Return the ids of the worst open incidents; `severities` are those that are open, the worst first.

    Ordered by their place in that list and not by a join, so that SQLite too reads the index of open incidents
    instead of every incident in the order of its declaration.
    """
    if not severities:
        return []
    place = Case(*(When(severity_id=pk, then=Value(number)) for number, pk in enumerate(severities)))
    found = seen.filter(severity_id__in=severities).order_by("is_drill", place, "declared_at", "pk")
    return list(found.values_list("pk", flat=True)[:SHOWN_OPEN])


def _urgency(row: Row) -> tuple[bool, bool, int, bool, float, int]:
    """Real ones before drills, major ones first, then by severity, those that nobody answers, then the next clock."""
    incident = row.incident
    due_at = (row.clock or {}).get("due_at")
    due = due_at.timestamp() if due_at is not None else float("inf")
    order = (not incident.is_major, incident.severity.level, incident.status != Status.DECLARED, due, incident.pk)
    return incident.is_drill, *order


def _burning(row: Row, user: Any, at: datetime) -> Burning:
    cards = clocks.clock_cards(row.incident, at=at)
    act = acts.offers(row.incident, cards).primary if user.has_perm("incidents.change_incident") else None
    shown = [replace(card, explanation=[]) for card in cards if card.state != "met"]
    return Burning(row, shown, act)


def waiting_for(user: Any, contact: Contact | None, *, at: datetime) -> list[Waiting]:
    """Return the open incidents that the reader commands or responds to, the worst first.

    Who was paged is waited for until somebody answers.
    """
    if contact is None:
        return []
    mine = _involving(Incident.objects.visible_to(user).filter(status__in=OPEN), contact)
    # Sorted here: a join to sort by would lead SQLite through every incident, see _worst.
    names = ("is_drill", "severity__level", "declared_at", "pk", "commander_id", "responds")
    found = mine.order_by().values_list(*names)
    first = sorted(found[:MOST_WAITING])[:SHOWN_WAITING]
    why = {pk: _why(contact, commander, responds=responds) for *_, pk, commander, responds in first}
    return [Waiting(row, why[row.incident.pk]) for row in rows_of(list(why), at=at)]


def _involving(incidents: QuerySet[Any], contact: Contact) -> QuerySet[Any]:
    about = ContentType.objects.get_for_model(Incident)
    pages = Message.objects.filter(about_type=about, about_id=OuterRef("pk"), contact=contact, kind__in=PAGES)
    responds = Exists(Responder.objects.filter(incident=OuterRef("pk"), contact=contact))
    return incidents.annotate(responds=responds).filter(
        Q(commander=contact) | Q(responds=True) | Q(Exists(pages), status=Status.DECLARED)
    )


def _why(contact: Contact, commander: int | None, *, responds: bool) -> str:
    if commander == contact.pk:
        return "You command it"
    return "You respond" if responds else "You were paged"
