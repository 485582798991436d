"""While maintenance goes on with every system of an incident, nobody is paged: it is recorded, and paged afterwards."""

from datetime import timedelta

import pytest

from incidents import services
from incidents.escalation import HELD, state_of
from incidents.sweeps import sweep_incidents
from maintenance import services as maintenance
from portal.audit.actor import acting
from portal.deadlines.models import Deadline
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.directory import NOON, make_contact, make_severity, make_system
from tests.factories.incidents import make_incident, make_policy
from tests.factories.windows import BY, make_open, make_window

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by=BY, reason="For the test", at=NOON):
        yield


@pytest.fixture
def desk():
    return make_system("desk", name="Ticket Desk")


@pytest.fixture
def mail():
    return make_system("mail", name="Mail")


def declare(*systems, at=NOON + 10 * MINUTE, level=2, source="alertmanager", **more):
    severity = make_severity(level)
    return services.declare(title="It is down", severity=severity, systems=systems, source=source, by=BY, at=at, **more)


def kinds(incident):
    return list(records.timeline(incident).order_by("recorded_at", "id").values_list("kind", flat=True))


def paged(incident):
    return "paged" in kinds(incident) or "exhausted" in kinds(incident)


def run(*moments):
    for at in moments:
        sweep_incidents(at=at)


def test_an_incident_of_a_system_in_maintenance_is_recorded_and_pages_nobody(desk):
    window = make_open(desk)
    incident = declare(desk)
    run(NOON + 11 * MINUTE, NOON + 59 * MINUTE)
    assert not paged(incident)
    assert not Message.objects.filter(about_id=incident.pk, kind__startswith="incident").exists()
    note = records.timeline(incident).get(kind="held")
    assert note.text == f"holds paging back until Tue 17 Nov, 13:00 UTC: maintenance {window.reference}"
    view = state_of(incident)
    assert (view.held_until, view.held_by) == (NOON + HOUR, (window.reference,))


def test_after_the_windows_end_an_incident_that_is_open_is_paged(desk):
    make_open(desk)
    incident = declare(desk)
    run(NOON + HOUR)
    assert paged(incident)
    assert "released" in kinds(incident)
    assert not Deadline.objects.filter(kind=HELD, state="pending").exists()


def test_one_that_was_resolved_meanwhile_is_never_paged(desk):
    make_open(desk)
    incident = declare(desk)
    services.resolve_by_source(incident, by=BY, at=NOON + 20 * MINUTE)
    run(NOON + HOUR, NOON + 2 * HOUR)
    assert not paged(incident)


def test_a_system_outside_of_any_window_is_reason_enough_to_page(desk, mail):
    make_open(desk)
    incident = declare(desk, mail)
    run(NOON + 10 * MINUTE)
    assert paged(incident)


def test_other_systems_are_paged_as_usual(desk, mail):
    make_open(desk)
    incident = declare(mail)
    run(NOON + 10 * MINUTE)
    assert paged(incident)


def test_naming_another_system_begins_to_page(desk, mail):
    make_open(desk)
    incident = declare(desk)
    services.set_systems(incident, systems=[desk, mail], by=BY, at=NOON + 20 * MINUTE)
    run(NOON + 20 * MINUTE)
    assert paged(incident)


def test_merging_what_people_are_paged_for_does_not_silence_it(desk):
    make_open(desk)
    waiting = declare(desk)
    loud = declare(desk, level=1, source="", at=NOON + 11 * MINUTE)
    run(NOON + 12 * MINUTE)
    assert (paged(waiting), paged(loud)) == (False, True)
    services.merge(loud, into=waiting, by=BY, at=NOON + 13 * MINUTE, reason="They are the same.")
    run(NOON + 14 * MINUTE)
    assert paged(waiting)


def test_merging_what_waits_too_pages_nobody(desk):
    make_open(desk)
    waiting, other = declare(desk), declare(desk, at=NOON + 11 * MINUTE)
    services.merge(other, into=waiting, by=BY, at=NOON + 13 * MINUTE, reason="They are the same.")
    run(NOON + 14 * MINUTE)
    assert not paged(waiting)


