"""Who reads what a demand says before a record is made of it: the owner of its topic decides.

Once there is a record, the demand hides with it (portal.lib.visibility).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.records.models import Demand

Reads = Callable[[dict[str, Any], Any], bool]

_of_topic: dict[str, Reads] = {}


def register(topic: str, reads: Reads) -> None:
    """Let `reads(payload, user)` decide who reads demands of this topic. Without it everybody who sees demands does."""
    _of_topic[topic] = reads


def may_read(demand: Demand, user: Any) -> bool:
    """Tell whether a reader may see what a demand says."""
    reads = _of_topic.get(demand.topic)
    return demand.made_id is not None or reads is None or reads(demand.payload, user)
