"""What is asked once for each page that is read, and forgotten with its answer.

Only while a page is read: a request that may change something, a service, a task and a command ask each time, so that
no answer outlives what it was asked of.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponseBase

Answer = TypeVar("Answer")
READING = frozenset({"GET", "HEAD"})

_memory: ContextVar[dict[Hashable, Any] | None] = ContextVar("memory", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Keep what is asked within; inside another one, that one keeps it."""
    if _memory.get() is not None:
        yield
        return
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def remembered(key: Hashable, ask: Callable[[], Answer]) -> Answer:
    """Return what was answered for this key before, or ask: each time where nothing is kept."""
    memory = _memory.get()
    if memory is None:
        return ask()
    if key not in memory:
        memory[key] = ask()
    found: Answer = memory[key]
    return found


class RememberingMiddleware:
    """Keeps answers for the length of a request that only reads. What streams after it asks anew."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        if request.method not in READING:
            return self.get_response(request)
        with remembering():
            return self.get_response(request)
