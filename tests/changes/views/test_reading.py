"""What is read of changes: the record for an auditor, the report, and the templates of standard changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes import services
from changes.enums import Outcome
from changes.models import ChangeTemplate, Module
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.changes import HOUR, approve_template, make_change, make_scheduled, verify
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def text_of(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def closed(jonas, amara, database, at):
    begun = at - timedelta(hours=3)
    change = make_scheduled(
        by=jonas, implementer=amara, systems=[database], modules=Module.objects.all()[:1], impact=4, likelihood=4,
        at=begun - timedelta(hours=26), planned_start=begun, planned_end=begun + HOUR,
    )  # fmt: skip
    change = services.start(change, by=amara, at=begun)
    change = verify(change, by=amara, at=begun + HOUR)
    return services.close(change, outcome=Outcome.SUCCESSFUL, by=jonas, at=begun + HOUR)


def test_the_record_shows_who_asked_who_decided_and_who_carried_out_apart(as_user, closed, jonas):
    page = as_user(jonas).get(f"{closed.get_absolute_url()}record/")
    shown = text_of(page)
    for words in (
        "<dt>Requester</dt><dd>Jonas Lindqvist", "Henrik Voss, Management", "Ruth Bergqvist, Change authority",
        "<dt>Implementer</dt><dd>Amara Okafor", "1 day 2 h before the start", "The requester decided nothing: yes",
        "Who carries it out decided nothing: yes", "Approved before it was started: yes", "commit 5d1e0a4",
        ": the same",
    ):  # fmt: skip
        assert words in shown, words
    assert [duty.holds for duty in page.context["record"].duties] == [True, True, True]


def test_the_record_of_a_draft_says_what_is_missing(as_user, jonas, slot, at):
    change = make_change(by=jonas, at=at, **slot)
    shown = text_of(as_user(jonas).get(f"{change.get_absolute_url()}record/"))
    assert "Nobody has approved it as it stands." in shown
    assert as_user(make_user("nobody")).get(f"{change.get_absolute_url()}record/").status_code == 404


def test_the_report_counts_what_its_links_show(as_user, closed, jonas, database, at):
    incident = make_incident(systems=[database], at=at)
    services.relate(closed, incident, kind="caused", by=jonas, at=at)
    reader = as_user(jonas)
    report = reader.get("/changes/report/").context["report"]
    whole = report.whole
    assert (whole.closed, whole.success_rate, whole.emergency_share, whole.caused) == (1, 100, 0, 1)
    assert whole.lead == timedelta(hours=27)
    (month,) = [tally for tally in report.months if tally.closed]
    figures = [month.closed_figure, month.caused_figure, *month.figures, month.emergency_figure, whole.caused_figure]
    for figure in figures:
        listed = reader.get(figure.url).context["listing"].rows
        assert len(listed) == figure.number, figure


def test_a_month_without_changes_leads_nowhere_and_is_one_line_on_a_phone(as_user, closed, jonas):
    page = as_user(jonas).get("/changes/report/").content.decode()
    *_, quiet = page.split('<tr role="row">')[1:-1]
    assert "<a " not in quiet
    assert quiet.count("not-phone") == quiet.count("<td") - 1


def test_an_empty_report_says_so(as_user, jonas):
    assert "No change was closed in twelve months" in text_of(as_user(jonas).get("/changes/report/"))


def test_a_template_is_approved_used_and_revoked(as_user, ruth, jonas):
    template = ChangeTemplate.objects.get(slug="security-patch")
    address = template.get_absolute_url()
    assert "It is not approved as it stands" in text_of(as_user(jonas).get(address))
    assert "Ask for approval" in text_of(as_user(ruth).get(address))
    approve_template(template)
    assert "Draft a change" in text_of(as_user(jonas).get(address))
    assert "Draft" in text_of(as_user(jonas).get("/changes/templates/"))
    assert as_user(jonas).get(f"{address}revoke/").status_code == 403
    assert as_user(ruth).post(f"{address}revoke/", {"change_reason": ""}).status_code == 422
    assert as_user(ruth).post(f"{address}revoke/", {"change_reason": "Replaced"}).status_code == 302
    shown = text_of(as_user(jonas).get(address))
    assert "Nothing is made from it any more" in shown
    assert "Draft a change" not in shown
    again = as_user(ruth).post(f"{address}revoke/", {"change_reason": "Replaced"})
    assert "It was revoked already" in text_of(again)


def test_who_has_no_role_reads_none_of_it(as_user):
    nobody = as_user(make_user("nobody"))
    for address in ("/changes/report/", "/changes/templates/", "/changes/templates/security-patch/"):
        assert nobody.get(address).status_code == 403
    assert as_user(make_person("Al", "responder")).get("/changes/templates/unheard/").status_code == 404
