import pytest

from portal.audit import actor
from portal.audit.actor import acting
from portal.directory.models import Calendar
from tests.factories import history


@pytest.fixture
def nobody():
    """Close the context that every test runs in: nobody is named."""
    token = actor._acting.set(None)
    yield
    actor._acting.reset(token)


@pytest.fixture
def calendar(_history_begins):
    """An audited, privileged row; what history held before it is not asked."""
    with acting(by="setup", reason="A test"):
        return Calendar.objects.create(name="Works")


@pytest.fixture
def _history_begins(db):
    """What history held before the test is not asked."""
    history.begin()
