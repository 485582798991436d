"""The worker of exports: one after another, failure is data, and nothing is made twice."""

import pytest
from django.db import OperationalError

from portal.assurance.exporting import policy, services, sweeps
from portal.assurance.exporting.trail import Trail
from portal.assurance.models import Export
from tests.factories.directory import NOON
from tests.factories.exports import ask, make_auditor, make_export
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def now():
    return NOON


def failing(monkeypatch, problem):
    def count(self, work):
        raise problem

    monkeypatch.setattr(Trail, "count", count)


def test_all_that_waits_is_made():
    ask()
    ask("incidents")
    assert sweeps.make_exports(now=now) == 2
    assert {export.state for export in Export.objects.all()} == {"done"}
    assert sweeps.make_exports(now=now) == 0


def test_a_refusal_is_the_sentence_of_the_failed_export(monkeypatch):
    failing(monkeypatch, policy.Refused("Narrow it."))
    assert (make_export().state, Export.objects.get().error) == ("failed", "Narrow it.")


def test_what_nobody_expected_fails_one_export_and_names_no_secret(monkeypatch):
    failing(monkeypatch, ValueError("a secret"))
    export = make_export()
    assert export.state == "failed"
    assert "ValueError" in export.error
    assert "secret" not in export.error


def test_a_database_that_went_away_is_tried_again(monkeypatch):
    failing(monkeypatch, OperationalError("gone"))
    monkeypatch.setattr(sweeps, "connections", type("Open", (), {"close_all": lambda self: None})())
    assert make_export().state == "waiting"
    monkeypatch.undo()
    sweeps.make_exports(now=lambda: NOON + sweeps.WAIT_AFTER_ERROR)
    assert Export.objects.get().state == "done"


def test_whoever_lost_the_lease_stops_and_settles_nothing(monkeypatch):
    ask()
    monkeypatch.setattr(services, "sign_of_life", lambda *args, **kwargs: False)
    sweeps.make_exports(now=now)
    assert Export.objects.get().state == "working"


def test_an_export_that_takes_too_long_says_so():
    ask()
    ticks = iter([NOON, NOON, NOON, NOON + policy.LONGEST_WORK * 2])
    sweeps.make_exports(now=lambda: next(ticks, NOON + policy.LONGEST_WORK * 2))
    assert "longer than two hours" in Export.objects.get().error


def test_what_somebody_may_no_longer_see_is_not_made():
    ada = make_auditor()
    ask(by=ada)
    ada.groups.clear()
    sweeps.make_exports(now=now)
    assert Export.objects.get().state == "failed"


def test_progress_is_written_batch_after_batch(monkeypatch):
    for _ in range(3):
        make_incident()
    seen = []
    real = services.sign_of_life

    def watch(held, *, done, total, at):
        seen.append((done, total))
        return real(held, done=done, total=total, at=at)

    monkeypatch.setattr(services, "sign_of_life", watch)
    monkeypatch.setattr("portal.assurance.exporting.sources.BATCH", 2)
    make_export("incidents", query="view=all")
    assert seen == [(0, 3), (2, 3), (3, 3)]
