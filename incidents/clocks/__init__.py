"""The clocks of an incident: how they run (`timing`), change (`changing`), and explain themselves (`faces`)."""

from incidents.clocks.changing import end_pause, pause, recompute, restart, resume, skip
from incidents.clocks.faces import ClockFace, asks_for, clock_cards, explain, local, next_clock
from incidents.clocks.timing import (
    CLOCK,
    WARNING,
    base,
    cancel,
    current,
    meet,
    of,
    of_many,
    owed,
    rules_of,
    running,
    start_all,
    start_next_update,
    stop,
)

__all__ = [
    "CLOCK",
    "WARNING",
    "ClockFace",
    "asks_for",
    "base",
    "cancel",
    "clock_cards",
    "current",
    "end_pause",
    "explain",
    "local",
    "meet",
    "next_clock",
    "of",
    "of_many",
    "owed",
    "pause",
    "recompute",
    "restart",
    "resume",
    "rules_of",
    "running",
    "skip",
    "start_all",
    "start_next_update",
    "stop",
]
