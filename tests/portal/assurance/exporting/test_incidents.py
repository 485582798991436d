"""The list of incidents as a file, narrowed as the list is."""

import csv
import io
import json

import pytest

from incidents import services
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.exports import content, make_export
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def test_an_incident_is_told_with_its_moments_and_systems():
    incident = make_incident(systems=[make_system("db", name="Database")], title="@SUM(A1)", by=make_contact("Ada"))
    [line] = csv.DictReader(io.StringIO(content(make_export("incidents")).decode("utf-8-sig"), newline=""))
    assert (line["reference"], line["title"], line["systems"]) == (incident.reference, "'@SUM(A1)", "Database")
    assert (line["declared (UTC)"], line["declared by"]) == ("2026-11-17T12:00:00.000000Z", "Ada")
    assert line["declared (Europe/London)"] == "2026-11-17 12:00:00+00:00"
    assert line["closed (UTC)"] == ""


def test_it_is_narrowed_as_its_list_is():
    kept = make_incident(severity=1)
    make_incident(severity=2)
    export = make_export("incidents", format="jsonl", query="severity=1")
    [line] = content(export).decode().splitlines()
    assert json.loads(line)["reference"] == kept.reference


def test_settled_incidents_are_exported_when_all_are_asked_for():
    ada, incident = make_contact("Ada"), make_incident()
    services.cancel(incident, by=ada, at=NOON, reason="A drill")
    assert make_export("incidents").rows == 0
    assert make_export("incidents", query="view=all").rows == 1


def test_the_title_names_the_view():
    assert make_export("incidents").title == "Open incidents"
    assert make_export("incidents", query="view=all&severity=1").title == "Incidents"


def test_it_opens_as_a_workbook():
    make_incident()
    assert content(make_export("incidents", format="xlsx"))[:2] == b"PK"
