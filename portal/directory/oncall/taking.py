"""Events of a calendar file as shifts by hand: looked at first, then written, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from portal.audit.actor import By, acting
from portal.directory.enums import MethodKind
from portal.directory.models import Contact, ContactMethod, OnCallShift, Team
from portal.directory.oncall.ical import Into

HORIZON = timedelta(days=183)
PREFIXES = ("on call:", "on-call:", "oncall:")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One event of the file: whom it means, and a sentence for what is odd. Without a person it is left out."""

    event: Into
    contact: Contact | None
    problem: str = ""

    @property
    def is_taken(self) -> bool:
        """Tell whether it becomes a shift."""
        return self.contact is not None


def candidates(team: Team, events: Sequence[Into], *, at: datetime) -> list[Candidate]:
    """Return the events with the people they mean: by an address of theirs, else by the title. Three queries."""
    people = {one.name.casefold(): one for one in Contact.objects.filter(active=True).order_by("-pk")}
    by_address = {
        method.address.lower(): method.contact
        for method in ContactMethod.objects.filter(kind=MethodKind.EMAIL, active=True, contact__active=True)
        .select_related("contact")
        .order_by("-pk")
    }
    standing = _standing(team, at)
    found: list[Candidate] = []
    for event in events:
        contact = _meant(event, people, by_address)
        found.append(Candidate(event, contact, _problem(event, contact, found, standing)))
    return found


def _meant(event: Into, people: dict[str, Contact], by_address: dict[str, Contact]) -> Contact | None:
    for address in event.addresses:
        if address in by_address:
            return by_address[address]
    title = event.title.casefold()
    for prefix in PREFIXES:
        title = title.removeprefix(prefix).strip()
    return people.get(title) or by_address.get(title)


def _standing(team: Team, at: datetime) -> set[tuple[int, datetime, datetime]]:
    rows = OnCallShift.objects.filter(team=team, until__gt=at, withdrawn=False)
    return set(rows.values_list("contact_id", "starts", "until"))


def _problem(
    event: Into,
    contact: Contact | None,
    before: Iterable[Candidate],
    standing: set[tuple[int, datetime, datetime]],
) -> str:
    if contact is None:
        return "Nobody of that name or address is in the directory. It is left out."
    if (contact.pk, event.starts, event.until) in standing:
        return "It stands already. It is left out."
    other = next((one for one in before if one.is_taken and one.event.until > event.starts), None)
    return f"It overlaps with the turn of {other.contact}; the one that starts last counts." if other else ""


@transaction.atomic
def take_in(
    team: Team, turns: Sequence[tuple[int, datetime, datetime]], *, by: By, at: datetime, reason: str
) -> list[OnCallShift]:
    """Write these turns (person, start, end) as shifts by hand; what stands already is left as it is.

    What has begun counts from now on. All or nothing: ValidationError is raised for somebody who has left meanwhile.
    """
    Team.objects.select_for_update().get(pk=team.pk)
    people = Contact.objects.in_bulk({pk for pk, _, _ in turns})
    standing = _standing(team, at)
    made = []
    with acting(by=by, at=at, reason=reason):
        for pk, starts, until in turns:
            if until <= at or (pk, starts, until) in standing:
                continue
            if pk not in people:
                raise ValidationError("Somebody of the file is no longer in the directory. Read the file again.")
            shift = OnCallShift(team=team, contact=people[pk], starts=starts, until=until)
            shift.full_clean()
            shift.save()
            made.append(shift)
    return made
