"""Security incidents: classified, contained step by step, and acted on by whoever has read the rule."""

import uuid

import pytest

from incidents import services
from incidents.models import ContainmentStep, TypeRule
from incidents.policy import Refused
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make_user("lena", roles=["security-lead"])


@pytest.fixture
def theft(lead):
    return make_incident(title="Keys are in the open", severity=3, type="security", by=lead)


def lines(incident, kind):
    return [note.text for note in records.timeline(incident).filter(kind=kind).order_by("id")]


def test_the_vector_decides_which_steps_are_proposed_and_each_is_settled_once(theft, lead):
    general = theft.containment.count()
    assert general == 3
    found = services.classify(
        theft, functional_impact="low", information_impact="privacy", recoverability="", attack_vector="email",
        by=lead, at=NOON,
    )  # fmt: skip
    assert services.proposal_of(found).level == 1
    assert found.severity.level == 3  # a person decides
    assert found.history.count() > 1
    assert theft.containment.count() == general + 2
    step, other = theft.containment.all()[:2]
    with pytest.raises(Refused, match="why it is skipped"):
        services.settle_step(theft, step=step, state="skipped", by=lead, at=NOON)
    services.settle_step(theft, step=step, state="skipped", by=lead, at=NOON, reason="No network there")
    services.settle_step(theft, step=other, state="done", by=lead, at=NOON)
    with pytest.raises(Refused, match="settled that step"):
        services.settle_step(theft, step=other, state="done", by=lead, at=NOON)
    assert [row.state for row in ContainmentStep.objects.filter(pk__in=[step.pk, other.pk])] == ["skipped", "done"]
    services.add_step(theft, text="Call  the bank", by=lead, at=NOON)
    with pytest.raises(Refused, match="there already"):
        services.add_step(theft, text="Call the bank", by=lead, at=NOON)
    assert len(lines(theft, "containment")) == 5


def test_only_security_incidents_are_classified_and_calling_one_so_restricts_it_and_pages_the_lead(lead):
    incident = make_incident(by=lead)
    answers = {"functional_impact": "high", "information_impact": "", "recoverability": "", "attack_vector": ""}
    with pytest.raises(Refused, match="Only security"):
        services.classify(incident, by=lead, at=NOON, **answers)
    found = services.set_type(incident, type="security", by=lead, at=NOON)
    assert found.restricted
    assert incident.containment.exists()
    assert lines(incident, "paged")
    with pytest.raises(Refused, match="one of the answers"):
        services.classify(incident, by=lead, at=NOON, **{**answers, "attack_vector": "magic"})
    back = services.set_type(found, type="operational", by=lead, at=NOON)
    assert back.restricted


def test_a_rule_that_says_otherwise_leaves_security_incidents_open(lead):
    rule = TypeRule.objects.get(type="security")
    rule.restricted = False
    rule.save()
    assert not make_incident(type="security", by=lead).restricted


def test_whoever_acts_acknowledges_the_rule_once(client, theft, lead):
    make_contact("Lena", user=lead)
    client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
    room = client.get(theft.get_absolute_url()).content.decode()
    assert "Do NOT shut down systems" in room
    assert "Nobody has acknowledged it yet" in room
    address = f"{theft.get_absolute_url()}note/"
    sent = {"once": str(uuid.uuid4()), "text": "Logs are copied"}
    refused = client.post(address, sent)
    assert refused.status_code == 422
    assert "Read the rule above" in refused.content.decode()
    assert client.post(address, {**sent, "rule": "on"}).status_code == 302
    assert client.post(address, {"once": str(uuid.uuid4()), "text": "And sent"}).status_code == 302
    assert lines(theft, "rule") == ["read the rule and keeps to it"]
    assert f"Read by {lead}" in client.get(theft.get_absolute_url()).content.decode()
    assert "Do NOT shut down" in records.timeline(theft).get(kind="rule").detail


def test_the_proposal_leads_to_the_severity_with_its_sentence(client, theft, lead):
    services.classify(
        theft, functional_impact="high", information_impact="", recoverability="", attack_vector="", by=lead, at=NOON
    )
    client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
    assert "reclassify/?proposed=1" in client.get(theft.get_absolute_url()).content.decode()
    page = client.get(f"{theft.get_absolute_url()}reclassify/?proposed=1").content.decode()
    assert "A critical service is lost to everybody." in page
