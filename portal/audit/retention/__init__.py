"""Retention: nothing is pruned; a legal hold keeps what it covers; a tombstone removes what a law makes go.

A hold is placed and lifted by a named person with a reason. A tombstone needs two: one asks, another confirms.
Confirming replaces who, why and what changed in the sealed rows and in the history that they tell of, and destroys the
salt of their seals, so that the chain still verifies and nobody can find out by trying what stood there.
"""

from portal.audit.holds import REQUEST_LASTS
from portal.audit.retention.asking import ask, positions_of
from portal.audit.retention.holding import check_covered, lift, place
from portal.audit.retention.removing import confirm, forget
from portal.audit.retention.rules import MOST_ROWS, NotTheOwner, Refused
from portal.audit.retention.values import REMOVED

__all__ = [
    "MOST_ROWS",
    "REMOVED",
    "REQUEST_LASTS",
    "NotTheOwner",
    "Refused",
    "ask",
    "check_covered",
    "confirm",
    "forget",
    "lift",
    "place",
    "positions_of",
]
