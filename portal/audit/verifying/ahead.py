"""Reading ahead: while one batch is worked on, the next is fetched."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")
READY = 2


def ahead(items: Iterator[T], *, threaded: bool) -> Iterator[T]:
    """Yield the items of an iterator that a thread runs ahead by two. An exception of the iterator is raised here.

    The thread alone may use what the iterator uses, such as a database connection, until the last item has come.
    """
    if not threaded:
        yield from items
        return
    ready: queue.Queue[T | BaseException | None] = queue.Queue(READY)
    given_up = threading.Event()

    def run() -> None:
        last: BaseException | None = None
        try:
            for item in items:
                ready.put(item)
                if given_up.is_set():
                    return
        except BaseException as problem:  # noqa: BLE001 - it is raised where the items are wanted
            last = problem
        ready.put(last)

    thread = threading.Thread(target=run, name="ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        given_up.set()
        while thread.is_alive():
            try:
                ready.get(timeout=0.05)
            except queue.Empty:
                thread.join(timeout=0.05)