def test_a_window_that_is_completed_early_begins_to_page(desk):
    window = make_open(desk)
    incident = declare(desk)
    maintenance.verify(window, by=BY, at=NOON + 20 * MINUTE)
    run(NOON + 21 * MINUTE)
    assert not paged(incident)
    maintenance.complete_window(window, by=BY, at=NOON + 30 * MINUTE)
    run(NOON + 30 * MINUTE, NOON + 31 * MINUTE)
    assert paged(incident)


def test_one_that_is_extended_holds_back_longer_and_says_so(desk):
    window = make_open(desk)
    incident = declare(desk)
    maintenance.extend(window, ends_at=NOON + 2 * HOUR, by=BY, at=NOON + 30 * MINUTE, reason="It is slow")
    run(NOON + HOUR)
    assert not paged(incident)
    assert kinds(incident).count("held") == 2
    run(NOON + 2 * HOUR)
    assert paged(incident)


def test_windows_that_follow_one_another_hold_back_as_one(desk):
    make_open(desk)
    make_window(desk, starts_in=60, minutes=60)
    incident = declare(desk)
    assert state_of(incident).held_until == NOON + 2 * HOUR


def test_a_security_incident_pages_at_once(desk):
    make_open(desk)
    incident = declare(desk, type="security")
    run(NOON + 10 * MINUTE)
    assert paged(incident)
    assert "held" not in kinds(incident)


def test_what_a_person_calls_sev_1_pages_at_once_and_an_alert_does_not(desk):
    make_open(desk)
    by_hand, by_alert = declare(desk, level=1, source=""), declare(desk, level=1)
    run(NOON + 10 * MINUTE)
    assert paged(by_hand)
    assert not paged(by_alert)


def test_one_that_is_raised_to_sev_1_begins_to_page(desk):
    make_open(desk)
    incident = declare(desk)
    services.reclassify(incident, severity=make_severity(1), by=BY, at=NOON + 20 * MINUTE, reason="Customers call")
    run(NOON + 20 * MINUTE)
    assert paged(incident)


def test_escalating_by_hand_pages_in_spite_of_a_window(desk):
    make_open(desk)
    incident = declare(desk)
    services.escalate(incident, by=BY, at=NOON + 20 * MINUTE, reason="It is not the maintenance")
    assert paged(incident)
    assert not Deadline.objects.filter(kind=HELD, state="pending").exists()


def test_one_that_was_paged_before_the_window_began_goes_on(desk):
    incident = make_incident(systems=[desk], at=NOON)
    make_open(desk, at=NOON + MINUTE)
    run(NOON + 2 * MINUTE)
    assert paged(incident)


def test_one_that_was_paged_before_a_window_pages_again_in_it_when_nobody_works_on_it(desk):
    make_policy(default=True, steps=[make_contact("Bo")], acknowledgement_minutes=30)
    incident = make_incident(systems=[desk], at=NOON)
    run(NOON)
    services.acknowledge(incident, by=make_contact("Ada"), at=NOON + MINUTE)
    make_open(desk, at=NOON + 2 * MINUTE)
    run(NOON + 21 * MINUTE, NOON + 31 * MINUTE, NOON + 31 * MINUTE)
    assert kinds(incident).count("paged") == 2
    assert "held" not in kinds(incident)


def test_one_that_was_held_back_waits_on_when_its_acknowledgement_expires(desk):
    make_policy(default=True, steps=[make_contact("Bo")], acknowledgement_minutes=30)
    make_open(desk)
    incident = declare(desk)
    services.acknowledge(incident, by=make_contact("Ada"), at=NOON + 11 * MINUTE)
    run(NOON + 31 * MINUTE, NOON + 41 * MINUTE, NOON + 41 * MINUTE)
    assert "expired" in kinds(incident)
    assert not paged(incident)
    run(NOON + HOUR)
    assert paged(incident)


def test_a_drill_pages_at_once_since_somebody_means_it(desk):
    make_open(desk)
    incident = declare(desk, source="", is_drill=True)
    run(NOON + 10 * MINUTE)
    assert paged(incident)
    assert "held" not in kinds(incident)


def test_merging_stops_what_is_held_back(desk):
    make_open(desk)
    incident, other = declare(desk), declare(desk)
    services.merge(incident, into=other, by=BY, at=NOON + 20 * MINUTE, reason="The same")
    run(NOON + HOUR, NOON + HOUR + MINUTE)
    assert not paged(incident)
    assert paged(other)
