"""Messages for tests, and channels that keep what they are given instead of sending it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.contenttypes.models import ContentType

from portal.notify import services
from portal.notify.channels import DeliveryError, Parcel
from portal.notify.compose import About, Draft
from portal.notify.models import Message
from tests.factories.directory import NOON

_numbers = count(1)


def draft(**fields: Any) -> Draft:
    """A draft of a mail to nobody in particular; `about` may be a model instance, which `is_drill` makes a drill."""
    about, is_drill = fields.pop("about", None), fields.pop("is_drill", False)
    if about is not None and not isinstance(about, About):
        about = About(ContentType.objects.get_for_model(about).pk, about.pk, str(about)[:40], is_drill)
    fields.setdefault("key", f"test:{next(_numbers)}:0")
    fields.setdefault("lane", "email")
    fields.setdefault("address", "ada@example.org")
    return Draft(
        kind=fields.pop("kind", "test"),
        title=fields.pop("title", "Disk full"),
        body=fields.pop("body", "The disk is full."),
        about=about,
        **fields,
    )


def make_message(*, at: datetime = NOON, **fields: Any) -> Message:
    """A queued message, due at NOON."""
    made = draft(**fields)
    services.queue([made], at=at)
    return Message.objects.get(idempotency_key=made.key)


class Clock:
    """A clock for senders that is moved by hand."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return the moment it stands at."""
        return self.at

    def forward(self, **span: float) -> datetime:
        """Move it on, for example ``forward(minutes=5)``."""
        self.at += timedelta(**span)
        return self.at


class FakeChannel:
    """Keeps parcels.

    `fail` is an error to raise, `fail_for` one for each address, `then` something to do while it sends.
    """

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.fail: DeliveryError | None = None
        self.fail_for: dict[str, DeliveryError] = {}
        self.then: Callable[[], object] | None = None
        self.closed = 0

    def __call__(self) -> FakeChannel:
        """Be the channel of every batch."""
        return self

    def send(self, parcel: Parcel) -> None:
        """Keep the parcel, or fail."""
        problem = self.fail or self.fail_for.get(parcel.address)
        if problem is not None:
            raise problem
        self.parcels.append(parcel)

    def close(self) -> None:
        """Count the batches."""
        self.closed += 1
