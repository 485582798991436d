"""Teams, people and how to reach them, systems and who answers for them, working calendars, severity levels."""

from portal.directory.models.calendars import Calendar, CalendarDay
from portal.directory.models.people import Channel, Contact, ContactMethod, OnCallShift, Team
from portal.directory.models.recovery import RecoveryProof, RecoveryStanding
from portal.directory.models.rules import NotificationRule
from portal.directory.models.schedules import CalendarFeed, Layer, LayerMember, Schedule, Swap
from portal.directory.models.severities import Severity, SeverityClock
from portal.directory.models.sheets import SheetDelivery
from portal.directory.models.systems import Dependency, EmergencyContact, RecoveryObjective, System

__all__ = [
    "Calendar",
    "CalendarDay",
    "CalendarFeed",
    "Channel",
    "Contact",
    "ContactMethod",
    "Dependency",
    "EmergencyContact",
    "Layer",
    "LayerMember",
    "NotificationRule",
    "OnCallShift",
    "RecoveryObjective",
    "RecoveryProof",
    "RecoveryStanding",
    "Schedule",
    "Severity",
    "SeverityClock",
    "SheetDelivery",
    "Swap",
    "System",
    "Team",
]
