"""The sample of a packet: drawn so that anybody can draw it again with nothing but SHA-256.

The rank of number n is the SHA-256 of the text "SEED:n". The sample are the numbers with the smallest ranks. Whoever
chooses the seed after the population stands, such as the auditor, knows that nobody could arrange the sample.
"""

from __future__ import annotations

import hashlib
import heapq
from typing import Generic, TypeVar

ALGORITHM = "sha256-rank-1"
WORDS = 'the numbers n with the smallest SHA-256 of the text "SEED:n", n counted from 1'
T = TypeVar("T")


def rank(seed: str, number: int) -> str:
    """Return the rank of a number in hexadecimal."""
    return hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()


class Sample(Generic[T]):
    """Draws while the population goes by: what is handed in is kept for the sampled numbers alone."""

    def __init__(self, seed: str, size: int) -> None:
        self._seed, self._size = seed, size
        self._kept: list[tuple[int, int, T]] = []  # the largest rank first

    def offer(self, number: int, thing: T) -> None:
        """Take the number into the sample while its rank is among the smallest."""
        place = -int(rank(self._seed, number), 16)
        if len(self._kept) < self._size:
            heapq.heappush(self._kept, (place, number, thing))
        elif self._size and place > self._kept[0][0]:
            heapq.heapreplace(self._kept, (place, number, thing))

    def drawn(self) -> dict[int, T]:
        """Return what was drawn, by number, in their order."""
        return {number: thing for _, number, thing in sorted(self._kept, key=lambda kept: kept[1])}
