"""Who asks for, decides on and carries out changes, for the tests of their pages. The pages read the real clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.lib import clock
from tests.factories.accounts import confirm
from tests.factories.approvals import make_person
from tests.factories.changes import deciders
from tests.factories.directory import make_system

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def at():
    """Now: what the factories do happens at this moment, tomorrow is a day after it."""
    return clock.now()


@pytest.fixture
def slot(at):
    """A window tomorrow, for an hour."""
    return {"planned_start": at + timedelta(days=1), "planned_end": at + timedelta(days=1, hours=1)}


@pytest.fixture
def database():
    return make_system("ticket-db", name="Ticket database", rto=60)


@pytest.fixture
def jonas():
    """He requests."""
    return make_person("Jonas Lindqvist", "responder")


@pytest.fixture
def amara():
    """She carries out."""
    return make_person("Amara Okafor", "responder")


@pytest.fixture
def ruth():
    """She is of the change authority."""
    deciders()
    return make_person("Ruth Bergqvist", "change-approver")


@pytest.fixture
def as_user(client):
    """`as_user(user)`: a client that this user has signed in with, and confirmed lately."""

    def as_user(user, *, confirmed=True):
        client.force_login(user, backend=BACKEND)
        if confirmed:
            confirm(client)
        return client

    return as_user
