"""Whatever people do, in whatever order: nothing is carried out without a way back, an approval and its checks."""

from __future__ import annotations

import pytest

from tests.changes import machine


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.timeout(900)
def test_whatever_people_do_nothing_slips_through():
    machine.settle()
    tally = machine.play(steps=2000)
    assert tally.steps >= 2000
    assert not tally.lacks, f"nothing was shown of: {', '.join(tally.lacks)}"
