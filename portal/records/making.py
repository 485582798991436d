"""Making a record from a form once, however often and however fast the form is sent."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import transaction

from portal.accounts.models import User
from portal.audit.actor import acting
from portal.records.models import Note


@contextmanager
def making(user: User, *, once: uuid.UUID, kinds: Collection[str]) -> Iterator[int | None]:
    """Open the gesture of a form that makes a record, and yield the key of what it has made already, if anything.

    `kinds` are those of the line with which such a record begins. Whoever sends the form is locked: of two submits at
    the same moment the second waits, and finds what the first has made.
    """
    with transaction.atomic(), acting(by=user, once=once) as context:
        User.objects.select_for_update(of=("self",), no_key=True).values_list("pk").get(pk=user.pk)
        lines = Note.objects.filter(gesture=context.gesture, kind__in=kinds).order_by("pk")
        yield lines.values_list("subject_id", flat=True).first()
