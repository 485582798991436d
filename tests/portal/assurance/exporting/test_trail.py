"""The trail as a file: every difference in full, in two time zones, and only what its reader may see."""

import csv
import io
import json
from zoneinfo import ZoneInfo

import pytest

from incidents.models import Incident
from portal.assurance.exporting.policy import Refused
from portal.audit import sealing, trail
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.audit.seals import Seal
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import NOON
from tests.factories.exports import ask, content, make_auditor, make_export
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def table(export):
    return list(csv.DictReader(io.StringIO(content(export).decode("utf-8-sig"), newline="")))


def test_each_field_that_changed_has_a_line_of_its_own():
    incident = make_incident(title="=HYPERLINK(1)")
    row = TrailRow.objects.filter(model="incidents.incident").order_by("pk").first()
    lines = [line for line in table(make_export()) if line["row"] == str(row.pk)]
    assert [(line["field"], line["old"]) for line in lines] == [(found.field, "") for found in row.differences]
    titles = [line["new"] for line in lines if line["field"] == "title"]
    assert titles == ["'=HYPERLINK(1)"]
    assert {line["reference"] for line in lines} == {incident.reference}


def test_a_row_without_differences_has_one_line():
    trail.record(Action.READ, event="Opened evidence")
    lines = [line for line in table(make_export()) if line["event"] == "Opened evidence"]
    assert len(lines) == 1
    assert (lines[0]["action"], lines[0]["field"], lines[0]["who"]) == ("Read", "", "test")


def test_moments_are_told_in_utc_and_in_the_readers_zone():
    make_incident(at=NOON)
    export = make_export(by=make_auditor(time_zone="Asia/Tokyo"))
    line = next(line for line in table(export) if line["model"] == "incidents.incident")
    at = TrailRow.objects.get(pk=line["row"]).at
    assert line["when (UTC)"] == at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert line["when (Asia/Tokyo)"].endswith("+09:00")


def test_a_line_of_json_holds_the_row_as_it_is():
    incident = make_incident(title="-1+1")
    lines = [json.loads(line) for line in content(make_export(format="jsonl")).decode().splitlines()]
    line = next(line for line in lines if line["reference"] == incident.reference)
    row = TrailRow.objects.get(pk=line["id"])
    assert line["changes"] == [list(found) for found in row.differences]
    assert ["title", None, "-1+1"] in line["changes"]
    assert line["fields"] == row.fields.split()
    assert "seal" in line


def test_the_figures_count_rows_of_the_trail():
    before = TrailRow.objects.count()
    export = make_export()
    assert before < export.rows <= TrailRow.objects.count()
    assert export.total == export.done == export.rows


def test_what_is_hidden_from_the_reader_is_not_in_the_file(monkeypatch):
    shown, hidden = make_incident(), make_incident()
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda model, user: [hidden.pk]), raising=False)
    references = {line["reference"] for line in table(make_export())}
    assert shown.reference in references
    assert hidden.reference not in references


def test_masked_values_stay_masked():
    make_user("ada").set_password("something else entirely")
    assert "something else entirely" not in content(make_export()).decode()


def test_it_is_narrowed_as_its_page_is():
    make_incident()
    make_user("ada")
    everything = make_export().rows
    export = make_export(query="model=accounts.user&action=created")
    assert 0 < export.rows < everything
    assert {(line["model"], line["action"]) for line in table(export)} == {("accounts.user", "Created")}
    assert export.title == "Trail: accounts, Created"


def test_words_of_a_reason_narrow_it_on_either_database():
    trail.record(Action.READ, event="Opened", reason="Quarterly restore rehearsal")
    trail.record(Action.READ, event="Opened", reason="Something else")
    assert [line["reason"] for line in table(make_export(query="q=restore&action=read"))] == [
        "Quarterly restore rehearsal"
    ]


def test_the_days_of_a_period_are_those_of_the_reader():
    trail.record(Action.READ, event="Opened")
    today = clock.now().astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    ada = make_auditor(time_zone="Pacific/Kiritimati")
    assert make_export(by=ada, query=f"from={today}&to={today}&action=read", at=clock.now()).rows == 1
    assert make_export(by=ada, query="period=today&action=read", at=clock.now()).rows == 1


def test_filters_that_mean_nothing_are_refused():
    with pytest.raises(Refused, match="is no day"):
        ask(query="from=someday")


def test_each_line_of_json_has_its_seal():
    make_incident()
    sealing.seal(at=NOON)
    lines = [json.loads(line) for line in content(make_export(format="jsonl")).decode().splitlines()]
    sealed = [line for line in lines if line["seal"]]
    assert len(sealed) >= len(lines) - 6  # what the asking itself has told is sealed later
    seal = Seal.objects.get(source="audit.trailrow", row_id=sealed[0]["id"])
    assert sealed[0]["seal"] == {
        "position": seal.position,
        "payload_digest": bytes(seal.payload_digest).hex(),
        "history_digest": None if seal.history_digest is None else bytes(seal.history_digest).hex(),
        "link": bytes(seal.link).hex(),
        "digest": bytes(seal.digest).hex(),
    }
    assert "salt" not in sealed[0]["seal"]
