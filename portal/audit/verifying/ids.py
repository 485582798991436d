"""Sets of ids that take a bit for each, so that verification needs the same memory for a million rows as for a few."""

from __future__ import annotations

SHIFT = 16
MASK = (1 << SHIFT) - 1


class IdSet:
    """Ids that were met. Ids lie close together: a block of 65,536 takes 8 KiB."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}
        self._count = 0

    def add(self, number: int) -> bool:
        """Keep an id; return whether it was new."""
        block = self._blocks.get(number >> SHIFT)
        if block is None:
            block = self._blocks[number >> SHIFT] = bytearray(1 << (SHIFT - 3))
        place, bit = (number & MASK) >> 3, 1 << (number & 7)
        if block[place] & bit:
            return False
        block[place] |= bit
        self._count += 1
        return True

    def __contains__(self, number: int) -> bool:
        block = self._blocks.get(number >> SHIFT)
        return block is not None and bool(block[(number & MASK) >> 3] & 1 << (number & 7))

    def __len__(self) -> int:
        return self._count
