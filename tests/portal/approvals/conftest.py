"""The people of most tests, and a browser of theirs."""

import pytest
from django.test import Client

from tests.factories.accounts import confirm
from tests.factories.approvals import make_objective, make_person


@pytest.fixture
def hannah():
    return make_person("Hannah Whitcombe", "manager")


@pytest.fixture
def arjun():
    return make_person("Arjun Mehta", "change-approver")


@pytest.fixture
def kwame():
    return make_person("Kwame Mensah", "administrator")


@pytest.fixture
def objective():
    return make_objective()


@pytest.fixture
def enter():
    """`enter(user)`: a browser in which this person is signed in and freshly confirmed."""

    def enter(user, *, confirmed=True):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        if confirmed:
            confirm(client)
        return client

    return enter
