"""Who works on which incident, for the tests of its pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.directory.enums import EmergencyRole, MethodKind
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import (
    make_contact,
    make_emergency_contact,
    make_method,
    make_shift,
    make_system,
    make_team,
)
from tests.factories.incidents import make_incident


@pytest.fixture
def at():
    """Four minutes ago: the pages read the real clock."""
    return clock.now() - timedelta(minutes=4)


@pytest.fixture
def amara(at):
    """A responder who is in the directory and on call for the team that owns the system."""
    user = make_user("amara", roles=["responder"], first_name="Amara", last_name="Okafor")
    return make_contact("Amara Okafor", user=user)


@pytest.fixture
def mail(amara, at):
    """A system whose team is on call and whose emergency contacts have telephones."""
    team = make_team("mail-team", name="Mail")
    make_shift(team, amara, starts=at - timedelta(days=1), until=at + timedelta(days=7))
    system = make_system("mail-intake", name="Mail Intake", owner=team)
    priya = make_contact("Priya Raman")
    make_method(priya, kind=MethodKind.PHONE, address="+44 7700 900142")
    make_emergency_contact(system, priya, backup=make_contact("Jonas Lindqvist"))
    make_emergency_contact(system, make_contact("Ines Halloran"), role=EmergencyRole.OPERATIONS_LEAD)
    return system


@pytest.fixture
def incident(mail, at):
    return make_incident(title="Inbound mail is not turned into tickets", severity=1, systems=[mail], at=at)


@pytest.fixture
def signed_in(client, amara):
    client.force_login(amara.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def auditor(client):
    client.force_login(make_user("audra", roles=["auditor"]), backend="django.contrib.auth.backends.ModelBackend")
    return client
