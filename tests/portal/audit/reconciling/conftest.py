import pytest

from portal.audit import reconciling
from portal.lib import clock


@pytest.fixture
def reconcile(db):
    """Return a function that reconciles everything and returns the findings."""

    def run(settle=lambda row, at: None):
        row = reconciling.begin(by="Amara Okafor", at=clock.now())
        reconciling.run(row, now=clock.now, settle=settle, tell=lambda _: None)
        return reconciling.last_run().findings

    return run
