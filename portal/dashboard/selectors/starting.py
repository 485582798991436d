"""The first steps of an empty installation, as far as the reader may take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from incidents.models import Incident, IntakeToken
from portal.dashboard.selectors.upcoming import Duty
from portal.directory.models import Contact, System

TEST_INCIDENT = "?severity=4&title=Test%20of%20the%20portal"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do first. Without `url` somebody else does it; what is `done` stays in view with a tick."""

    title: str
    text: str
    verb: str
    url: str
    done: bool = False


def first_steps(user: Any, contact: Contact | None, duties: list[Duty]) -> list[Step]:
    """Return the first steps while there is no system or no incident, else none; none to whoever may take none.

    Two queries once the portal is in use.
    """
    systems = System.objects.visible_to(user).filter(active=True).exists()
    incidents = Incident.objects.visible_to(user).exists()
    if systems and incidents:
        return []
    steps = [
        _entry(user, contact),
        _system(user, done=systems),
        _on_call(user, duties),
        _intake(user),
        _test(user, done=incidents),
    ]
    return steps if any(step.url for step in steps) else []


def _link(user: Any, permission: str, name: str, *args: str) -> str:
    may = user.has_perm(permission) and (user.is_staff or not name.startswith("admin:"))
    return reverse(name, args=args) if may else ""


def _entry(user: Any, contact: Contact | None) -> Step:
    url = _link(user, "directory.add_contact", "admin:directory_contact_add")
    text = "Pages go to people of the directory. "
    text += "Choose your account as the user of your entry." if url else "Ask an administrator to add your entry."
    return Step("Add yourself to the directory", text, "Add my entry", url, done=contact is not None)


def _system(user: Any, *, done: bool) -> Step:
    text = "What the company runs, with the team that owns it. Incidents are declared on systems."
    url = _link(user, "directory.add_system", "admin:directory_system_add")
    return Step("Add a system", text, "Add a system", url, done=done)


def _on_call(user: Any, duties: list[Duty]) -> Step:
    """Lead to the first team that nobody stands on call for, or to a first team."""
    open_team = next((duty.team for duty in duties if duty.contact is None), None)
    done = any(duty.contact for duty in duties)
    title, text = "Put somebody on call", "A page for a team goes to whoever is on call for it."
    if open_team is None and not done:
        url = _link(user, "directory.add_team", "admin:directory_team_add")
        return Step(title, f"{text} Add the team first.", "Add a team", url)
    slug = open_team.slug if open_team else ""
    url = _link(user, "directory.add_oncallshift", "directory:put-on-call", slug) if slug else ""
    return Step(title, text, "Put on call", url, done=done)


def _intake(user: Any) -> Step:
    done = IntakeToken.objects.visible_to(user).filter(revoked_at=None).exists()
    url = _link(user, "incidents.add_intaketoken", "admin:incidents_intaketoken_add")
    text = "A secret address that your monitoring posts its alerts to."
    return Step("Make an intake address", text, "Make an address", url, done=done)


def _test(user: Any, *, done: bool) -> Step:
    url = _link(user, "incidents.add_incident", "incidents:declare")
    text = "See its clocks run and who is paged, then cancel it."
    return Step("Declare a test incident", text, "Declare a test", f"{url}{TEST_INCIDENT}" if url else "", done=done)
