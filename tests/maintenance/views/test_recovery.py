"""The pages of recovery: what is proven, what would be lost, and how people write down what they measured."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.models import Incident
from maintenance.exercises import services as exercises
from maintenance.models import BackupPlan, BackupRun, RestoreTest
from portal.audit.actor import acting
from portal.directory.models import Dependency
from tests.factories.accounts import confirm
from tests.factories.directory import NOON, make_system
from tests.factories.exercises import make_exercise, make_recovery_plan, work
from tests.factories.maintenance import WHY, make_member, make_plan, standing
from tests.maintenance.test_backups import make_backup, run, sweep
from tests.maintenance.test_restoring import restore

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def clock_stands(monkeypatch):
    monkeypatch.setattr("portal.lib.clock.now", lambda: NOON)
    monkeypatch.setattr("portal.lib.clock.database_now", lambda: NOON)
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


@pytest.fixture
def maren(client):
    user, contact = make_member("Maren Holt", "manager")
    client.force_login(user)
    return contact


def text(answer):
    return " ".join(answer.content.decode().split())


def form_of(client, address, **more):
    """Send the form at an address, with its one-time key, and return the answer."""
    once = client.get(address).context["form"]["once"].value()
    return client.post(address, {"once": once, **more})


def company():
    """Three systems with a promise: proven, failed, never measured; one without; and two that contradict."""
    proven = make_system("desk", name="Ticket desk", rto=60, rpo=60)
    failed = make_system("queue", name="Mail queue", rto=240, rpo=60)
    never = make_system("store", name="File store", rto=480, rpo=60)
    make_system("wiki", name="Wiki")
    restore(proven, started=NOON - 60 * DAY)
    restore(failed, started=NOON - 9 * DAY, succeeded=False)
    Dependency.objects.create(system=proven, needs=failed)
    run(make_backup(proven, at=NOON - DAY), at=NOON - HOUR)
    make_backup(never, at=NOON - DAY)
    return proven, failed, never


def test_the_page_says_how_many_promises_are_proven_and_why_the_others_are_not(client, maren):
    company()
    shown = text(client.get("/recovery/"))
    assert "1 of 3 systems with a promise is proven" in shown
    assert "It was never measured." in shown
    assert "failed." in shown
    assert "Ticket desk promises to be back within 1 h, and needs Mail queue" in shown
    assert "is silent" in shown
    assert "beyond its RPO" in shown


def test_a_filter_narrows_and_the_table_holds_the_same(client, maren):
    company()
    shown = text(client.get("/recovery/?show=unproven&q=mail"))
    assert "Mail queue" in shown
    assert ">File store<" not in shown
    table = client.get("/recovery/recovery.csv?show=unproven").content.decode()
    assert "Mail queue" in table
    assert "Ticket desk" not in table
    assert client.get("/recovery/?show=nonsense&page=99999999999").status_code == 200


def test_a_manager_writes_a_backup_down_hands_out_a_token_and_a_run_is_told_by_hand(client, maren):
    make_system("desk", name="Ticket desk", rto=60, rpo=60)
    words = {"what": "The database", "place": "Another town", "frequency_minutes": "6 h", "grace_minutes": "30 min"}
    assert form_of(client, "/recovery/systems/desk/backup/", **words, reason=WHY).status_code == 302
    plan = BackupPlan.objects.get()
    assert (plan.frequency_minutes, plan.grace_minutes) == (360, 30)
    page = plan.get_absolute_url()
    confirm(client)
    shown = text(form_of(client, f"{page}token/", reason=WHY))
    assert "/backups/" in shown
    told = {"finished_at": "2026-11-17T11:00", "completed": "on"}
    assert form_of(client, f"{page}run/", **told).status_code == 302
    again = form_of(client, f"{page}run/", **told)
    assert again.status_code == 422
    assert "was reported already" in text(again)
    kept = BackupRun.objects.get()
    refused = form_of(client, f"{page}runs/{kept.pk}/", verified="on", reason="Read it back")
    assert "does not say how new its data is" in text(refused)
    assert "Not verified" in text(client.get(page))
    edited = form_of(client, f"{page}edit/", **{**words, "frequency_minutes": "1 d"}, reason=WHY)
    assert edited.status_code == 302
    assert form_of(client, f"{page}retire/", reason=WHY).status_code == 302
    assert "Retired" in text(client.get(page))


def test_a_restore_test_is_recorded_once_and_refused_when_it_ends_before_it_starts(client, maren):
    make_system("desk", name="Ticket desk", rto=60, rpo=60)
    address = "/recovery/systems/desk/test/"
    words = {"started_at": "2026-11-17T10:00", "newest_recovered_at": "2026-11-17T09:30", "succeeded": "yes"}
    refused = form_of(client, address, **words, ended_at="2026-11-17T09:00")
    assert refused.status_code == 422
    assert "It ends before it starts" in text(refused)
    once = client.get(address).context["form"]["once"].value()
    sent = {"once": once, **words, "ended_at": "2026-11-17T10:40"}
    for _ in range(2):
        assert client.post(address, sent).status_code == 302
    test = RestoreTest.objects.get()
    shown = text(client.get(test.get_absolute_url()))
    assert "40 min" in shown
    assert "Met" in shown
    assert "Proven" in text(client.get("/recovery/systems/desk/"))


def test_whoever_works_records_tests_and_runs_and_leads_nothing(client):
    user, _ = make_member("Amara Okafor")
    client.force_login(user)
    make_system("desk", name="Ticket desk", rto=60, rpo=60)
    assert client.get("/recovery/").status_code == 200
    assert client.get("/recovery/systems/desk/test/").status_code == 200
    assert client.get("/recovery/systems/desk/backup/").status_code == 403


def test_the_page_asks_as_many_queries_of_many_systems_as_of_few(client, maren, django_assert_max_num_queries):
    for number in range(30):
        system = make_system(f"s{number}", name=f"System {number}", rto=60, rpo=60)
        restore(system, started=NOON - 9 * DAY)
        if number < 5:
            make_backup(system, at=NOON - DAY)
            make_plan(systems=[system], proves_recovery=True)
    client.get("/recovery/")
    with django_assert_max_num_queries(34):
        client.get("/recovery/")


def test_the_plot_counts_what_was_proven_at_the_end_of_each_month(client, maren):
    """Met 100 days ago, overtaken by a failure 50 days ago, met again 9 days ago; and one that ran out."""
    mended = make_system("desk", name="Ticket desk", rto=60, rpo=60)
    for days, succeeded in ((100, True), (50, False), (9, True)):
        restore(mended, started=NOON - days * DAY, succeeded=succeeded)
    lapsed = make_system("queue", name="Mail queue", rto=240, rpo=60)
    objective = lapsed.objective
    objective.proof_days = 30
    objective.save()
    restore(lapsed, started=NOON - 100 * DAY)
    bars = client.get("/recovery/").context["page"].bars
    assert [bar.proven for bar in bars][-5:] == [0, 2, 1, 0, 1]
    assert {bar.of for bar in bars} == {2}


def test_the_page_leads_to_plans_exercises_the_last_proof_and_the_next_exercise(client, maren):
    proven, failed, _ = company()
    exercise = make_exercise(make_recovery_plan(system=failed), scheduled_for=NOON + 3 * DAY)
    page = text(client.get("/recovery/"))
    for address in ("/recovery/plans/", "/recovery/exercises/", exercise.get_absolute_url()):
        assert f'href="{address}"' in page
    test = RestoreTest.objects.get(system=proven)
    assert f'<a class="nowrap" href="{test.get_absolute_url()}">{test.reference}</a>' in page


def test_the_page_says_until_when_a_recovery_plan_has_to_be_exercised_where_nothing_is_scheduled(client, maren):
    proven, *_ = company()
    plan = make_recovery_plan(system=proven, title="Desk from its backups")
    due = standing(plan.upkeep)
    assert f'Exercise due <a href="{due.get_absolute_url()}"' in text(client.get("/recovery/"))
    page = text(client.get("/recovery/systems/desk/"))
    assert f'Exercise due <a href="{due.get_absolute_url()}"' in page
    assert f'href="{plan.get_absolute_url()}">Desk from its backups</a>' in page


def test_the_page_shows_when_what_failed_is_tried_again_though_an_exercise_is_scheduled_for_later(client, maren):
    proven, *_ = company()
    plan = make_recovery_plan(system=proven)
    exercise = make_exercise(plan, started=True)
    exercises.end(exercise, by="Joel", at=work(exercise, 1))
    again = f'Re-test due <a href="{standing(plan.upkeep).get_absolute_url()}"'
    assert again in text(client.get("/recovery/"))
    later = make_exercise(plan, scheduled_for=NOON + 90 * DAY)
    page = text(client.get("/recovery/systems/desk/"))
    assert again in page
    assert later.get_absolute_url() in page
    make_exercise(plan, scheduled_for=NOON + 3 * DAY)
    assert again not in text(client.get("/recovery/"))
    assert again.removeprefix("Re-test due ") in text(client.get("/maintenance/?whose=all&when=30"))


def test_the_page_of_a_system_leads_to_what_measured_it(client, maren):
    company()
    test = RestoreTest.objects.get(system__slug="desk")
    assert f'href="{test.get_absolute_url()}">{test.reference}</a>' in text(client.get("/recovery/systems/desk/"))


def test_the_page_of_a_silent_backup_leads_to_its_incident(client, maren):
    backup = make_backup(at=NOON - DAY)
    assert "within a minute of that an incident opens" in text(client.get(backup.get_absolute_url()))
    sweep(NOON)
    incident = Incident.objects.get()
    page = text(client.get(backup.get_absolute_url()))
    assert f'Its silence is the incident <a href="{incident.get_absolute_url()}">{incident.reference}</a>' in page
