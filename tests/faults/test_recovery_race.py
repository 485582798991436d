"""Two backups of one system reported at once: neither overlooks the run of the other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maintenance import services
from portal.audit.actor import acting
from portal.directory.models import RecoveryStanding
from tests.factories.directory import NOON, make_system
from tests.factories.maintenance import WHY

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.postgresql_only, pytest.mark.timeout(300),
]  # fmt: skip
HOUR = timedelta(hours=1)
TIMES = 8


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


def test_two_backups_of_a_system_that_finish_at_once_both_count(together):
    system = make_system("desk")
    words = {"place": "The vault", "frequency_minutes": 60, "grace_minutes": 60}
    plans = [
        services.plan_backup(system, {"what": what, **words}, by="system: test", at=NOON, reason=WHY)
        for what in ("Database", "Files")
    ]

    def run(plan, ended):
        return lambda: services.record_run(
            plan, by="system: test", at=ended, finished_at=ended, newest_data_at=ended, verified=True
        )

    for number in range(1, TIMES):
        ended = NOON + number * HOUR
        together(*[run(plan, ended) for plan in plans])
        assert RecoveryStanding.objects.get(system=system).newest_data_at == ended
