"""What every channel is: something that takes a parcel, or says whether trying again makes sense."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery, ready for the wire: plain values, no row. The same `key` means the same message."""

    key: str
    address: str
    title: str
    text: str
    html: str = ""
    thread: str = ""
    urgent: bool = False


class DeliveryError(Exception):
    """A delivery failed; the text is a sentence without secrets.

    `permanent`: trying again cannot help. `everywhere`: the server failed, not this message, so that what else the
    batch has for this server would fail as well.
    """

    def __init__(self, sentence: str, *, permanent: bool = False, everywhere: bool = False) -> None:
        super().__init__(sentence)
        self.permanent = permanent
        self.everywhere = everywhere


class Channel(Protocol):
    """One way out. An instance serves one batch, and may keep a connection for it."""

    def send(self, parcel: Parcel) -> None:
        """Deliver the parcel, or raise DeliveryError. It knows no database: it runs in a thread of its own."""

    def close(self) -> None:
        """Let go of the connection, if there is one; never raises."""


def within(seconds: float, call: Callable[[], None]) -> None:
    """Run `call`, and give up after `seconds` in all: a server that drips bytes outlasts every socket timeout.

    TimeoutError is raised then. The thread is left behind; its socket's own timeout ends it.
    """
    answers: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            call()
        except BaseException as problem:  # noqa: BLE001 - handed over to the caller
            answers.put(problem)
        else:
            answers.put(None)

    threading.Thread(target=run, name="delivery", daemon=True).start()
    try:
        problem = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if problem is not None:
        raise problem
