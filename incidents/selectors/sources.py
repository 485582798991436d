"""The sources of alerts as pages show them: how each stands, what came last, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from incidents.enums import DeliveryResult, IntakeKind, TopicState
from incidents.models import Heartbeat, IntakeDelivery, IntakeSecret, IntakeToken, TopicSubscription

SHOWN_DELIVERIES = 20


@dataclass(frozen=True, slots=True)
class Look:
    """The state of a source: a word, its tone and its icon."""

    word: str
    tone: str
    icon: str


IN_USE = Look("In use", "green", "circle-check")
REVOKED = Look("Revoked", "", "ban")
PAUSED = Look("Paused", "", "pause")
SILENT = Look("Silent", "red", "octagon-alert")
NO_PING = Look("No ping yet", "amber", "hourglass")
TOPIC_WAITS = Look("A topic waits", "amber", "hourglass")
UNUSED = Look("Nothing came yet", "amber", "hourglass")


@dataclass(slots=True)
class Row:
    """One source in a list."""

    token: Any
    look: Look
    heartbeat: Heartbeat | None = None

    @property
    def last_at(self) -> Any:
        """Return when the source was last heard."""
        return self.heartbeat.last_at if self.heartbeat is not None else self.token.last_at


def _tokens(user: Any) -> QuerySet[Any]:
    """Return the addresses with their newest delivery and refusal, and whether a topic waits. One query."""
    mine = IntakeDelivery.objects.visible_to(user).filter(token=OuterRef("pk")).order_by("-id")
    refused = mine.exclude(result=DeliveryResult.ACCEPTED)
    waiting = TopicSubscription.objects.visible_to(user).filter(token=OuterRef("pk"), state=TopicState.WAITING)
    rows = IntakeToken.objects.visible_to(user).select_related("default_severity", "heartbeat")
    return rows.annotate(
        last_at=Subquery(mine.values("received_at")[:1]),
        refused_at=Subquery(refused.values("received_at")[:1]),
        refusal=Subquery(refused.values("sentence")[:1]),
        topic_waits=Exists(waiting),
    )


def sources(user: Any, *, revoked: bool) -> list[Row]:
    """Return the sources in use, or those that are revoked, by name. One query."""
    rows = _tokens(user).filter(revoked_at__isnull=not revoked).order_by("name")
    return [_row(token) for token in rows]


def counts(user: Any) -> dict[str, int]:
    """Return how many sources are in use, and how many are revoked. One query."""
    found = IntakeToken.objects.visible_to(user).aggregate(
        used=Count("pk", filter=Q(revoked_at=None)), revoked=Count("pk", filter=~Q(revoked_at=None))
    )
    return {"used": found["used"], "revoked": found["revoked"]}


def source(user: Any, pk: int) -> Row | None:
    """Return one source, or nothing when the reader may not see it."""
    token = _tokens(user).filter(pk=pk).first()
    return _row(token) if token is not None else None


def _row(token: Any) -> Row:
    beat = getattr(token, "heartbeat", None) if token.kind == IntakeKind.HEARTBEAT else None
    return Row(token, _look(token, beat), beat)


def _look(token: Any, beat: Heartbeat | None) -> Look:
    if token.revoked_at is not None:
        return REVOKED
    if token.paused_at is not None:
        return PAUSED
    if token.kind == IntakeKind.HEARTBEAT:
        if beat is not None and beat.silent_since is not None:
            return SILENT
        return NO_PING if beat is None or beat.last_at is None else IN_USE
    if token.topic_waits:
        return TOPIC_WAITS
    return IN_USE if token.last_at is not None else UNUSED


@dataclass(slots=True)
class Page:
    """Everything that the page of one source shows."""

    row: Row
    deliveries: list[Any] = field(default_factory=list)
    secrets: list[IntakeSecret] = field(default_factory=list)
    topics: list[TopicSubscription] = field(default_factory=list)
    lines: list[Any] = field(default_factory=list)
    words: list[Any] = field(default_factory=list)

    @property
    def secrets_in_use(self) -> int:
        """Return how many secrets are in use."""
        return sum(secret.retired_at is None for secret in self.secrets)


def page_of(user: Any, row: Row) -> Page:
    """Return what the page of a source shows, in a fixed number of queries."""
    token = row.token
    deliveries = IntakeDelivery.objects.visible_to(user).filter(token=token).defer("body").select_related("incident")
    return Page(
        row,
        deliveries=list(deliveries.order_by("-id")[:SHOWN_DELIVERIES]),
        secrets=list(IntakeSecret.objects.visible_to(user).filter(token=token).order_by("-id")[:SHOWN_DELIVERIES]),
        topics=list(TopicSubscription.objects.visible_to(user).filter(token=token)),
        lines=_of(user, token.lines.filter(active=True).order_by("position", "id")),
        words=_of(user, token.status_words.order_by("word")),
    )


def _of(user: Any, rows: Any) -> list[Any]:
    """Return rows that belong to a source which the reader sees."""
    found: Iterable[Any] = rows.visible_to(user)
    return list(found)
