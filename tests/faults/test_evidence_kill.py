"""Uploads that are killed in the middle: no corrupt object, no row without its file, and nothing left for good."""

import os
import random
import shutil
import signal
import time
from datetime import timedelta

import pytest

from portal.lib.clock import database_now
from portal.records.evidence import storing, verifying
from portal.records.evidence.models import Evidence, EvidenceCheck, EvidenceObject
from portal.records.evidence.sweeps import sweep_evidence
from tests.factories.evidence import make_holder
from tests.factories.incidents import make_incident
from tests.faults.conftest import nursery

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
KILLS = 30
SECONDS_BETWEEN_KILLS = 0.25
ENOUGH, PATIENCE = 5, 60  # items in all; seconds


def test_kills_in_uploads_leave_no_corrupt_object_and_no_row_without_its_file(quick_commits):
    shutil.rmtree(storing.folder())
    make_holder("ada")
    make_incident()
    chance = random.Random(int(os.environ.get("FAULTS_SEED", "20261130")))
    with nursery() as start:
        for _ in range(KILLS):
            victim = start("collector")
            time.sleep(SECONDS_BETWEEN_KILLS * chance.uniform(0.2, 1.8))
            os.kill(victim, signal.SIGKILL)
        victim, end = start("collector"), time.monotonic() + PATIENCE
        while Evidence.objects.count() < ENOUGH and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)
    time.sleep(0.2)
    report = verifying.verify_all(now=database_now)
    assert Evidence.objects.count() >= ENOUGH
    assert EvidenceObject.objects.count() == EvidenceCheck.objects.count() == report.objects
    assert (report.altered, report.missing, report.strangers) == ([], [], [])

    later = database_now() + storing.SAFE_AFTER + timedelta(minutes=1)
    before = verifying.verify_all(now=lambda: later)
    assert len(before.left) == report.young
    sweep_evidence(now=lambda: later)
    assert verifying.verify_all(now=lambda: later).is_clean
    assert len([found for found in storing.files(at=later) if found.digest]) == EvidenceObject.objects.count()
