"""The report counts what was due, met, missed and skipped, of what its reader may see, in a fixed number of queries."""

from datetime import timedelta

import pytest
from django.urls import reverse

from incidents import services
from incidents.models import Incident
from incidents.selectors.kept import Asked, report_of
from incidents.sweeps import sweep_incidents
from tests.factories.accounts import make_user
from tests.factories.directory import NOON
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db

BY = "system: tests"


def after(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def reader():
    return make_user("rita", roles=["responder"])


@pytest.fixture
def incident():
    """A SEV-1: stakeholders told in time and then not again, customers skipped, executives still due."""
    made = make_incident(title="Down", severity=1)
    services.record_update(made, audience="stakeholders", text="Known.", by=BY, at=after(5))
    services.skip_clock(made, clock="customers", by=BY, at=after(6), reason="Nobody is affected.")
    sweep_incidents(at=after(40))
    return made


def numbers(line):
    return {cell.result: cell.number for cell in line.cells}


def test_each_ends_in_one_column(incident, reader):
    report = report_of(reader, Asked(), at=after(41))
    assert {(line.code, line.audience): (line.total, numbers(line)) for line in report.lines} == {
        ("SEV-1", "Stakeholders"): (2, {"met": 1, "missed": 1, "skipped": 0, "running": 0}),
        ("SEV-1", "Customers"): (1, {"met": 0, "missed": 0, "skipped": 1, "running": 0}),
        ("SEV-1", "Executives"): (1, {"met": 0, "missed": 0, "skipped": 0, "running": 1}),
    }
    assert report.total.total == 4
    assert next(row.reason for row in report.clocks if row.audience == "Customers") == "Nobody is affected."


def test_the_filters_narrow_counts_and_list(incident, reader):
    make_incident(title="Slow", severity=2)
    assert {line.code for line in report_of(reader, Asked(severity=2), at=after(41)).lines} == {"SEV-2"}
    assert {line.audience for line in report_of(reader, Asked(audience="customers"), at=after(41)).lines} == {
        "Customers"
    }
    missed = report_of(reader, Asked(result="missed"), at=after(41)).clocks
    assert {(row.incident.title, row.audience) for row in missed} == {("Down", "Stakeholders"), ("Slow", "Customers")}
    assert report_of(reader, Asked(days=7), at=after(60 * 24 * 9)).total.total == 0


def test_nothing_is_counted_of_what_the_reader_may_not_see(incident, reader, monkeypatch):
    assert report_of(make_user("nora"), Asked(), at=after(41)).total.total == 0
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda _cls, _user: [str(incident.pk)]), raising=False)
    assert report_of(reader, Asked(), at=after(41)).total.total == 0


def test_more_incidents_cost_no_more_queries(incident, reader, django_assert_max_num_queries):
    reader.has_perm("incidents.view_incident")
    with django_assert_max_num_queries(8):
        report_of(reader, Asked(), at=after(41))
    for _ in range(3):
        make_incident(severity=1)
    with django_assert_max_num_queries(8):
        report_of(reader, Asked(), at=after(41))


@pytest.mark.parametrize(
    "query", ["", "?days=9&severity=x&audience=y&result=z&page=0", "?days=90&severity=1&audience=customers&page=99999"]
)
def test_every_view_of_it_is_an_address(client, reader, query):
    make_incident(title="Down", severity=1)
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("incidents:communications") + query).status_code == 200
