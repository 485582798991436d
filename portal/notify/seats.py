"""How many senders of one machine may serve a lane at once, so that a hung server cannot take every worker.

A seat is a locked file in the data folder: the operating system frees it when its sender dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

SEATS = 2


@contextmanager
def seat(lane: str) -> Iterator[bool]:
    """Hold one of the lane's seats for a while, and tell whether there was a free one."""
    folder = settings.DATA_FOLDER / "lanes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(SEATS):
        place = os.open(folder / f"{lane}.{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(place)
            continue
        try:
            yield True
        finally:
            os.close(place)
        return
    yield False
