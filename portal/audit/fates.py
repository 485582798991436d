"""Whether what was written still stands: until its transaction has ended it may be rolled back."""

from __future__ import annotations

from typing import Any, Self

from django.db import DEFAULT_DB_ALIAS, connections, transaction


class Fate:
    """What becomes of everything that is written within the savepoints that are open when it is made.

    Django tells of a commit, by calling what waits for it. Of a rollback it does not tell: it drops what waited.
    """

    __slots__ = ("stands", "using")

    def __init__(self, using: str) -> None:
        self.using, self.stands = using, False

    @classmethod
    def of_now(cls, using: str | None) -> Self:
        """Return the fate of what is written now, within a transaction; the last one while it serves."""
        alias = using or DEFAULT_DB_ALIAS
        connection = connections[alias]
        if connection.run_on_commit:
            within, last, *_ = connection.run_on_commit[-1]
            if isinstance(last, cls) and within == set(connection.savepoint_ids):
                return last
        fate = cls(alias)
        transaction.on_commit(fate, using=alias)
        return fate

    def __call__(self) -> None:
        """Stand: the transaction was committed."""
        self.stands = True

    def is_open(self) -> bool:
        """Tell whether it still waits for the commit."""
        return not self.stands and any(last is self for _, last, *_ in reversed(connections[self.using].run_on_commit))

    def __deepcopy__(self, _memo: Any) -> Self:
        """Return itself: what was written is the same for a copy of the row."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Come back as what stands: a row that is taken elsewhere is taken as it is."""
        return _standing, (self.using,)


def _standing(using: str) -> Fate:
    fate = Fate(using)
    fate.stands = True
    return fate
