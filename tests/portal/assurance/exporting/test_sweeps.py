"""The worker of exports: one after another, failure is data, and nothing is made twice."""

import errno

import pytest
import xlsxwriter
from django.db import OperationalError
from xlsxwriter.exceptions import FileCreateError

from portal.assurance.exporting import policy, services, storing, sweeps
from portal.assurance.exporting.trail import Trail
from portal.assurance.models import Export
from portal.notify.models import Message
from tests.factories.directory import NOON, make_contact
from tests.factories.exports import ask, make_auditor, make_export
from tests.factories.incidents import make_incident
from tests.factories.packets import make_packet

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


FILES = [
    ("csv", "export.csv"),
    ("jsonl", "export.jsonl"),
    *(("packet", name) for name in ("chain.jsonl", "population.csv", "packet.pdf", "packet.zip")),
]


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_a_full_disk_fails_the_export_in_a_sentence_and_leaves_no_file(kind, name, monkeypatch):
    begin = storing.begin

    def without_room(export, token):
        place = begin(export, token)
        (place / name).symlink_to("/dev/full")  # every write to it fails as on a full disk
        return place

    ada = make_auditor()
    make_contact("Ada", user=ada)
    make_incident()
    with monkeypatch.context() as during:
        during.setattr(storing, "begin", without_room)
        export = make_packet(by=ada) if kind == "packet" else make_export(by=ada, format=kind)
    assert (export.state, export.error) == ("failed", sweeps.FULL)
    assert not list(storing.folder().glob(f"{export.pk}/**"))
    assert Message.objects.get().kind == "export_failed"
    with pytest.raises(policy.Refused, match="there is no file"):
        services.fetch(export, by=ada, at=NOON)
    again = make_export(by=ada, format="csv")
    assert services.fetch(again, by=ada, at=NOON).is_file()


def test_a_disk_that_is_full_when_a_workbook_is_put_together_says_so(monkeypatch):
    def full(book):
        raise FileCreateError(OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr(xlsxwriter.Workbook, "close", full)
    export = make_export(format="xlsx")
    assert (export.state, export.error) == ("failed", sweeps.FULL)
    assert not storing.path_of(export).parent.exists()


def test_a_disk_that_is_full_when_the_file_is_put_into_its_place_leaves_no_file(monkeypatch):
    def full(made, export):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storing, "keep", full)
    export = make_export()
    assert (export.state, export.error, export.digest) == ("failed", sweeps.FULL, "")
    assert not storing.path_of(export).parent.exists()


def test_a_database_that_went_away_at_the_last_moment_leaves_no_file_without_a_row(monkeypatch):
    keep = storing.keep

    def gone(made, export):
        keep(made, export)
        raise OperationalError("gone")

    monkeypatch.setattr(storing, "keep", gone)
    monkeypatch.setattr(sweeps, "connections", type("Open", (), {"close_all": lambda self: None})())
    export = make_export()
    assert (export.state, export.digest) == ("waiting", "")
    assert not storing.path_of(export).parent.exists()


def test_a_worker_begins_no_other_after_half_an_hour():
    ask(reason="One")
    ask(reason="Two")
    ticks = iter([NOON, NOON])
    assert sweeps.make_exports(now=lambda: next(ticks, NOON + sweeps.LONGEST_TURN)) == 1
    assert sorted(export.state for export in Export.objects.all()) == ["done", "waiting"]


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
