"""Which part of the chain a packet tells: from a signed head before its period to one after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Max, Min, OuterRef, QuerySet

from portal.accounts.models import User
from portal.assurance.exporting.policy import Refused, TryLater
from portal.assurance.packets.asking import Asked
from portal.assurance.packets.chain import TRAIL
from portal.audit import anchors, sealing
from portal.audit.canonical import BEGINNING
from portal.audit.seals import Anchor, Seal
from portal.audit.tables import TrailRow

MOST_POSITIONS = 3_000_000
EMPTY = "Nothing that you may see was recorded in this period. Choose another one."
TOO_LONG = "Between the anchors around this period stand {count:,} rows. Choose a shorter period."
SEALING = "The newest rows are still being sealed."


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the chain between two anchors; without an anchor before, it is the chain from its beginning."""

    before: Anchor | None
    after: Anchor

    @property
    def first(self) -> int:
        """Return the first position of the part."""
        return (self.before.position if self.before is not None else 0) + 1

    @property
    def last(self) -> int:
        """Return its last position."""
        return self.after.position

    def anchors(self) -> list[tuple[str, Anchor]]:
        """Return the anchors that there are, each with the name of its end."""
        return [*([("before", self.before)] if self.before is not None else []), ("after", self.after)]

    def ends(self) -> dict[str, dict[str, object]]:
        """Return positions and digests at both ends, before the first and at the last position."""
        before = self.before
        begin = {"position": before.position, "digest": before.head} if before else {"position": 0}
        return {
            "before": {"digest": BEGINNING.hex(), **begin},
            "after": {"position": self.after.position, "digest": self.after.head},
        }


def population(user: User, asked: Asked) -> QuerySet[TrailRow]:
    """Return the rows of the trail that a packet is about."""
    found: QuerySet[TrailRow] = TrailRow.objects.visible_to(user).filter(at__gte=asked.starts, at__lt=asked.ends)
    return (found.filter(privileged=True) if asked.privileged else found).order_by()


def span(user: User, asked: Asked, *, at: datetime) -> Span:
    """Return the part of the chain that proves the population, sealed and anchored as far as it must be.

    The anchor before was signed before the period began, where there is one: no row of the period can stand before it.
    Refused is raised when there is nothing, or too much; TryLater while another sealer is at work.
    """
    rows = population(user, asked)
    if not rows.exists():
        raise Refused(EMPTY)
    while sealing.seal(at=at):
        continue
    if rows.filter(~Exists(Seal.objects.filter(source=TRAIL, row_id=OuterRef("pk")))).exists():
        raise TryLater(SEALING)
    sealed = Seal.objects.filter(source=TRAIL, row_id__in=rows.values("pk"))
    ends = sealed.aggregate(first=Min("position"), last=Max("position"))
    before = Anchor.objects.filter(signed_at__lte=asked.starts, position__lt=ends["first"])
    found = Span(before.order_by("position", "pk").last(), _after(asked, ends["last"], at))
    if (count := found.last - found.first + 1) > MOST_POSITIONS:
        raise Refused(TOO_LONG.format(count=count))
    return found


def _after(asked: Asked, last: int, at: datetime) -> Anchor:
    """Return the first anchor behind the population that was signed after the period; a new one where there is none."""
    standing = Anchor.objects.filter(position__gte=last, signed_at__gte=asked.ends).order_by("position", "pk").first()
    return standing if standing is not None else anchors.anchor(at=at)
