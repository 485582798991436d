"""On a grave incident the stopwatch runs against RTO and RPO, warns once at each share, and keeps what was reached."""

from datetime import timedelta

import pytest

from incidents import services
from incidents.recovering import RECOVERY, stopwatches
from incidents.sweeps import sweep_incidents
from portal.audit.actor import acting
from portal.deadlines.models import Deadline
from portal.directory.enums import Verdict
from portal.directory.models import RecoveryObjective, RecoveryProof
from portal.directory.recovery import reading
from portal.directory.recovery.facts import record_backup
from portal.notify.models import Message
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_severity, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason="For the test", at=NOON):
        yield


@pytest.fixture
def desk():
    system = make_system("desk", name="Ticket Desk")
    RecoveryObjective(system=system, rto_minutes=60, rpo_minutes=240).save()
    return system


@pytest.fixture
def amara():
    return make_contact("Amara Okafor", user=make_user(roles=["responder"]))


def declared(*systems, level=1, **more):
    return make_incident(systems=systems, severity=make_severity(level), at=NOON, **more)


def backed_up(system, ago):
    record_backup(system, finished_at=NOON - ago, newest_data_at=NOON - ago)


def lines(incident):
    rows = records.timeline(incident).filter(data__has_key="recovery").order_by("recorded_at", "id")
    return [note.text for note in rows]


def run(*moments):
    for at in moments:
        sweep_incidents(at=at)


def test_it_warns_at_half_three_quarters_and_all_of_the_rto_once_each(desk, amara):
    incident = declared(desk)
    services.activate(incident, commander=amara, by="system: test", at=NOON)
    run(*(NOON + n * 10 * MINUTE for n in range(9)))
    assert lines(incident) == [f"saw Ticket Desk pass {share} % of its RTO" for share in (50, 75, 100)]
    told = Message.objects.filter(contact=amara, kind="incident_recovery", lane="inbox")
    assert told.count() == 3


def test_what_an_outage_held_back_is_said_once_at_its_gravest(desk):
    incident = declared(desk)
    run(NOON + 3 * HOUR, NOON + 3 * HOUR + MINUTE)
    assert lines(incident) == ["saw Ticket Desk pass 100 % of its RTO"]


def test_the_data_loss_window_counts_from_the_newest_verified_data(desk):
    backed_up(desk, 3 * HOUR)
    incident = declared(desk)
    (watch,) = stopwatches(incident, [desk], at=NOON + 30 * MINUTE)
    rto, rpo = watch.measures
    assert (rto.spent, rto.percent, rto.state) == (30 * MINUTE, 50, "track")
    assert (rpo.spent, rpo.percent, rpo.state) == (3 * HOUR + 30 * MINUTE, 87, "risk")
    run(NOON)
    assert lines(incident) == ["saw Ticket Desk pass 75 % of its RPO"]


def test_a_newer_backup_puts_the_warning_off(desk):
    backed_up(desk, 100 * MINUTE)
    incident = declared(desk)
    backed_up(desk, -10 * MINUTE)
    run(NOON + 20 * MINUTE)
    assert "RPO" not in " ".join(lines(incident))
    run(NOON + 130 * MINUTE)
    assert "saw Ticket Desk pass 50 % of its RPO" in lines(incident)


def test_without_a_verified_backup_the_window_is_unknown_and_not_nothing(desk):
    (watch,) = stopwatches(declared(desk), [desk], at=NOON)
    assert [one.words for one in watch.measures if one.name == "rpo"] == ["unknown"]


def test_once_nobody_suffers_any_more_the_stopwatch_stands_still(desk):
    incident = declared(desk)
    services.acknowledge(incident, by="system: test", at=NOON + MINUTE)
    incident = services.mitigate(incident, by="system: test", at=NOON + 20 * MINUTE)
    run(NOON + 2 * HOUR)
    assert lines(incident) == []
    (watch,) = stopwatches(incident, [desk], at=NOON + 5 * HOUR)
    assert watch.measures[0].spent == 20 * MINUTE


