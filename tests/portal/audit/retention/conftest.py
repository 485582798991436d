import pytest

from portal.audit import reconciling
from portal.audit.sealing import seal
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact


@pytest.fixture
def first(db):
    """An administrator, who asks."""
    return make_user("first", roles=["administrator"], first_name="Amara", last_name="Okafor")


@pytest.fixture
def second(db):
    """Another one, who confirms."""
    return make_user("second", roles=["administrator"], first_name="Bruno", last_name="Salgado")


@pytest.fixture
def person(first, second):
    """Somebody who has left and is renamed already, in a sealed record."""
    contact = make_contact("Giovanna Verdi", reachable=False)
    contact.name = "Former colleague"
    contact.save()
    seal(at=NOON)
    return contact


@pytest.fixture
def reconcile(db):
    """Return a function that reconciles everything and returns the findings."""

    def run():
        row = reconciling.begin(by="Amara Okafor", at=clock.now())
        reconciling.run(row, now=clock.now, settle=lambda row, at: None, tell=lambda _: None)
        return reconciling.last_run().findings

    return run
