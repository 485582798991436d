"""How a storm reaches a person: the first page at once, then at most one message in each interval, holding the rest.

Pages are gathered when they are claimed, and stay rows of their own: what is acknowledged meanwhile is not among them.
Whoever takes a contact method's turn has locked it, so that no two senders ever page over it at once. Pages of drills
leave behind the real ones and never with them, and take no turn of theirs. News, such as what followers are told, are
gathered in the same way, behind pages of either kind: no page ever waits for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db.models import Min, Q, QuerySet

from portal.lib.digests import digest
from portal.notify.models import Message, MessageState, Turn

# What is gathered: pages to a contact method of somebody, or to a channel.
PAGES = Q(urgent=True) & (Q(method__isnull=False) | Q(channel__isnull=False))
NEWS = Q(urgent=False, gathers=True, method__isnull=False)
OTHERS = Q(urgent=False, gathers=False) | Q(method=None, channel=None)
AT_ONCE = 5000  # rows that one statement names

Recipient = tuple[int | None, int | None]
Moments: TypeAlias = dict[datetime, list[int]]
Decide: TypeAlias = "Callable[[Turn, Sequence[Waiting], Decided, datetime], None]"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page that is due, as far as it is read to decide with what it leaves."""

    pk: int
    key: str
    method_id: int | None
    channel_id: int | None
    address: str
    state: str
    bundle: str
    waits_while_quiet: bool
    is_drill: bool = False


@dataclass(slots=True)
class Decided:
    """What leaves now, each list as one delivery under its name, and what waits until when. `most` bounds it.

    `turns`, `of_drills` and `of_news` hold when the next page, page of a drill, or news may leave for which turns.
    """

    most: int
    leaves: list[tuple[str, list[int]]] = field(default_factory=list)
    waits: Moments = field(default_factory=lambda: defaultdict(list))
    turns: Moments = field(default_factory=lambda: defaultdict(list))
    of_drills: Moments = field(default_factory=lambda: defaultdict(list))
    of_news: Moments = field(default_factory=lambda: defaultdict(list))


def take(due: QuerySet[Message], *, at: datetime, most: int) -> list[tuple[str, list[int]]]:
    """Return the pages, and behind them the news, among `due` that leave now: at most so many deliveries.

    Each is a name and the rows in it; a delivery of one row has no name. What is due and whose turn has not come is
    moved to it. Call it in a transaction: the turns stay locked until its end.
    """
    leaving = _take(due.filter(PAGES), _decide, at=at, most=most)
    if len(leaving) < most:
        leaving += _take(due.filter(NEWS), _decide_news, at=at, most=most - len(leaving))
    return leaving


def _take(pages: QuerySet[Message], decide: Decide, *, at: datetime, most: int) -> list[tuple[str, list[int]]]:
    recipients = list(
        pages.values_list("method_id", "channel_id").annotate(first=Min("next_attempt_at")).order_by("first")[:most]
    )
    turns = _lock({(method_id, channel_id) for method_id, channel_id, _ in recipients}, at)
    if not turns:
        return []
    waiting = defaultdict(list)
    for page in _read(pages.filter(_to(turns)).select_for_update(skip_locked=True)):
        waiting[page.method_id, page.channel_id].append(page)
    decided = Decided(most)
    for recipient, rows in waiting.items():
        decide(turns[recipient], rows, decided, at)
    for moment, ids in decided.waits.items():
        for some in parts(ids):
            Message.objects.filter(pk__in=some).update(next_attempt_at=moment)
            Message.objects.filter(pk__in=some, attempts=0).update(due_at=moment)  # one that failed stays late
    columns = {"next_at": decided.turns, "drills_next_at": decided.of_drills, "news_next_at": decided.of_news}
    for column, moments in columns.items():
        for moment, ids in moments.items():
            Turn.objects.filter(pk__in=ids).update(**{column: moment})
    return decided.leaves


def _to(recipients: Collection[Recipient]) -> Q:
    methods = [method for method, _ in recipients if method]
    channels = [channel for _, channel in recipients if channel]
    return Q(method_id__in=methods) | Q(channel_id__in=channels)


def _lock(recipients: set[Recipient], at: datetime) -> dict[Recipient, Turn]:
    """Lock the turns of these recipients, leaving out those that another sender holds just now."""
    if not recipients:
        return {}
    wanted = Turn.objects.filter(_to(recipients))
    standing = set(wanted.values_list("method_id", "channel_id"))
    if missing := recipients - standing:
        new = [Turn(method_id=method, channel_id=channel, next_at=at) for method, channel in sorted(missing, key=str)]
        Turn.objects.bulk_create(new, ignore_conflicts=True)
    rows = wanted.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    return {(turn.method_id, turn.channel_id): turn for turn in rows.select_related("method__contact", "channel")}


