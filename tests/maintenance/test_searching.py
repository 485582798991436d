"""Recovery plans, exercises, backups and restore tests are found by their words and their references."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maintenance import services
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_system
from tests.factories.exercises import make_exercise, make_recovery_plan

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def reader(client):
    client.force_login(make_user("maren", roles=["manager"]), backend="django.contrib.auth.backends.ModelBackend")
    return client


def found(client, words):
    return client.get("/search/", {"q": words}).content.decode()


def test_a_recovery_plan_is_found_by_its_title(reader):
    plan = make_recovery_plan(title="Zephyr database from its backups")
    assert plan.get_absolute_url() in found(reader, "zephyr backups")


def test_an_exercise_is_found_by_its_reference_and_named_by_its_plan(reader):
    exercise = make_exercise(make_recovery_plan(title="Zephyr database from its backups"), kind="tabletop")
    page = reader.get("/search/", {"q": exercise.reference}, follow=True)
    assert "Tabletop exercise of Zephyr database from its backups" in page.content.decode()


def test_a_backup_is_found_by_what_it_holds_where_it_lies_and_its_reference(reader):
    system = make_system("db", name="Ticket database")
    given = {"what": "Zephyr journal", "place": "A vault in Quimper", "frequency_minutes": 60, "grace_minutes": 30}
    backup = services.plan_backup(system, given, by="system: test", at=NOON, reason="From today")
    assert backup.get_absolute_url() in found(reader, "zephyr journal")
    assert backup.get_absolute_url() in found(reader, "quimper")
    page = reader.get("/search/", {"q": backup.reference}, follow=True)
    assert "Zephyr journal" in page.content.decode()


def test_a_restore_test_is_found_by_what_was_done(reader):
    given = {"started_at": NOON, "ended_at": NOON + HOUR, "newest_recovered_at": NOON, "succeeded": True}
    test, _ = services.record_restore_test(
        make_system("db", name="Ticket database"),
        **given,
        found="Restored in Quimper",
        by="system: test",
        at=NOON + HOUR,
    )
    page = found(reader, "quimper restored")
    assert test.get_absolute_url() in page
    assert "Restore test of Ticket database" in page


def test_whoever_may_not_read_exercises_finds_none(client):
    plan = make_recovery_plan(title="Zephyr database from its backups")
    client.force_login(make_user("guest"), backend="django.contrib.auth.backends.ModelBackend")
    assert plan.get_absolute_url() not in found(client, "zephyr")
