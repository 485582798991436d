"""What an alarm is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

ALARM_AGAIN = timedelta(hours=1)
NAMED = 3
KIND = "watchdog."


@dataclass(frozen=True)
class Alarm:
    """Something of the engine that needs an administrator. `kind` is the same for as long as it goes on."""

    kind: str
    title: str
    body: str
    url_path: str = "/"
