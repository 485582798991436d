"""Backups are waited for: a run counts once, what is verified sets the exposure, silence opens one incident."""

import json
from datetime import timedelta

import pytest

from incidents.models import Incident
from incidents.sweeps import sweep_incidents
from maintenance import services
from maintenance.models import BackupRun
from maintenance.policy import Refused
from maintenance.sweeps import sweep_maintenance
from portal.directory.recovery import reading
from tests.factories.directory import NOON, make_contact, make_system

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BY = "Amara Okafor"


def make_backup(system=None, *, at=NOON, **values):
    given = {"what": "The database", "place": "Another town", "frequency_minutes": 60, "grace_minutes": 30, **values}
    return services.plan_backup(
        system or make_system(rto=60, rpo=60), given, by=BY, at=at, reason="It is backed up from today"
    )


def run(plan, *, at=NOON, age=2 * MINUTE, **words):
    given = {"finished_at": at, "size": 5, "newest_data_at": at - age, "verified": True, **words}
    return services.record_run(plan, by=BY, at=at, **given)


def sweep(at):
    sweep_maintenance(at=at)
    sweep_incidents(at=at)


def test_a_verified_run_sets_what_would_be_lost_now():
    plan = make_backup()
    run(plan)
    assert reading.standing_of(plan.system, at=NOON + HOUR).exposure == HOUR + 2 * MINUTE


def test_a_run_that_was_not_verified_or_is_empty_or_failed_does_not_count():
    plan = make_backup()
    run(plan, verified=False)
    run(plan, at=NOON + HOUR, size=0)
    run(plan, at=NOON + 2 * HOUR, completed=False)
    assert reading.standing_of(plan.system, at=NOON + 2 * HOUR).exposure is None
    assert BackupRun.objects.filter(verified=True).count() == 0
    assert BackupRun.objects.count() == 3


def test_what_is_backed_up_least_says_what_would_be_lost():
    plan = make_backup()
    files = make_backup(plan.system, what="The files")
    run(plan)
    assert reading.standing_of(plan.system, at=NOON).exposure is None
    run(files, age=3 * HOUR)
    assert reading.standing_of(plan.system, at=NOON).exposure == 3 * HOUR
    services.retire_backup(files, by=BY, at=NOON, reason="They are in the database now")
    assert reading.standing_of(plan.system, at=NOON).exposure == 2 * MINUTE


def test_a_run_that_is_told_twice_is_kept_once_as_it_was():
    plan = make_backup()
    first, news = run(plan)
    again, known = run(plan, size=99, verified=False)
    assert (first, news, known) == (again, True, False)
    assert BackupRun.objects.get().size == 5


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"finished_at": NOON + HOUR}, "cannot have finished in the future"),
        ({"started_at": NOON + MINUTE}, "ends before it starts"),
        ({"newest_data_at": NOON + MINUTE}, "newer than its end"),
        ({"newest_data_at": None}, "how new the newest data in it is"),
    ],
)
def test_a_run_that_cannot_have_been_is_refused_with_a_sentence(words, sentence):
    plan = make_backup()
    with pytest.raises(Refused, match=sentence):
        run(plan, **words)
    assert not BackupRun.objects.exists()


def test_what_was_verified_by_hand_counts_and_what_turns_out_broken_counts_no_more():
    plan = make_backup()
    kept, _ = run(plan, verified=False)
    services.validate_run(kept, verified=True, stored=True, by=BY, at=NOON, reason="Read it back")
    assert reading.standing_of(plan.system, at=NOON).exposure == 2 * MINUTE
    services.validate_run(kept, verified=False, stored=True, by=BY, at=NOON, reason="Its checksum is wrong")
    assert reading.standing_of(plan.system, at=NOON).exposure is None
    with pytest.raises(Refused, match="how you know"):
        services.validate_run(kept, verified=True, stored=True, by=BY, at=NOON, reason=" ")


def test_silence_opens_one_incident_and_a_later_run_answers_in_it():
    plan = make_backup(owner=make_contact("Tomasz Wieczorek"))
    run(plan)
    sweep(NOON + 89 * MINUTE)
    assert not Incident.objects.exists()
    for minutes in (90, 91, 500):
        sweep(NOON + minutes * MINUTE)
    incident = Incident.objects.get()
    assert incident.title == f"No backup of {plan.system}: The database"
    assert "Tomasz Wieczorek answers for it." in incident.description
    assert list(incident.systems.all()) == [plan.system]
    run(plan, at=NOON + 501 * MINUTE)
    sweep(NOON + 502 * MINUTE)
    assert any("was heard of again" in line.text + line.detail for line in notes(incident))
    sweep(NOON + 10 * HOUR)
    assert Incident.objects.count() == 1


def notes(incident):
    from portal.records.services import timeline  # noqa: PLC0415

    return timeline(incident)


