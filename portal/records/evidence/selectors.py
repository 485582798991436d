"""What the pages of evidence show, each with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models import Q
from django.http import Http404, QueryDict
from django.urls import reverse

from portal.audit.seals import Seal
from portal.lib.visibility import VisibleQuerySet, narrowed
from portal.records.evidence.acts import Offer, offers
from portal.records.evidence.enums import Result, State
from portal.records.evidence.looks import SEALED, Look, event_look, result_look, state_look
from portal.records.evidence.models import CustodyEvent, Evidence

PER_PAGE = 25
IN_SECTION = 8
EVENTS_SHOWN = 60
LONGEST_SEARCH = 100
SHOWS = {
    "all": "All",
    "mine": "Held by me",
    "waiting": "Waiting for my receipt",
    "damaged": "Altered or missing",
}
_READ_WITH = ("stored__reading", "holder", "offered_to", "collector")


@dataclass(frozen=True, slots=True)
class Row:
    """One item in a list, and the record that it is evidence of where the reader may see that."""

    item: Evidence
    marks: tuple[Look, ...]
    subject: Any


@dataclass(frozen=True, slots=True)
class Section:
    """The evidence of one record, as its page shows it. `add_url` is empty for whoever may not add."""

    rows: list[Row]
    more: int
    add_url: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked the list for. What an address misspells is left out."""

    show: str = "all"
    words: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Read the address."""
        show, words, page = (query.get(name, "") for name in ("show", "q", "page"))
        return cls(
            show=show if show in SHOWS else "all",
            words=" ".join(words.replace("\x00", "").split())[:LONGEST_SEARCH],
            page=int(page) if page.isascii() and page.isdigit() and len(page) <= 6 else 1,
        )

    def address(self, **changes: str) -> str:
        """Return the address of the list with some filters changed, on its first page."""
        asked = replace(self, **changes)  # type: ignore[arg-type]
        named = {name: value for name, value in (("show", asked.show), ("q", asked.words)) if value not in {"", "all"}}
        return reverse("evidence:list") + (f"?{urlencode(named)}" if named else "")


@dataclass(frozen=True, slots=True)
class Told:
    """One custody event as it is shown. `position` is that of its seal, where it has one."""

    event: CustodyEvent
    look: Look
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """The page of one item."""

    item: Evidence
    marks: tuple[Look, ...]
    reading: Any
    read: Look
    subject: Any
    same: list[Evidence]
    events: list[Told]
    more: bool
    offers: list[Offer]


def item_for(user: Any, reference: str) -> Evidence:
    """Return the item with this reference; Http404 is raised when there is none that the reader may see."""
    rows = Evidence.objects.visible_to(user).select_related(*_READ_WITH)
    found: Evidence | None = rows.filter(reference=reference.upper()).first()
    if found is None:
        raise Http404(f"No evidence {reference} can be seen.")
    return found


def subject_for(user: Any, kind: str, pk: int) -> Any:
    """Return a record that can have evidence, which is one that people know by a reference.

    Http404 is raised when there is none that the reader may see.
    """
    try:
        model = apps.get_model(kind)
    except (LookupError, ValueError):
        model = None
    if model is None or not _can_have_evidence(model):
        raise Http404("Records of this kind have no evidence.")
    found = narrowed(model._default_manager.all(), user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such record.")
    return found


def _can_have_evidence(model: type[models.Model]) -> bool:
    known = {field.name for field in model._meta.concrete_fields}
    narrows = isinstance(model._default_manager.none(), VisibleQuerySet)
    return narrows and model is not Evidence and "reference" in known and hasattr(model, "get_absolute_url")


def section_of(subject: models.Model, user: Any) -> Section:
    """Return the evidence of one record that `user` may see. Two queries."""
    rows = Evidence.objects.visible_to(user).of(subject).select_related(*_READ_WITH)
    found = list(rows[: IN_SECTION + 1])
    may_add = user.has_perm("records.add_evidence")
    return Section(
        [Row(item, marks_of(item), subject) for item in found[:IN_SECTION]],
        more=max(len(found) - IN_SECTION, 0),
        add_url=reverse("evidence:collect", args=[subject._meta.label_lower, subject.pk]) if may_add else "",
    )


def list_of(user: Any, filters: Filters) -> tuple[Page[Any], list[Row]]:
    """Return one page of the items that `user` may see."""
    rows = Evidence.objects.visible_to(user).select_related(*_READ_WITH).order_by("-collected_at", "-pk")
    if filters.show == "mine":
        rows = rows.filter(holder__user_id=user.pk).exclude(state=State.RELEASED)
    elif filters.show == "waiting":
        rows = rows.filter(offered_to__user_id=user.pk)
    elif filters.show == "damaged":
        rows = rows.filter(stored__reading__result__in=[Result.ALTERED, Result.MISSING])
    for word in filters.words.split()[:8]:
        found = Q(original_name__icontains=word) | Q(source__icontains=word) | Q(reference__iexact=word)
        rows = rows.filter(found | Q(description__icontains=word) | Q(stored__digest__istartswith=word))
    page = Paginator(rows, PER_PAGE).get_page(filters.page)
    subjects = _subjects(page.object_list, user)
    of = [(item, subjects.get((item.subject_type_id, item.subject_id))) for item in page.object_list]
    return page, [Row(item, marks_of(item), subject) for item, subject in of]


def _subjects(items: Iterable[Evidence], user: Any) -> dict[tuple[int, int], Any]:
    """Fetch the records of some items, one query for each kind."""
    wanted: dict[int, set[int]] = {}
    for item in items:
        wanted.setdefault(item.subject_type_id, set()).add(item.subject_id)
    found: dict[tuple[int, int], Any] = {}
    for type_id, keys in wanted.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            rows = narrowed(model._default_manager.all(), user).in_bulk(keys)
            found |= {(type_id, pk): row for pk, row in rows.items()}
    return found


def marks_of(item: Evidence) -> tuple[Look, ...]:
    """Return the pills of an item: what is wrong with its file first, its state, its seal."""
    reading = reading_of(item)
    bad = (result_look(reading.result),) if reading is not None and reading.since is not None else ()
    return (*bad, state_look(item.state), *((SEALED,) if item.is_sealed else ()))


def reading_of(item: Evidence) -> Any:
    """Return when its file was read again; nothing when it never was."""
    return getattr(item.stored, "reading", None)


def room_of(item: Evidence, user: Any, *, whole: bool = False) -> Room:
    """Return the page of an item; with `whole`, all events with the positions of their seals, oldest first."""
    events = CustodyEvent.objects.visible_to(user).filter(evidence=item).order_by("-at", "-pk")
    found = list(events if whole else events[: EVENTS_SHOWN + 1])
    shown = found[::-1] if whole else found[:EVENTS_SHOWN]
    positions = _positions(shown) if whole else {}
    others = Evidence.objects.visible_to(user).filter(stored=item.stored_id).exclude(pk=item.pk).order_by("pk")
    reading = reading_of(item)
    return Room(
        item=item,
        marks=marks_of(item),
        reading=reading,
        read=result_look(reading.result if reading is not None else ""),
        subject=_subjects([item], user).get((item.subject_type_id, item.subject_id)),
        same=list(others[:IN_SECTION]),
        events=[Told(event, event_look(event), positions.get(event.pk)) for event in shown],
        more=len(found) > len(shown),
        offers=offers(item, user),
    )


def _positions(events: list[CustodyEvent]) -> dict[int, int]:
    label = CustodyEvent._meta.label_lower
    rows = Seal.objects.filter(source=label, row_id__in=[event.pk for event in events])
    return dict(rows.values_list("row_id", "position"))
