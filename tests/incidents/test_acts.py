"""Which verb the pages offer first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents import clocks, services, sweeps
from incidents.acts import offers
from portal.lib import clock
from tests.factories.directory import make_contact, make_severity
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def primary(incident, *, at):
    incident.refresh_from_db()
    offered = offers(incident, clocks.clock_cards(incident, at=at)).primary
    return offered.act.slug if offered else None


@pytest.mark.parametrize("minutes", [2, 9])
def test_an_emergency_without_a_commander_asks_for_one_in_time_and_late(minutes):
    at, ada = clock.now() - timedelta(minutes=10), make_contact("Ada")
    incident = make_incident(severity=make_severity(1), at=at)
    assert primary(incident, at=at) == "acknowledge"
    services.acknowledge(incident, by=ada, at=at + timedelta(minutes=1))
    now = at + timedelta(minutes=minutes)
    sweeps.sweep_incidents(at=now)
    assert primary(incident, at=now) == "activate"
    assert clocks.clock_cards(incident, at=now)[0].key == "activation"
    services.activate(incident, by=ada, at=now, commander=ada)
    assert primary(incident, at=now) != "activate"
