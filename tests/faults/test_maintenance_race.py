"""A plan that is changed while a sweep opens its date: neither overlooks the other."""

from __future__ import annotations

import threading

import pytest
from django.db.models import QuerySet

from maintenance import services, sweeps
from maintenance.enums import Frequency, State
from maintenance.models import Occurrence, Plan
from maintenance.services import opening
from portal.audit.actor import acting
from tests.factories.directory import NOON
from tests.factories.maintenance import WHY, make_plan, standing

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.postgresql_only, pytest.mark.timeout(300),
]  # fmt: skip
LONG = 1.0  # seconds in which a verb that waits for nobody is done


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


@pytest.fixture
def meanwhile(together, monkeypatch):
    """`meanwhile(act)`: open the dates that are lacking, and act after the plans were read and before that is done."""

    def run(act):
        read, acted = threading.Event(), threading.Event()
        before = opening._before

        def slowly(ids):
            read.set()
            acted.wait(LONG)
            return before(ids)

        def at_once():
            assert read.wait(30)
            act()
            acted.set()

        monkeypatch.setattr(opening, "_before", slowly)
        together(lambda: sweeps.open_dates(at=NOON), at_once)

    return run


def make_lacking() -> Plan:
    """A plan in force whose next date nobody has opened yet."""
    first = make_plan()
    columns = {f.attname: getattr(first, f.attname) for f in Plan._meta.concrete_fields if not f.primary_key}
    [plan] = QuerySet(Plan).bulk_create([Plan(**{**columns, "reference": "MNT-900001", "task": "Look after this"})])
    return Plan.objects.get(pk=plan.pk)


def retire(plan):
    with acting(by="system: test", reason=WHY, at=NOON):
        services.retire(plan, by="system: test", at=NOON, reason="The system is gone.")


def revise(plan):
    values = {"frequency": Frequency.WEEKLY}
    with acting(by="system: test", reason=WHY, at=NOON):
        services.revise(plan, values, by="system: test", at=NOON, reason="It is needed more often.")


def test_no_date_of_a_plan_stands_that_is_retired_meanwhile(meanwhile):
    plan = make_lacking()
    meanwhile(lambda: retire(plan))
    assert not Occurrence.objects.standing().filter(plan=plan).exists()


def test_the_date_that_stands_follows_the_rule_that_was_given_meanwhile(meanwhile):
    plan = make_lacking()
    meanwhile(lambda: revise(plan))
    assert standing(plan).why.startswith("Every week")


def test_a_plan_that_somebody_holds_is_opened_by_the_next_sweep(together):
    plan = make_lacking()
    held, opened = threading.Event(), threading.Event()

    def hold():
        with services.common.locked_plan(plan, by="system: test", at=NOON):
            held.set()
            assert opened.wait(30)

    def sweep():
        assert held.wait(30)
        count = sweeps.open_dates(at=NOON)
        opened.set()
        return count

    assert together(hold, sweep)[1] == 0
    assert sweeps.open_dates(at=NOON) == 1
    assert standing(plan).state == State.OPEN
