"""Asking ahead: the database works on the next questions while Python compares the answers to the last ones.

On one connection, so that all is seen as it stood at one moment, and without a thread: two that compute would only
wait for each other. SQLite computes in this process and is asked when the answer is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Self

from django.db.backends.base.base import BaseDatabaseWrapper

from portal.audit.reading import Answer, fetch, sent


class Ahead:
    """Questions that are sent at once and answered later, in their order. For use in a `with` block."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._pipelined:
            self.connection.ensure_connection()
            self._stack.enter_context(self.connection.connection.pipeline())
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def ask(self, query: str, values: Sequence[Any] = ()) -> Answer:
        """Send a question; return what waits for its answer."""
        return (
            sent(self.connection, query, values) if self._pipelined else lambda: fetch(self.connection, query, values)
        )

    def take_in(self) -> None:
        """Take in what has come, so that the server, whose outgoing space is small, goes on."""
        if self._pipelined:
            self.connection.connection.pgconn.consume_input()

    @property
    def _pipelined(self) -> bool:
        return self.connection.vendor == "postgresql"