def test_a_silent_backup_that_is_to_run_more_rarely_is_waited_for_anew():
    plan = make_backup()
    run(plan)
    sweep(NOON + 2 * HOUR)
    assert Incident.objects.count() == 1
    values = {"frequency_minutes": 24 * 60}
    services.revise_backup(plan, values, by=BY, at=NOON + 3 * HOUR, reason="It runs every night")
    sweep(NOON + 24 * HOUR)
    assert told(plan) == 1
    sweep(NOON + 25 * HOUR)
    sweep(NOON + 48 * HOUR)
    assert told(plan) == 2


def told(plan):
    return notes(plan).filter(kind="silent").count()


def test_a_run_that_failed_does_not_break_the_silence():
    plan = make_backup()
    run(plan, at=NOON + HOUR, completed=False)
    sweep(NOON + 91 * MINUTE)
    assert Incident.objects.count() == 1


def test_a_backup_that_came_back_when_its_incident_was_over_opens_no_other():
    plan = make_backup()
    sweep_maintenance(at=NOON + 2 * HOUR)
    run(plan, at=NOON + 3 * HOUR)
    sweep(NOON + 3 * HOUR)
    assert Incident.objects.count() == 1


def test_a_retired_backup_is_waited_for_no_more():
    plan = make_backup()
    services.retire_backup(plan, by=BY, at=NOON, reason="The system is gone")
    sweep(NOON + 9 * DAY)
    assert not Incident.objects.exists()
    with pytest.raises(Refused, match="was retired"):
        run(plan)


def post(client, secret, body):
    raw = body if isinstance(body, str) else json.dumps(body)
    return client.post(f"/backups/{secret}/", raw, content_type="application/json")


@pytest.fixture
def secret():
    plan = make_backup(at=NOON - 9 * DAY)
    return services.make_backup_token(plan, by=BY, at=NOON, reason="For its job")[1]


GOOD = {
    "finished_at": "2026-11-17T02:00:00Z", "bytes": 48211, "newest_data_at": "2026-11-17T01:58:00Z", "verified": True,
}  # fmt: skip


def test_a_job_reports_its_run_and_is_told_what_it_counts_for(client, secret):
    answer = post(client, secret, GOOD)
    assert answer.status_code == 201, answer.content
    assert "is kept as verified. Its newest data is" in answer.json()["message"]
    kept = BackupRun.objects.get()
    assert (kept.size, kept.verified, kept.stored, kept.source) == (48211, True, False, "job")
    again = post(client, secret, GOOD)
    assert (again.status_code, BackupRun.objects.count()) == (200, 1)
    assert "was reported already" in again.json()["message"]


def test_a_second_report_that_says_otherwise_is_told_so_and_changes_nothing(client, secret):
    post(client, secret, {**GOOD, "verified": False})
    answer = post(client, secret, {**GOOD, "bytes": 5})
    assert answer.status_code == 409
    assert "was reported already, and said otherwise: bytes, verified." in answer.json()["message"]
    kept = BackupRun.objects.get()
    assert (kept.size, kept.verified) == (48211, False)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"finished_at": "yesterday"}, "finished_at is no moment with its zone. Send"),
        ({"bytes": "many"}, "bytes is no whole number from 0 on. Send"),
        ({"verified": "yes"}, "verified is neither true nor false. Send"),
        ({"more": 1}, "Nobody knows the field “more”. Send"),
    ],
)
def test_a_report_that_cannot_be_read_names_the_field(client, secret, change, sentence):
    assert post(client, secret, {**GOOD, **change}).json()["message"].startswith(sentence)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"finished_at": "2099-01-01T00:00:00Z"}, 409),
        ({"started_at": "2026-11-17T03:00:00Z"}, 409),
        ({"newest_data_at": None}, 409),
        ({"finished_at": None}, 422),
        ({"finished_at": "yesterday"}, 422),
        ({"finished_at": "2026-11-17T02:00:00"}, 422),
        ({"bytes": -1}, 422),
        ({"bytes": True}, 422),
        ({"verified": "yes"}, 422),
        ({"more": 1}, 422),
    ],
)
def test_a_report_that_cannot_be_is_answered_with_a_sentence_and_kept_nowhere(client, secret, change, status):
    answer = post(client, secret, {**GOOD, **change})
    assert answer.status_code == status
    assert len(answer.json()["message"]) > 20
    assert not BackupRun.objects.exists()


def test_an_unknown_address_a_long_body_and_a_look_are_told_what_to_do(client, secret):
    assert post(client, "x" * 43, GOOD).status_code == 404
    assert post(client, secret, "x" * 20_000).status_code == 413
    assert post(client, secret, "[" * 9_000).status_code == 422
    assert client.get(f"/backups/{secret}/").status_code == 405


def test_a_new_token_ends_the_old_one_and_only_its_digest_is_kept(client, secret):
    plan = services.backup_of(secret)
    assert secret not in str(vars(plan))
    services.make_backup_token(plan, by=BY, at=NOON, reason="The old one was seen")
    assert post(client, secret, GOOD).status_code == 404
