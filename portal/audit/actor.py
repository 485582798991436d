"""Who acts, why, and as part of which gesture: the context in which every audited row is written."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, cast, runtime_checkable

from django.utils.functional import SimpleLazyObject


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a part of the system, as the record names it for good.

    `user_id` is the account, `contact_id` the entry in the directory; both stay empty for the system itself.
    """

    name: str
    user_id: int | None = None
    contact_id: int | None = None


@runtime_checkable
class CanAct(Protocol):
    """Anything that knows its own actor: a user or a contact."""

    def as_actor(self) -> Actor:
        """Return the actor to be written into the record."""
        ...


By = CanAct | Actor | str


def actor_of(by: By) -> Actor:
    """Return the actor behind a user, a contact, an actor or a system name such as ``"system: escalation"``."""
    if isinstance(by, Actor):
        return by
    if isinstance(by, str):
        return Actor(name=by)
    return by.as_actor()


@dataclass(frozen=True, slots=True)
class Acting:
    """The open context: actor, reason, moment, origin, address and the gesture that binds the rows of one act."""

    actor: Actor
    reason: str = ""
    at: datetime | None = None
    origin: str = ""
    address: str = ""
    gesture: uuid.UUID = field(default_factory=uuid.uuid4)


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def current() -> Acting | None:
    """Return the open context, or nothing when nobody named an actor."""
    return _acting.get()


@contextmanager
def acting(
    *,
    by: By | Callable[[], By] | None = None,
    reason: str = "",
    at: datetime | None = None,
    origin: str = "",
    address: str = "",
    anew: bool = False,
    alone: bool = False,
    once: uuid.UUID | None = None,
) -> Iterator[Acting]:
    """Name the actor of everything written inside.

    An inner context keeps the gesture of the outer one, and whatever it does not name itself; with `anew` it is a
    gesture of its own, for a loop that does one thing after another. With `alone` it takes nothing from outside: a
    request or a task never inherits somebody else's reason. `once` is the one-time key of a form, of which the gesture
    is made, as `gesture_of` says. `at` is the moment of the act as the edge read it. A callable `by` is asked when the
    actor is first needed. Without an outer context, `by` must be given; otherwise ValueError is raised.
    """
    outer = None if alone else _acting.get()
    if outer is None:
        if by is None:
            raise ValueError("Name who acts: acting(by=...) has no outer context to take it from.")
        inner = Acting(_named(by), reason, at, origin, address)
    else:
        inner = replace(
            outer,
            actor=_named(by) if by is not None else outer.actor,
            reason=reason or outer.reason,
            at=at or outer.at,
            origin=origin or outer.origin,
            address=address or outer.address,
            gesture=uuid.uuid4() if anew else outer.gesture,
        )
    if once is not None:
        inner = replace(inner, gesture=gesture_of(once, inner.actor))
    token = _acting.set(inner)
    try:
        yield inner
    finally:
        _acting.reset(token)


def gesture_of(once: uuid.UUID, by: By) -> uuid.UUID:
    """Return the gesture of what a form with this one-time key does, when `by` sends it.

    The key comes from outside; who acts does not. So nobody can put their act under the gesture of somebody else.
    """
    actor = actor_of(by)
    return uuid.uuid5(once, f"{actor.user_id}:{actor.contact_id}:{actor.name}")


@contextmanager
def apart() -> Iterator[None]:
    """Leave the open context: whatever is done inside names its own actor, as if it came in by an edge."""
    token = _acting.set(None)
    try:
        yield
    finally:
        _acting.reset(token)


def _named(by: By | Callable[[], By]) -> Actor:
    """Return the actor, or one that is found out when it is first needed."""
    if callable(by):
        return cast(Actor, SimpleLazyObject(lambda: actor_of(by())))
    return actor_of(by)
