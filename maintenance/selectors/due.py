"""The due list: a fixed number of queries, at a hundred plans and at a hundred thousand. Counts are capped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from maintenance.enums import PlanState, State
from maintenance.looks import Look, look_of
from maintenance.models import Occurrence, Plan
from portal.directory.models import Contact, Team
from portal.lib.counting import counts_of

PAGE_SIZE = 50
CAP = 1000
WHOSE = ("mine", "team", "managed", "all")
WHOSE_LABELS = {"mine": "Mine", "team": "My teams", "managed": "I manage", "all": "All"}
WHEN: dict[str, int] = {"7": 7, "30": 30, "90": 90}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked of the due list: whose, until when, and some words."""

    whose: str = ""
    when: str = ""
    q: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str], *, usual: str) -> Asked:
        """Read it from an address; what nobody knows is left out."""
        whose, when, page = query.get("whose", ""), query.get("when", ""), query.get("page", "")
        return cls(
            whose if whose in WHOSE else usual,
            when if when in {*WHEN, "overdue", "unproven", "orphaned"} else "",
            query.get("q", "")[:100].replace("\0", "").strip(),
            min(int(page), 10_000) if page.isascii() and page.isdigit() and len(page) < 9 and int(page) else 1,
        )

    @property
    def orphaned_url(self) -> str:
        """The address of those whose owner has left."""
        return self.address(when="orphaned")

    @property
    def table_url(self) -> str:
        """The address of the same list as a table."""
        return f"{reverse('maintenance:table')}{self.address()}"

    @property
    def workbook_url(self) -> str:
        """The address of the same list as an Excel workbook."""
        return f"{reverse('maintenance:workbook')}{self.address()}"

    def address(self, **changes: str) -> str:
        """Return the address of the same list with something changed."""
        kept = {"whose": self.whose, "when": self.when, "q": self.q, **changes}
        return "?" + urlencode({name: value for name, value in kept.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    occurrence: Occurrence
    look: Look
    systems: str
    edge: str
    owner_gone: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """Whose tasks a view shows, and how many there are."""

    label: str
    url: str
    current: bool
    count: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the figures above the list, which narrow it."""

    label: str
    count: str
    note: str
    url: str
    current: bool
    is_red: bool = False


def person_of(user: Any) -> Contact | None:
    """Return the reader's own entry in the directory."""
    found: Contact | None = Contact.objects.filter(user_id=user.pk).first()
    return found


def usual(user: Any, person: Contact | None) -> str:
    """Return the view that a reader sees first: what they manage, else what is theirs, else everything."""
    seen = Plan.objects.visible_to(user).filter(state=PlanState.IN_FORCE)
    if person is not None and seen.filter(manager=person).exists():
        return "managed"
    return "mine" if person is not None and seen.filter(Q(owner=person) | Q(backup=person)).exists() else "all"


def of_whom(rows: QuerySet[Any], whose: str, person: Contact | None) -> QuerySet[Any]:
    """Return the occurrences that are somebody's, their teams', or that they manage."""
    if whose == "all":
        return rows
    if person is None:
        return rows.none()
    plans = Plan.objects.filter(state=PlanState.IN_FORCE).order_by()
    if whose == "mine":
        return rows.filter(plan__in=plans.filter(Q(owner=person) | Q(backup=person)).values("pk"))
    if whose == "managed":
        return rows.filter(plan__in=plans.filter(manager=person).values("pk"))
    teams = Team.objects.filter(members=person).values("pk")
    return rows.filter(plan__in=plans.filter(team__in=teams).values("pk"))


def is_when(when: str, *, at: datetime) -> Q:
    """Return the condition of being overdue, due within so many days, not signed off, or of an owner who has left."""
    if when == "overdue":
        return Q(state=State.OPEN, due_at__lt=at)
    if when == "unproven":
        return Q(state=State.TO_SIGN)
    if when == "orphaned":
        return Q(plan__owner__active=False)
    return Q(state=State.OPEN, due_at__gte=at, due_at__lt=at + timedelta(days=WHEN[when])) if when else Q()


@dataclass(frozen=True, slots=True)
class List:
    """One page of the list, its views, its figures."""

    rows: list[Row]
    number: int
    more: bool
    tabs: list[Tab]
    figures: list[Figure]
    gone: int


def list_of(user: Any, asked: Asked, person: Contact | None, *, at: datetime) -> List:
    """Return one page of the due list: overdue first, then by due date."""
    every = Occurrence.objects.visible_to(user).standing().order_by()  # a count that is capped need sort nothing
    ids = _ids(narrowed(user, asked, person, at=at), (asked.page - 1) * PAGE_SIZE, PAGE_SIZE + 1, at=at)
    sought = {when: is_when(when, at=at) for when in ("overdue", "unproven", "orphaned", *WHEN)}
    views = {f"whose_{whose}": of_whom(every, whose, person)[: CAP + 1] for whose in WHOSE}
    if asked.whose == "all":  # each from an index, and no further than it is shown
        counts = counts_of(**views, **{when: every.filter(sought[when])[: CAP + 1] for when in sought})
    else:  # one walk over the few plans of a person; of each figure alone a database takes the dates of all plans
        mine = of_whom(every, asked.whose, person)
        counts = counts_of(**views) | mine.aggregate(**{when: Count("pk", filter=sought[when]) for when in sought})
    return List(
        rows_of(user, ids[:PAGE_SIZE], at=at), asked.page, len(ids) > PAGE_SIZE, _tabs(asked, counts),
        _figures(asked, counts), counts["orphaned"],
    )  # fmt: skip


def in_order(found: QuerySet[Any], *, at: datetime) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Return what is overdue, and then all else of it, each by its due date. Each comes sorted from an index."""
    late = is_when("overdue", at=at)
    return found.filter(late).order_by("due_at", "pk"), found.exclude(late).order_by("due_at", "pk")


def _ids(found: QuerySet[Any], first: int, count: int, *, at: datetime) -> list[int]:
    """Return the ids of so many in the order of the list, from a place on. Two queries, past what is overdue three."""
    late, others = (rows.values_list("pk", flat=True) for rows in in_order(found, at=at))
    ids = list(late[first : first + count])
    if len(ids) < count:
        before = first + len(ids) if ids or not first else late.count()
        start = max(0, first - before)
        ids += others[start : start + count - len(ids)]
    return ids


def rows_of(user: Any, ids: list[int], *, at: datetime) -> list[Row]:
    """Return these occurrences as rows, in the order of the ids. Two queries."""
    wanted = Occurrence.objects.visible_to(user).filter(pk__in=ids)
    people = wanted.select_related("plan", "plan__owner", "plan__backup", "plan__team")
    found = {row.pk: row for row in people.prefetch_related("plan__systems")}
    return [_row(found[pk], at=at) for pk in ids if pk in found]


MOST_IN_TABLE = 20_000


def table_of(
    user: Any, asked: Asked, person: Contact | None, *, at: datetime, most: int
) -> Iterator[tuple[object, ...]]:
    """Yield the due list as plain cells, in its order, at most so many rows of it."""
    people = ("plan", "plan__owner", "plan__backup", "plan__manager", "plan__team")
    parts = in_order(narrowed(user, asked, person, at=at), at=at)
    found = (part.select_related(*people).prefetch_related("plan__systems")[:most] for part in parts)
    for row in islice(chain.from_iterable(found), most):
        plan = row.plan
        systems = "; ".join(sorted(system.name for system in plan.systems.all()))
        yield (
            row.reference, plan.task, systems, row.scheduled_on.isoformat(), row.due_at.isoformat(),
            look_of(row, at=at).word, plan.owner, plan.backup, plan.manager, plan.team,
        )  # fmt: skip


def narrowed(user: Any, asked: Asked, person: Contact | None, *, at: datetime) -> QuerySet[Any]:
    """Return the occurrences that a reader may see and asked for, in no order."""
    every = Occurrence.objects.visible_to(user).standing()
    found = of_whom(every, asked.whose, person).filter(is_when(asked.when, at=at))
    if asked.q:
        words = Q(plan__task__icontains=asked.q) | Q(plan__reference__iexact=asked.q)
        found = found.filter(words | Q(plan__systems__name__icontains=asked.q)).distinct()
    return found


def _row(occurrence: Occurrence, *, at: datetime) -> Row:
    plan = occurrence.plan
    late, soon = occurrence.is_overdue(at), occurrence.due_at < at + timedelta(days=7)
    return Row(
        occurrence=occurrence,
        look=look_of(occurrence, at=at),
        systems=", ".join(sorted(system.name for system in plan.systems.all())),
        edge="is-late" if late else "is-warm" if soon or occurrence.state == State.TO_SIGN else "",
        owner_gone=plan.owner is not None and not plan.owner.active,
    )


def _capped(count: int) -> str:
    return f"{count:,}" if count <= CAP else f"{CAP:,}+"


def _tabs(asked: Asked, counts: Mapping[str, int]) -> list[Tab]:
    return [
        Tab(WHOSE_LABELS[whose], asked.address(whose=whose), whose == asked.whose, _capped(counts[f"whose_{whose}"]))
        for whose in WHOSE
    ]


def _figures(asked: Asked, counts: Mapping[str, int]) -> list[Figure]:
    def figure(when: str, label: str, note: str) -> Figure:
        current = asked.when == when
        red = when == "overdue" and counts[when] > 0
        return Figure(label, _capped(counts[when]), note, asked.address(when="" if current else when), current, red)

    return [
        figure("overdue", "Overdue", "past their date and not done"),
        figure("7", "Next 7 days", "due within a week"),
        figure("30", "Next 30 days", "these included"),
        figure("90", "Next 90 days", "whose date is known"),
        figure("unproven", "Not signed off", "a second person has to sign"),
    ]


def plans_without(user: Any) -> tuple[int, int]:
    """Return how many drafts there are, and how many plans are in force."""
    seen = Plan.objects.visible_to(user)
    found = counts_of(drafts=seen.filter(state=PlanState.DRAFT), forced=seen.filter(state=PlanState.IN_FORCE))
    return found["drafts"], found["forced"]


__all__ = ["Asked", "List", "Row", "list_of", "person_of", "plans_without", "rows_of", "usual"]
