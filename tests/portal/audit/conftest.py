import pytest

from portal.audit import actor


@pytest.fixture
def nobody():
    """Close the context that every test runs in: nobody is named."""
    token = actor._acting.set(None)
    yield
    actor._acting.reset(token)
