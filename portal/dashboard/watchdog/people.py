"""Alarms of the people: somebody on call whom nothing reaches, a contact sheet that does not leave."""

from __future__ import annotations

from datetime import datetime

from portal.dashboard.watchdog.alarm import Alarm
from portal.directory import readiness
from portal.directory.sheet import delivering as sheet


def _silent(at: datetime) -> Alarm | None:
    """Tell when somebody is on call whom no message reaches, before an incident finds out."""
    found = readiness.silent_on_call(at=at)
    if not found:
        return None
    named = "\n".join(f"- {contact}, on call for {team}" for team, contact in found)
    return Alarm(
        "silent",
        f"{found[0][1]} is on call and cannot be reached"
        if len(found) == 1
        else f"{len(found)} people are on call and cannot be reached",
        f"No verified contact method is left, so a page goes to whoever comes next:\n{named}\n"
        "Put somebody else on call, or have them verify a contact method.",
        "/directory/people/",
    )


def _sheetless(at: datetime) -> Alarm | None:
    """Tell when the contact sheet does not leave the machine: it is wanted when the portal is down."""
    found = sheet.late(at=at)
    if not found:
        return None
    named = "\n".join(f"- {row.get_way_display()}: {row.error or 'not tried yet'}" for row in found)
    return Alarm(
        "sheetless",
        "The contact sheet does not leave this machine",
        f"Whoever needs it while the portal is down finds an old one. It is tried again each hour:\n{named}\n"
        "Check CONTACT_SHEET_FILE, CONTACT_SHEET_MAIL and CONTACT_SHEET_URL (docs/operator.md).",
        "/admin/directory/sheetdelivery/",
    )


CHECKS = (_silent, _sheetless)
