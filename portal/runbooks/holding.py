"""What holds back shutting a system down: whoever registers here is asked before a shutdown procedure is shown.

Runbooks know no incidents. The part that does says which systems must stay up, so that evidence is not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

# Which of these systems must not be shut down now, by their keys. What holds them is not told: it may be restricted.
Holding: TypeAlias = Callable[[frozenset[int]], Iterable[int]]

HELD = "Do not shut this system down: that destroys evidence. The security lead holds the procedure back; call them."

_parts: list[Holding] = []


def register(part: Holding) -> None:
    """Let a part hold systems; a second time changes nothing."""
    if part not in _parts:
        _parts.append(part)


def held(system_ids: Iterable[int]) -> frozenset[int]:
    """Return which of these systems must not be shut down now. One query for each part that holds."""
    asked = frozenset(system_ids)
    return frozenset(pk for part in _parts for pk in part(asked)) if asked else frozenset()
