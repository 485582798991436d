"""How records of domains that do not know one another meet: by reference, by what went on near by, by a link.

A link is told in the timelines of both its records, and so is taking it back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q

from portal.audit.actor import By, acting
from portal.directory.models import System
from portal.lib.visibility import is_restricted, narrowed
from portal.records import services as records
from portal.records.models import Link, Period

MOST_NEAR = 20
SUSPECT = "suspect"
"""The kind of link from a change to what it may have brought about."""

_REFERENCE = re.compile(r"[A-Z]{2,8}-[0-9]{1,12}")

WENT_WRONG = ("fixes", "caused", SUSPECT)
"""What a change can have to do with something that went wrong."""
CARRIES_OUT = "carries_out"
"""The kind of link from a change to planned work that it does, such as an occurrence of maintenance."""

_models: dict[str, type[models.Model]] = {}
_takes: dict[type[models.Model], tuple[str, ...]] = {}


def register(prefix: str, model: type[models.Model], *, takes: Iterable[str] = WENT_WRONG) -> None:
    """Let references with this prefix, such as INC, lead to rows of a model that has a `reference`.

    `takes` are the kinds of link with which a change may be linked to such a row.
    """
    _models[prefix] = model
    _takes[model] = tuple(takes)


def takes(record: models.Model) -> tuple[str, ...]:
    """Return the kinds of link that a change may have to a record."""
    return _takes.get(type(record), ())


def by_reference(reference: str, *, user: Any) -> models.Model | None:
    """Return the record with this reference; nothing when there is none that `user` may see. One query."""
    wanted = reference.strip().upper()
    model = _models.get(wanted.partition("-")[0]) if _REFERENCE.fullmatch(wanted) else None
    if model is None:
        return None
    found: models.Model | None = narrowed(model._default_manager.all(), user).filter(reference=wanted).first()
    return found


@dataclass(frozen=True, slots=True)
class Near:
    """A record near by: what went on, from when to when, on which of the systems that were asked about."""

    record: Any
    kind: str
    starts: datetime
    ends: datetime | None
    systems: tuple[str, ...]
    linked: bool


def near(
    systems: Collection[System],
    *,
    kind: str,
    since: datetime,
    until: datetime,
    user: Any,
    linked: Iterable[models.Model] = (),
) -> list[Near]:
    """Return the records of a kind that had to do with these systems in that time, newest first, twenty at most.

    Those that `user` may not see are left out. `linked` are records that are marked as linked already. Two queries, and
    one for each kind of record.
    """
    rows = Period.objects.filter(Q(ends=None) | Q(ends__gte=since), system__in=systems, kind=kind, starts__lte=until)
    found: dict[tuple[int, int], list[Period]] = {}
    for row in rows.select_related("system").order_by("-starts", "-pk")[: MOST_NEAR * 5]:
        found.setdefault((row.record_type_id, row.record_id), []).append(row)
    ends = list(found)[:MOST_NEAR]
    seen = records.records_of(set(ends), user)
    marked = {(type(one), one.pk) for one in linked}
    return [_near(seen[end], found[end], marked) for end in ends if end in seen]


def _near(record: Any, periods: list[Period], marked: set[tuple[type, int]]) -> Near:
    names = tuple(dict.fromkeys(period.system.name for period in periods))
    lasting = [period.ends for period in periods]
    ends = None if None in lasting else max(end for end in lasting if end is not None)
    starts = min(period.starts for period in periods)
    return Near(record, periods[0].kind, starts, ends, names, (type(record), record.pk) in marked)


@transaction.atomic
def link(a: models.Model, b: models.Model, *, kind: str, words: str, by: By, at: datetime, reason: str = "") -> None:
    """Link `a` to `b` and tell it in both timelines. `words` say it from the side of `a`: "fixes".

    ValueError is raised when they are linked so already, and for a record with itself.
    """
    if (type(a), a.pk) == (type(b), b.pk):
        raise ValueError("A record has nothing to say of itself. Name another one.")
    if _links(a, b, kind).exists():
        raise ValueError(f"That is said already: {_name(a)} {words} {_name(b)}.")
    records.link(a, b, kind=kind, by=by, at=at)
    records.write_note(a, kind="link", text=f"said that it {words} {_name(b)}", by=by, at=at, reason=reason)
    records.write_note(b, kind="link", text=f"said that {_name(a)} {words} it", by=by, at=at, reason=reason)


@transaction.atomic
def unlink(a: models.Model, b: models.Model, *, kind: str, by: By, at: datetime, reason: str) -> None:
    """Take a link back, and tell it in both timelines and in the trail. ValueError is raised when there is none."""
    with acting(by=by, at=at, reason=reason):
        count, _ = _links(a, b, kind).delete()
    if not count:
        raise ValueError("They are not linked so.")
    for here, there in ((a, b), (b, a)):
        text = f"took back its link with {_name(there)}"
        records.write_note(here, kind="link", text=text, by=by, at=at, reason=reason)


def _links(a: models.Model, b: models.Model, kind: str) -> Any:
    from_type, to_type = ContentType.objects.get_for_model(a), ContentType.objects.get_for_model(b)
    return Link.objects.filter(kind=kind, from_type=from_type, from_id=a.pk, to_type=to_type, to_id=b.pk)


def _name(record: models.Model) -> str:
    """Return how one record is named on the page of another: a restricted one is not."""
    if is_restricted(type(record), record.pk):
        return "a restricted record"
    return str(getattr(record, "reference", "") or record)
