"""A register as of a moment as a file: what stood then, with the names of then."""

import csv
import io
import json
from datetime import timedelta

import pytest

from portal.assurance.exporting.policy import Refused
from portal.directory.models import System, Team
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_method, make_system, make_team
from tests.factories.exports import ask, content, make_auditor, make_export

pytestmark = pytest.mark.django_db


def query(model, at):
    return f"model={model}&at={at:%Y-%m-%dT%H:%M:%S.%fZ}"


def table(export):
    return list(csv.DictReader(io.StringIO(content(export).decode("utf-8-sig"), newline="")))


def test_it_holds_what_stood_then_and_nothing_that_came_later():
    make_system("first", name="First", owner=make_team("ops", name="Operations"))
    then = clock.now()
    System.objects.get(slug="first").save()
    later = System.objects.get(slug="first")
    later.name = "Renamed"
    later.save()
    make_system("second", name="Second")
    export = make_export("register", query=query("directory.system", then), at=clock.now())
    assert export.title.startswith("Systems as of")
    [line] = table(export)
    assert (line["name"], line["owner"]) == ("First", "Operations")
    assert export.rows == 1
    now = make_export("register", query=query("directory.system", clock.now()), at=clock.now())
    assert {line["name"] for line in table(now)} == {"Renamed", "Second"}


def test_every_record_is_there_whatever_the_size_of_a_batch(monkeypatch):
    monkeypatch.setattr("portal.assurance.exporting.sources.BATCH", 3)
    for number in range(8):
        make_team(f"team-{number}", name=f"=Team {number}")
    export = make_export("register", query=query("directory.team", clock.now()), at=clock.now(), format="jsonl")
    lines = [json.loads(line) for line in content(export).decode().splitlines()]
    assert {int(line["object"]) for line in lines} == set(Team.objects.values_list("pk", flat=True))
    assert {"=Team 7"} <= {line["name"] for line in lines}


def test_masked_fields_stay_masked():
    make_method(make_contact(reachable=False), kind="phone", address="+44 20 7946 0123")
    export = make_export("register", query=query("directory.contactmethod", clock.now()), at=clock.now())
    assert "+44 20 7946 0123" not in content(export).decode()
    assert "not shown" in content(export).decode()


def test_an_hour_without_a_zone_is_one_of_the_readers():
    export = ask("register", by=make_auditor(time_zone="Asia/Tokyo"), query="model=directory.team&at=2026-11-17 09:00")
    assert export.parameters["query"].endswith("at=2026-11-17T00%3A00%3A00.000000Z")
    assert export.title == "Teams as of 17 Nov 2026, 00:00 UTC"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "Choose a kind of records"),
        ("model=nonsense.nothing&at=2026-11-17 09:00", "Choose a kind of records"),
        ("model=directory.team&at=sometime", "Give a day and an hour"),
        ("model=directory.team", "Give a day and an hour"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(asked, told):
    with pytest.raises(Refused, match=told):
        ask("register", query=asked)


def test_a_kind_that_the_reader_does_not_see_is_refused():
    with pytest.raises(Refused):
        ask("register", by=make_user(), query=query("directory.team", clock.now()))


def test_ages_later_nothing_is_lost_to_a_deleted_record():
    export = make_export("register", query=query("directory.team", clock.now() - timedelta(days=999)), at=clock.now())
    assert (export.state, export.rows) == ("done", 0)