def test_a_backup_from_after_it_was_back_says_nothing_of_what_would_have_been_lost(desk):
    backed_up(desk, HOUR)
    incident = declared(desk)
    incident = services.resolve_by_source(incident, by="system: test", at=NOON + 30 * MINUTE)
    backed_up(desk, -HOUR)
    (watch,) = stopwatches(incident, [desk], at=NOON + 2 * HOUR)
    assert [(one.name, one.spent) for one in watch.measures] == [("rto", 30 * MINUTE), ("rpo", None)]


def test_the_resolution_keeps_what_was_reached_as_a_measurement(desk):
    incident = declared(desk)
    services.resolve_by_source(incident, by="system: test", at=NOON + 42 * MINUTE)
    proof = RecoveryProof.objects.get(system=desk)
    assert (proof.kind, proof.reference, proof.took) == ("incident", incident.reference, 42 * MINUTE)
    note = records.timeline(incident).get(kind="recovered")
    assert "RTO 42 min of 1 h" in note.text
    assert not Deadline.objects.filter(kind=RECOVERY, state="pending").exists()


def test_an_incident_that_is_opened_again_proves_nothing_until_it_is_measured_again():
    desk = make_system("desk", rto=60)
    incident = declared(desk)
    services.resolve_by_source(incident, by="system: test", at=NOON + 30 * MINUTE)
    assert reading.standing_of(desk, at=NOON + 31 * MINUTE).judged.is_proven
    services.reopen_by_source(incident, by="system: test", at=NOON + 40 * MINUTE)
    assert not reading.standing_of(desk, at=NOON + HOUR).judged.is_proven
    services.resolve_by_source(incident, by="system: test", at=NOON + 5 * HOUR)
    assert [proof.took for proof in RecoveryProof.objects.order_by("at")] == [30 * MINUTE, 5 * HOUR]
    assert reading.standing_of(desk, at=NOON + 6 * HOUR).judged.verdict == Verdict.NOT_MET


def test_nothing_is_said_of_a_system_that_is_not_named_any_more_until_it_is_again(desk):
    mail = make_system("mail")
    incident = declared(desk, mail)
    services.set_systems(incident, systems=[mail], by="system: test", at=NOON + MINUTE)
    run(NOON + 31 * MINUTE)
    assert lines(incident) == []
    services.set_systems(incident, systems=[mail, desk], by="system: test", at=NOON + 32 * MINUTE)
    run(NOON + 33 * MINUTE)
    assert lines(incident) == ["saw Ticket Desk pass 50 % of its RTO"]


def test_what_passed_while_the_incident_was_milder_is_said_once_it_is_grave_again(desk):
    incident = declared(desk)
    services.reclassify(incident, severity=make_severity(3), by="system: test", at=NOON + MINUTE)
    run(NOON + 31 * MINUTE)
    assert lines(incident) == []
    services.reclassify(incident, severity=make_severity(1), by="system: test", at=NOON + 32 * MINUTE)
    run(NOON + 33 * MINUTE)
    assert lines(incident) == ["saw Ticket Desk pass 50 % of its RTO"]


def test_milder_incidents_drills_and_systems_without_a_promise_measure_nothing(desk):
    for incident in (declared(desk, level=3), declared(desk, is_drill=True), declared(make_system("mail"))):
        services.resolve_by_source(incident, by="system: test", at=NOON + HOUR)
    assert not RecoveryProof.objects.exists()


def test_what_is_merged_or_cancelled_has_no_stopwatch_any_more(desk):
    survivor, twin, nothing = declared(desk), declared(desk), declared(desk)
    services.merge(twin, into=survivor, by="system: test", at=NOON, reason="The same")
    services.cancel(nothing, by="system: test", at=NOON, reason="A test")
    assert stopwatches(survivor, [desk], at=NOON + HOUR)
    for incident in (twin, nothing):
        incident.refresh_from_db()
        assert stopwatches(incident, [desk], at=NOON + HOUR) == []
