"""Whether the record is whole, as the page of the trail says it, and how many rows each period holds: one query.

The page never claims more than the last full check proved, and counts no further than it can in a short time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from portal.assurance.selectors.trail_filters import PERIODS, Filters
from portal.audit.models import TrailRow
from portal.audit.seals import AnchorDelivery, Seal, SealBatch
from portal.audit.told import AHEAD, Verified, finished_runs, verifications, verified_of
from portal.lib.counting import Counted

CAP = 1000
STALE = timedelta(hours=36)  # the record is checked each night
_RUN = ("rows", "found", "finished_at", "position", "seconds")


@dataclass(frozen=True, slots=True)
class SealCard:
    """What the card says: a pill, a sentence, and the moments that stand beside it."""

    word: str
    tone: str
    icon: str
    headline: str
    checked_at: datetime | None = None
    seconds: int | None = None
    rows: int = 0
    sealed_at: datetime | None = None
    exported_at: datetime | None = None


UNTOLD = (
    "The list of verifications says something else than the trail: somebody wrote it past the portal. Verify the "
    "record anew and tell an auditor."
)
UNSEALED = SealCard(
    "Not sealed yet", "amber", "shield-alert", "No row has its seal yet. The worker seals soon after writing."
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The card, and how many rows each period holds: in words, "1,000+" where counting stopped."""

    seal: SealCard = UNSEALED
    counts: dict[str, str] = field(default_factory=dict)


def figures_of(seen: QuerySet[TrailRow], filters: Filters, *, whole: bool, now: datetime) -> Figures:
    """Return how the chain stands, and the counts where nothing is asked for but a period. One query.

    `whole` says that the reader's scope leaves out no row.
    """
    left = AnchorDelivery.objects.filter(delivered_at__isnull=False).order_by("-delivered_at")
    told: dict[str, Any] = {f"run_{name}": Subquery(finished_runs().values(name)[:1]) for name in _RUN}
    told |= {f"told_{name}": Subquery(verifications().values(name)[:1]) for name in ("at", "changes")}
    told["exported_at"] = Subquery(left.values("delivered_at")[:1])
    counted = _counted(seen, filters, now) if whole else {}
    batch = (
        SealBatch.objects.order_by("-id")
        .annotate(**told, **counted)
        .values("last", "sealed_at", *told, *counted)
        .first()
    )
    if batch is None:
        return Figures()
    counts = {name: f"{CAP:,}+" if batch[name] > CAP else f"{batch[name]:,}" for name in counted}
    return Figures(_card(batch, now), {name.removeprefix("count_"): count for name, count in counts.items()})


def _counted(seen: QuerySet[TrailRow], filters: Filters, now: datetime) -> dict[str, Counted]:
    """Return the counts of the periods: of everything, and of all rows.

    Where anything else is asked for, or the reader sees a part of the trail, counting has no limit of time.
    """
    if replace(filters, period="", before=None, after=None, last=False).narrowed:
        return {}
    found = {}
    for key in PERIODS:
        starts, _ = Filters(period=key).bounds(now)
        some = seen.filter(at__gte=starts).order_by("-at", "-id").values("pk")[: CAP + 1]
        found[f"count_{key}"] = Counted(some)
    return found


def _card(batch: dict[str, Any], at: datetime) -> SealCard:
    telling = {name: batch[f"told_{name}"] for name in ("at", "changes")}
    run = {name: batch[f"run_{name}"] for name in _RUN}
    found = verified_of(telling if telling["at"] else None, run if run["finished_at"] else None)
    word, tone, icon, headline = _verdict(found, at)
    return SealCard(
        word,
        tone,
        icon,
        headline,
        checked_at=found.at if found is not None and found.at <= at else None,
        seconds=batch["run_seconds"],
        rows=batch["last"],
        sealed_at=batch["sealed_at"],
        exported_at=batch["exported_at"],
    )


def _verdict(run: Verified | None, at: datetime) -> tuple[str, str, str, str]:
    if run is None:
        return "Never verified", "amber", "shield-alert", "The chain of seals has not been checked as a whole yet."
    rows, found = run.rows, run.found
    if not run.agrees or run.at > at + AHEAD:
        return "Not believed", "red", "shield-x", UNTOLD
    span = f"Positions 1 to {rows:,}"
    if found:
        many = "1 finding" if found == 1 else f"{found:,} findings"
        return "Not whole", "red", "shield-x", f"{span}: {many}. The record was altered, or its seals were."
    if at - run.at > STALE:
        return "Check is old", "amber", "shield-alert", f"{span}: none missing, none altered, when last checked."
    return "Chain verified", "green", "shield-check", f"{span}: none missing, none altered."


def sealed_at(row: TrailRow) -> datetime | None:
    """Return when a row was sealed; nothing while it waits for its seal. One query."""
    batches = SealBatch.objects.filter(last__gte=OuterRef("position")).order_by("last").values("sealed_at")[:1]
    seals = Seal.objects.filter(source=TrailRow._meta.label_lower, row_id=row.pk)
    found: datetime | None = seals.annotate(when=Subquery(batches)).values_list("when", flat=True).first()
    return found