def _read(pages: QuerySet[Message]) -> Iterable[Waiting]:
    names = (
        *("pk", "idempotency_key", "method_id", "channel_id", "address", "state", "bundle"),
        *("waits_while_quiet", "is_drill"),
    )
    return (Waiting(*row) for row in pages.order_by("next_attempt_at", "id").values_list(*names))


def _decide(turn: Turn, rows: Sequence[Waiting], decided: Decided, at: datetime) -> None:
    """Decide what of the pages to one recipient leaves now. What a dead sender left behind leaves as it was."""
    abandoned, fresh = _sorted(turn, rows, decided, at)
    span = _span(turn)
    real, drills = [row for row in fresh if not row.is_drill], [row for row in fresh if row.is_drill]
    if not span:
        decided.leaves += [("", [row.pk]) for row in [*real, *drills][: max(1, decided.most - len(decided.leaves))]]
        return
    after = at + span
    leaving = [] if abandoned or turn.next_at > at else _gathered(real, decided)
    next_at = max(turn.next_at, after) if abandoned or leaving else turn.next_at
    if abandoned or leaving:
        decided.turns[next_at].append(turn.pk)
    decided.waits[next_at] += _but(leaving, real)
    drills_at = max(next_at, turn.drills_next_at or next_at)
    leaving = [] if abandoned or drills_at > at else _gathered(drills, decided)
    if leaving:
        drills_at = after
        decided.of_drills[after].append(turn.pk)
    decided.waits[drills_at] += _but(leaving, drills)


def _decide_news(turn: Turn, rows: Sequence[Waiting], decided: Decided, at: datetime) -> None:
    """Decide what of the news to one recipient leaves now: no sooner than an interval after whatever left before."""
    abandoned, fresh = _sorted(turn, rows, decided, at)
    span = _span(turn)
    if not span:
        decided.leaves += [("", [row.pk]) for row in fresh[: max(1, decided.most - len(decided.leaves))]]
        return
    next_at = max(turn.next_at, turn.drills_next_at or turn.next_at, turn.news_next_at or turn.next_at)
    alike = [row for row in fresh if row.is_drill == fresh[0].is_drill]
    leaving = [] if abandoned or next_at > at else _gathered(alike, decided)
    if abandoned or leaving:
        next_at = max(next_at, at + span)
        decided.of_news[next_at].append(turn.pk)
    decided.waits[next_at] += _but(leaving, fresh)


def _span(turn: Turn) -> timedelta:
    """Return the interval of a recipient; zero gathers nothing."""
    owner = turn.method.contact if turn.method else turn.channel
    return timedelta(seconds=owner.bundle_seconds if owner else 0)


def _sorted(
    turn: Turn, rows: Sequence[Waiting], decided: Decided, at: datetime
) -> tuple[dict[str, list[Waiting]], list[Waiting]]:
    """Return what a dead sender left behind, which leaves again, and what is new; quiet hours hold the rest."""
    until = turn.method.contact.quiet_end(at) if turn.method else None
    abandoned: dict[str, list[Waiting]] = defaultdict(list)
    fresh = []
    for row in rows:
        if row.state == MessageState.SENDING:
            abandoned[row.bundle or row.key].append(row)
        elif until is not None and row.waits_while_quiet:
            decided.waits[until].append(row.pk)
        else:
            fresh.append(row)
    decided.leaves += [(same[0].bundle, [row.pk for row in same]) for same in abandoned.values()]
    return abandoned, fresh


def _but(leaving: Sequence[Waiting], rows: Sequence[Waiting]) -> list[int]:
    left = {row.pk for row in leaving}
    return [row.pk for row in rows if row.pk not in left]


def _gathered(rows: Sequence[Waiting], decided: Decided) -> Sequence[Waiting]:
    """Let those of the pages that go where the first one goes leave as one delivery, and return them."""
    leaving = [row for row in rows if row.address == rows[0].address]
    if leaving:
        decided.leaves.append((name_of(leaving), [row.pk for row in leaving]))
    return leaving


def name_of(pages: Sequence[Waiting]) -> str:
    """Return the name of a delivery of several pages: the same pages always have the same one. One page has none."""
    if len(pages) == 1:
        return ""
    return f"bundle:{digest(' '.join(sorted(page.key for page in pages)))}"


def give_back(message: Message, *, at: datetime) -> None:
    """Let the next page, or the next news, to this recipient leave at once: what had its turn did not arrive."""
    if (message.urgent or message.gathers) and (message.method_id or message.channel_id):
        turns = Turn.objects.filter(_to([(message.method_id, message.channel_id)]))
        column = "news_next_at" if message.gathers else "drills_next_at" if message.is_drill else "next_at"
        turns.update(**{column: at})


def parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """Return the ids in parts that one statement can name."""
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
