"""Writing changes down and editing them: forms that keep what was typed and say what is wrong."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from changes import services
from changes.enums import ChangeType, Status
from changes.forms.base import StepsField
from changes.models import Change, ChangeTemplate, Module
from changes.services import Plan
from incidents import services as incidents
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.changes import approve_template, decide_all, make_assessed, make_change, make_started
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


def text_of(response):
    return " ".join(response.content.decode().split())


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def words(database, amara, slot):
    """What somebody fills in."""
    return {
        "once": str(uuid.uuid4()), "title": "Upgrade the ticket database", "type": "normal",
        "justification": "Version 15 leaves support.", "systems": [database.pk], "implementer": amara.pk,
        "planned_start": local(slot["planned_start"]), "planned_end": local(slot["planned_end"]),
        "implementation": "1. Drain the queue (5 min)\n2. Upgrade db-1 [20 min]\n\n3. Open writes",
        "test_plan": "Smoke suite", "rollback": "- Promote db-2 (10 min)", "rollback_minutes": "10",
        "point_of_no_return": "None",
    }  # fmt: skip


def test_who_may_draft(client, as_user):
    assert client.get("/changes/draft/").status_code == 302
    assert as_user(make_user("nobody")).get("/changes/draft/").status_code == 403
    assert as_user(make_person("Al", "auditor")).get("/changes/draft/").status_code == 403
    assert as_user(make_person("Al B", "responder")).get("/changes/draft/").status_code == 200


def test_a_change_is_drafted_once_with_its_steps(as_user, jonas, words, database):
    for _ in range(2):
        response = as_user(jonas).post("/changes/draft/", words)
        assert response.status_code == 302
    change = Change.objects.get()
    steps = change.steps.filter(kind="implementation").order_by("position").values_list("text", "minutes")
    assert list(steps) == [("Drain the queue", 5), ("Upgrade db-1", 20), ("Open writes", None)]
    assert (change.requester, change.status, list(change.systems.all())) == (jonas, Status.DRAFT, [database])
    assert response["Location"] == change.get_absolute_url()


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(as_user, jonas, words, slot):
    wrong = {**words, "planned_end": local(slot["planned_start"]), "has_outage": "on", "rollback": "x" * 501}
    response = as_user(jonas).post("/changes/draft/", wrong)
    assert response.status_code == 422
    shown = text_of(response)
    for sentence in ("It would end before it starts", "Say how long the outage lasts", "Step 1 is longer than 500"):
        assert sentence in shown
    assert "Upgrade the ticket database" in shown
    assert not Change.objects.exists()


def test_half_a_window_is_refused(as_user, jonas, words):
    response = as_user(jonas).post("/changes/draft/", {**words, "planned_end": ""})
    assert "Say when it is to start and to end." in text_of(response)


def test_an_incident_becomes_a_change_by_a_form_filled_in_advance(as_user, jonas, words, database, at):
    incident = make_incident(title="Writes are slow", systems=[database], at=at)
    address = f"/changes/draft/?incident={incident.reference}"
    form = as_user(jonas).get(address).context["form"]
    assert form["title"].value() == "Mend: Writes are slow"
    assert form["systems"].value() == [database.pk]
    as_user(jonas).post(address, words)
    (link,) = records.links_of(Change.objects.get(), user=jonas)
    assert (link.record, link.words) == (incident, "Fixes")


def test_an_address_that_names_nothing_fills_in_nothing(as_user, jonas):
    form = as_user(jonas).get("/changes/draft/?incident=INC-999999&system=gone&type=odd").context["form"]
    assert (form["title"].value(), form["systems"].value()) == ("", [])


def test_a_standard_change_is_drafted_by_its_template(as_user, jonas, words):
    template = ChangeTemplate.objects.get(slug="security-patch")
    refused = as_user(jonas).post("/changes/draft/security-patch/", words)
    assert refused.status_code == 422
    assert "is not approved as it stands" in text_of(refused)
    approve_template(template)
    page = as_user(jonas).get("/changes/draft/security-patch/")
    assert "Put back the version that ran before" in text_of(page)
    assert f"{template.title}" in text_of(page)
    assert 'name="title"' not in page.content.decode()
    assert as_user(jonas).post("/changes/draft/security-patch/", words).status_code == 302
    change = Change.objects.get()
    assert (change.type, change.template, change.steps.count()) == (ChangeType.STANDARD, template, 7)
    assert change.title.startswith(f"{template.title}: ")


def test_an_edit_voids_what_was_decided_and_says_so_beforehand(as_user, jonas, words, amara, database, slot, at):
    change = decide_all(make_assessed(by=jonas, implementer=amara, systems=[database], at=at, **slot), at=at)
    page = as_user(jonas).get(f"{change.get_absolute_url()}edit/")
    assert "What was decided becomes void" in text_of(page)
    form = {**words, "stands": page.context["form"]["stands"].value(), "reason": "A better plan"}
    assert as_user(jonas).post(f"{change.get_absolute_url()}edit/", form).status_code == 302
    change.refresh_from_db()
    assert (change.version, change.status) == (2, Status.SUBMITTED)


def test_an_edit_of_what_somebody_else_has_edited_is_refused(as_user, jonas, words, slot, at):
    change = make_change(by=jonas, at=at, **slot)
    page = as_user(jonas).get(f"{change.get_absolute_url()}edit/")
    services.revise(change, Plan({"test_plan": "Otherwise"}), by=jonas, at=at)
    form = {**words, "stands": page.context["form"]["stands"].value(), "reason": ""}
    refused = as_user(jonas).post(f"{change.get_absolute_url()}edit/", form)
    assert refused.status_code == 422
    assert "Somebody edited it meanwhile" in text_of(refused)


def test_the_form_shows_what_stands_so_that_keeping_it_changes_nothing(as_user, jonas, amara, slot, at):
    change = make_assessed(by=jonas, implementer=amara, at=at, modules=Module.objects.all()[:2], **slot)
    form = as_user(jonas).get(f"{change.get_absolute_url()}edit/").context["form"]
    same = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    same |= {"planned_start": local(change.planned_start), "planned_end": local(change.planned_end)}
    same |= {name: form[name].field.prepare_value(same[name]) for name in ("implementation", "validation", "rollback")}
    same.pop("has_outage")
    assert as_user(jonas).post(f"{change.get_absolute_url()}edit/", {**same, "reason": ""}).status_code == 302
    change.refresh_from_db()
    assert change.planned_start.replace(second=0, microsecond=0) == slot["planned_start"].replace(
        second=0, microsecond=0
    )


def test_what_is_under_way_is_not_edited(as_user, jonas):
    change = make_started(by=jonas)
    shown = text_of(as_user(jonas).get(f"{change.get_absolute_url()}edit/"))
    assert "What was approved stands as it is" in shown


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        ("", []),
        ("Stop it", [("Stop it", None)]),
        ("1) Stop it (5 min)\n* Start it [10 minutes]", [("Stop it", 5), ("Start it", 10)]),
        ("Use port (8080)", [("Use port (8080)", None)]),
        ("Wait 5 min", [("Wait 5 min", None)]),
    ],
)
def test_steps_are_read_from_lines_and_written_back(lines, steps):
    field = StepsField(label="Steps")
    assert field.clean(lines) == steps
    assert field.clean(field.prepare_value(steps)) == steps


def test_no_word_of_a_restricted_incident_is_taken_over_into_a_change_that_more_people_read(client, jonas, at):
    incident = make_incident(title="Card numbers leaked", by=jonas, at=at)
    incidents.restrict(incident, by=jonas, at=at, reason="It is a breach")
    client.force_login(jonas)
    page = client.get(f"/changes/draft/?about={incident.reference}")
    assert page.context["about"] == incident
    assert not page.context["form"]["title"].value()
    assert "justification" not in page.context["form"].initial
