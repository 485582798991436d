"""Watches the engine itself: deadlines that nobody fired, messages that do not leave, demands that nobody answered.

Administrators are told in the portal and on every verified way to reach them, because one way may be what is broken.
An alarm that goes on is repeated once an hour, not with every look. The heartbeat outside is pinged while nothing is
overdue.
"""

from portal.dashboard.watchdog.alarm import Alarm
from portal.dashboard.watchdog.engine import MOST_UNMADE
from portal.dashboard.watchdog.telling import alarms, watch

__all__ = ["MOST_UNMADE", "Alarm", "alarms", "watch"]
