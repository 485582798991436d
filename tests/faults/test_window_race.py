"""Four sweeps at once: a window begins once, shouts once and stands once; each reminder is sent once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maintenance import services, sweeps, windowing
from maintenance.models import Window
from portal.audit.actor import acting
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.directory import NOON, make_emergency_contact, make_system
from tests.factories.maintenance import WHY, make_member, make_plan, standing
from tests.factories.windows import make_open, make_series, make_window

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SWEEPS = 4


@pytest.fixture
def four(together):
    """`four(act)`: do it four times at once."""
    return lambda act: together(*[act] * SWEEPS)


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


def test_a_window_begins_and_shouts_once(four):
    desk, (_, amara) = make_system("desk"), make_member("Amara Okafor")
    make_emergency_contact(desk, contact=amara)
    ahead, late = make_window(desk), make_open(desk)
    four(lambda: windowing.sweep_windows(at=NOON + HOUR))
    windowing.sweep_windows(at=NOON + HOUR)
    assert list(records.timeline(ahead).filter(kind="begun").values_list("kind", flat=True)) == ["begun"]
    assert records.timeline(late).filter(kind="overrun").count() == 1
    inbox = Message.objects.filter(contact=amara, lane="inbox")
    assert inbox.filter(kind="maintenance_overrun").count() == 1
    assert inbox.filter(about_id=ahead.pk, kind="maintenance_begun").count() == 1


def test_the_windows_ahead_of_a_series_stand_once(four):
    series = make_series(make_system("desk"))
    four(lambda: services.open_ahead(at=NOON + 15 * DAY))
    services.open_ahead(at=NOON + 15 * DAY)
    days = list(series.windows.values_list("scheduled_on", flat=True))
    assert len(days) == len(set(days)) == Window.objects.count() == 6


def test_each_reminder_is_sent_once(four):
    _, amara = make_member("Amara Okafor")
    plans = [make_plan(owner=amara) for _ in range(5)]
    due = standing(plans[0]).due_at
    four(lambda: sweeps.remind(at=due))
    sweeps.remind(at=due)
    assert Message.objects.filter(contact=amara, lane="inbox", kind="maintenance_digest").count() == 1
    for plan in plans:
        assert records.timeline(standing(plan)).filter(kind="reminded").count() == 1
