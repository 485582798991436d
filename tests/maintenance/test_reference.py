"""The plans that every installation starts with."""

import pytest

from maintenance import reference
from maintenance.enums import Frequency, PlanState
from maintenance.models import Occurrence, Plan
from portal.audit.actor import acting
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db


def test_the_owners_table_and_duties_stand_as_drafts():
    often = dict(Plan.objects.values_list("task", "frequency"))
    assert often["Dependency updates"] == Frequency.MONTHLY
    assert often["Security patches"] == Frequency.AS_NEEDED
    assert often["Log rotation"] == Frequency.DAILY
    assert often["Certificate renewal"] == Frequency.ANNUAL
    weekly = {task for task, frequency in often.items() if frequency == Frequency.WEEKLY}
    assert weekly == {"Capacity review", "Security patch assessment"}
    assert {
        "Vulnerability assessment", "Access control review", "Compliance validation: GDPR and CAN-SPAM",
        "Optimisation review", "Operational KPI report",
    } <= {task for task, frequency in often.items() if frequency == Frequency.MONTHLY}  # fmt: skip
    assert set(Plan.objects.values_list("state", flat=True)) == {PlanState.DRAFT}
    assert not Occurrence.objects.exists()


def test_loading_again_leaves_alone_what_stands():
    before = list(Plan.objects.order_by("pk").values())
    with acting(by=reference.BY, reason=reference.REASON, at=NOON):
        reference.load(at=NOON)
    assert list(Plan.objects.order_by("pk").values()) == before
