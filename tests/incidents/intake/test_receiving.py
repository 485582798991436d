"""One post becomes what happens to an incident, in one transaction."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from incidents import policy, services
from incidents.enums import DeliveryResult, EscalationState, Status
from incidents.intake import receiving, settling, tokens
from incidents.models import Alert, Incident, IntakeDelivery, PayloadLine, StatusWord
from portal.records import services as records
from tests.factories.directory import NOON, make_contact, make_severity, make_system
from tests.factories.incidents import make_token
from tests.factories.payloads import body
from tests.incidents.intake.test_other_forms import of_the_button

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return make_system("ticket-store", name="Ticket store")


@pytest.fixture
def secret():
    return make_token("Prometheus")[1]


def post(secret, found, *, at=NOON):
    found = found if isinstance(found, bytes) else json.dumps(found).encode()
    return receiving.receive(secret, found, content_type="application/json", address="192.0.2.7", at=at)


def after(**span):
    return NOON + timedelta(**span)


def notes(incident, kind):
    return list(records.timeline(incident).filter(kind=kind).order_by("id"))


def test_a_firing_group_declares_an_incident(secret, store):
    answer = post(secret, body("v4_firing"))
    incident = Incident.objects.get()
    assert (answer.status_code, answer.status, answer.incident) == (200, "opened", incident)
    assert incident.title == "Disk of the ticket store is almost full"
    assert incident.severity.code == "SEV-3"
    assert list(incident.systems.all()) == [store]
    assert incident.status == Status.DECLARED
    assert (incident.source, incident.declared_by) == ("Prometheus", "source: Prometheus")
    assert incident.history.latest().actor_name == "source: Prometheus"
    assert incident.history.latest().origin == "api"
    assert notes(incident, "declared")[0].event_at < NOON
    assert "1 alert firing, on Ticket store" in notes(incident, "alert")[0].text


def test_the_answer_names_the_incident_and_its_address(secret, store, settings):
    settings.PORTAL_URL = "https://watchbook.example.org"
    reference = Incident.objects.values_list("reference", flat=True)
    answer = post(secret, body("v4_firing")).as_json()
    assert answer["incident"] == reference.get()
    assert answer["url"] == f"https://watchbook.example.org/incidents/{reference.get()}/"


def test_the_same_key_joins_the_open_incident(secret, store):
    first = post(secret, body("v4_firing")).incident
    answer = post(secret, body("v4_firing"), at=after(minutes=5))
    assert (answer.status, answer.incident) == ("joined", first)
    alert = Alert.objects.get()
    assert (alert.count, alert.first_at, alert.last_at) == (2, NOON, after(minutes=5))
    assert len(notes(first, "alert")) == 1, "a repeat that says nothing new writes no line"


def test_a_change_within_the_group_is_a_line_in_the_timeline(secret, store):
    incident = post(secret, body("v4_firing")).incident
    post(secret, body("v4_partly"), at=after(minutes=10))
    line = notes(incident, "alert")[-1]
    assert line.text == "reported 1 alert firing, 1 resolved, 7 more left out by the source under the same key"
    assert line.data["truncated"] == 7


def test_a_source_raises_the_severity_and_never_lowers_it(secret, store):
    post(secret, body("v4_firing"))
    post(secret, body("v4_partly"), at=after(minutes=10))
    assert Incident.objects.get().severity.code == "SEV-2", "the resolved alert in the group is critical"
    post(secret, body("v4_firing"), at=after(minutes=20))
    assert Incident.objects.get().severity.code == "SEV-2"


def test_a_severity_that_no_label_names_raises_nothing(store):
    _, secret = make_token(default_severity=make_severity(1))
    unnamed = body("v3_firing")
    post(secret, unnamed)
    incident = Incident.objects.get()
    assert incident.severity.code == "SEV-1"
    services.reclassify(incident, severity=make_severity(3), by="system: tests", at=after(minutes=1), reason="Harmless")
    post(secret, unnamed, at=after(minutes=5))
    assert Incident.objects.get().severity.code == "SEV-3"


def test_resolved_resolves_and_counts_as_no_acknowledgement(secret, store):
    post(secret, body("v4_firing"))
    answer = post(secret, body("v4_resolved"), at=after(minutes=20))
    incident = Incident.objects.get()
    assert answer.status == "resolved"
    assert incident.status == Status.RESOLVED
    assert incident.acknowledged_at is None
    assert incident.resolved_by == "source: Prometheus"
    assert not Alert.objects.get().firing


def test_a_group_with_one_alert_still_firing_stays_open(secret, store):
    post(secret, body("v4_firing"))
    post(secret, body("v4_partly", status="resolved"), at=after(minutes=20))
    assert Incident.objects.get().is_open


@pytest.mark.parametrize("minutes", [1, 30])
def test_the_same_key_within_30_minutes_of_the_resolve_reopens(secret, store, minutes):
    first = post(secret, body("v4_firing")).incident
    services.acknowledge(first, by=make_contact("Amara"), at=after(minutes=2))
    post(secret, body("v4_resolved"), at=after(minutes=20))
    answer = post(secret, body("v4_firing"), at=after(minutes=20 + minutes))
    incident = Incident.objects.get()
    assert (answer.status, answer.incident) == ("reopened", first)
    assert incident.status == Status.DECLARED
    assert incident.acknowledged_at is None
    assert incident.escalations.filter(state=EscalationState.RUNNING).count() == 1
    assert Alert.objects.get().firing


def test_a_closed_incident_is_reopened_too(secret, store):
    first = post(secret, body("v4_firing")).incident
    post(secret, body("v4_resolved"), at=after(minutes=5))
    services.close(first, by="system: tests", at=after(minutes=6))
    assert post(secret, body("v4_firing"), at=after(minutes=9)).status == "reopened"
    assert Incident.objects.get().closed_at is None


def test_later_than_30_minutes_a_new_incident_opens(secret, store):
    first = post(secret, body("v4_firing")).incident
    post(secret, body("v4_resolved"), at=after(minutes=20))
    answer = post(secret, body("v4_firing"), at=after(minutes=50, seconds=1))
    assert answer.status == "opened"
    assert answer.incident != first


def test_the_time_within_which_an_address_reopens_is_data(store):
    _, secret = make_token(reopen_minutes=5)
    post(secret, body("v4_firing"))
    post(secret, body("v4_resolved"), at=after(minutes=1))
    assert post(secret, body("v4_firing"), at=after(minutes=7)).status == "opened"


def test_a_cancelled_incident_is_not_reopened(secret, store):
    first = post(secret, body("v4_firing")).incident
    services.cancel(first, by="system: tests", at=after(minutes=1), reason="A drill")
    assert post(secret, body("v4_firing"), at=after(minutes=2)).status == "opened"


def test_two_sources_never_meet_under_one_key(secret, store):
    other = make_token("Second Prometheus")[1]
    assert post(secret, body("v4_firing")).status == "opened"
    assert post(other, body("v4_firing")).status == "opened"
    assert Incident.objects.open().count() == 2


def test_resolved_for_an_unknown_key_is_kept_and_says_so(secret):
    answer = post(secret, body("v4_resolved"))
    assert (answer.status_code, answer.status, answer.incident) == (200, "kept", None)
    assert IntakeDelivery.objects.get().result == DeliveryResult.ACCEPTED
    assert "nothing to resolve" in IntakeDelivery.objects.get().sentence


def test_resolved_after_somebody_resolved_by_hand_lets_the_incident_be_closed(secret, store):
    incident = post(secret, body("v4_firing")).incident
    services.acknowledge(incident, by=make_contact(), at=after(minutes=1))
    services.resolve(incident, by="system: tests", at=after(minutes=2))
    assert services.open_ends(incident)
    answer = post(secret, body("v4_resolved"), at=after(minutes=3))
    assert (answer.status, answer.incident) == ("unchanged", incident)
    assert not services.open_ends(incident)


def test_without_a_system_the_incident_opens_and_the_timeline_says_what_to_do(secret):
    answer = post(secret, body("v3_firing"))
    assert answer.incident.systems.count() == 0
    line = notes(answer.incident, "alert")[0]
    assert line.text == "reported 1 alert firing, on no system that is known here"
    assert "alertname=MailQueueGrows, job=mail-gateway" in line.detail
    assert "add an intake mapping" in line.detail


def test_a_severity_word_that_nobody_mapped_is_said(store):
    secret = make_token(kind="json")[1]
    found = body("plain_firing", severity="apocalyptic", colour="red")
    answer = post(secret, found)
    assert answer.incident.severity.code == "SEV-3"
    assert "“apocalyptic” is not mapped, so SEV-3 was taken" in answer.sentence
    detail = notes(answer.incident, "alert")[0].detail
    assert "“apocalyptic” is not mapped" in detail
    assert "were not read: colour." in detail
    again = post(secret, found, at=after(minutes=5))
    assert "“apocalyptic” is not mapped, so it changed nothing." in again.sentence


def test_a_beginning_in_the_future_gives_way_to_the_time_of_receipt_and_is_said(store):
    secret = make_token(kind="json")[1]
    answer = post(secret, body("plain_firing", started_at=after(hours=3).isoformat()))
    assert "begun at 2026-11-17 15:00 UTC, which lies in the future" in answer.sentence
    assert notes(answer.incident, "declared")[0].event_at == NOON
    assert "which lies in the future" in notes(answer.incident, "alert")[0].detail


def test_a_clock_that_is_a_little_ahead_is_not_worth_a_word(store):
    secret = make_token(kind="json")[1]
    answer = post(secret, body("plain_firing", started_at=after(seconds=50).isoformat()))
    assert answer.sentence == f"{answer.incident.reference} was declared at {answer.incident.severity.code}."
    assert notes(answer.incident, "declared")[0].event_at == NOON


def test_systems_that_come_later_are_named(store):
    secret = make_token(kind="json")[1]
    make_system("mail-gateway", name="Mail gateway")
    incident = post(secret, body("plain_firing", systems=["ticket-store"])).incident
    post(secret, body("plain_firing", labels={"host": "b2"}), at=after(minutes=5))
    assert notes(incident, "alert")[-1].detail == "It also names Mail gateway, which this incident does not list."


def test_the_plain_form_resolves_by_key(store):
    secret = make_token(kind="json")[1]
    post(secret, body("plain_firing"))
    assert post(secret, body("plain_resolved"), at=after(minutes=3)).status == "resolved"


@pytest.mark.parametrize("key", ["k" * 4000, "with\x00nul", "two\nlines", "half \ud800"])
def test_a_key_that_cannot_be_kept_is_kept_as_its_digest(secret, key):
    assert post(secret, body("v4_firing", groupKey=key)).status == "opened"
    assert post(secret, body("v4_firing", groupKey=key), at=after(minutes=1)).status == "joined"
    assert "sha256:" in Incident.objects.get().dedup_key


def test_hostile_text_opens_a_clean_incident(secret):
    nasty = {"alertname": "a\x00b\u202ec\ud800", "severity\x00": "critical", "x": "9" * 3000}
    found = body("v4_firing", commonAnnotations={}, commonLabels=nasty, alerts=[{"labels": nasty}])
    incident = post(secret, found).incident
    assert incident.title == "abc\ufffd"
    assert incident.severity.code == "SEV-1"


def test_ten_thousand_alerts_open_one_incident(secret):
    found = body("v4_firing", alerts=[{}] * 10_000, commonAnnotations={})
    assert post(secret, found).status == "opened"
    assert "10000 alerts firing" in notes(Incident.objects.get(), "alert")[0].text


@pytest.mark.parametrize("found", [b"{", b'{"a": 1}', b" " * (256 * 1024 + 5)])
def test_a_refused_body_is_kept_for_inspection(secret, found):
    answer = post(secret, found)
    kept = IntakeDelivery.objects.get()
    assert kept.result == DeliveryResult.REJECTED
    assert (kept.status_code, kept.sentence) == (answer.status_code, answer.sentence)
    assert found.startswith(bytes(kept.body))
    assert len(kept.body) <= max(16 * 1024, len(found) if len(found) <= 256 * 1024 else 0)
    assert kept.address == "192.0.2.7"


def test_only_so_many_refused_bodies_are_kept(secret, monkeypatch):
    monkeypatch.setattr(receiving, "KEPT_REJECTED", 3)
    post(secret, body("v4_firing"))
    for number in range(6):
        post(secret, b"{" + str(number).encode())
    kept = IntakeDelivery.objects.filter(result=DeliveryResult.REJECTED).order_by("id")
    assert [bytes(row.body) for row in kept] == [b"{3", b"{4", b"{5"]
    assert IntakeDelivery.objects.filter(result=DeliveryResult.ACCEPTED).count() == 1


def test_an_unknown_or_revoked_address_is_answered_alike_and_keeps_nothing():
    make_token("Old", secret="old-secret", revoked_at=NOON, revoked_by="Amara")
    revoked, unknown = post("old-secret", body("v4_firing")), post("never-made", body("v4_firing"))
    assert revoked == unknown
    assert revoked.status_code == 404
    assert not IntakeDelivery.objects.exists()


def test_a_fault_of_ours_is_kept_and_answered_503(secret, monkeypatch, caplog):
    monkeypatch.setattr(settling.services, "declare", lambda **_: 1 / 0)
    answer = post(secret, body("v4_firing"))
    assert answer.status_code == 503
    assert IntakeDelivery.objects.get().result == DeliveryResult.FAILED
    assert not Incident.objects.exists()
    assert secret not in caplog.text


def test_only_a_few_queries_are_needed_however_many_alerts_come(secret, store, django_assert_max_num_queries):
    found = body("v4_firing", alerts=[{"labels": {"instance": str(n), "service": f"s{n}"}} for n in range(2000)])
    post(secret, body("v4_firing"))
    with django_assert_max_num_queries(30):
        post(secret, found, at=after(minutes=1))


def test_an_alert_of_a_revoked_address_keeps_no_incident_from_being_closed(secret, store):
    post(secret, body("v4_firing"))
    incident = services.acknowledge(Incident.objects.get(), by=make_contact(), at=after(minutes=1))
    services.resolve(incident, by=make_contact(), at=after(minutes=2))
    assert services.open_ends(incident) == ["The alert “Disk of the ticket store is almost full” still fires."]
    tokens.revoke(incident.alerts.get().token, by=make_contact(), at=after(minutes=3), reason="A test")
    assert services.close(incident, by=make_contact(), at=after(minutes=4)).status == Status.CLOSED


def test_an_event_acknowledges_the_incident_of_its_key(store):
    secret = make_token("Events", kind="pagerduty")[1]
    event = {"event_action": "trigger", "dedup_key": "mq", "payload": {"summary": "Queue", "severity": "critical"}}
    assert post(secret, {"event_action": "acknowledge", "dedup_key": "mq"}).status == "kept"
    opened = post(secret, event)
    answer = post(secret, {"event_action": "acknowledge", "dedup_key": "mq"}, at=after(minutes=1))
    incident = Incident.objects.get()
    assert (opened.key, answer.status, incident.status) == ("mq", "acknowledged", Status.ACKNOWLEDGED)
    assert incident.acknowledged_by == "source: Events"
    assert post(secret, {"event_action": "acknowledge", "dedup_key": "mq"}).status == "unchanged"
    assert post(secret, {"event_action": "resolve", "dedup_key": "mq"}, at=after(minutes=9)).status == "resolved"


def test_a_generic_address_reads_by_its_own_lines_and_words(store):
    token, secret = make_token("Oven", kind="generic")
    for field, path in (("title", "what"), ("key", "id"), ("status", "is"), ("system", "where")):
        PayloadLine.objects.create(token=token, field=field, path=path)
    StatusWord.objects.create(token=token, word="Cold", means="resolved")
    found = {"what": "Too hot", "id": 4, "is": "hot", "where": "ticket-store"}
    answer = post(secret, found)
    assert (answer.incident.title, list(answer.incident.systems.all())) == ("Too hot", [store])
    assert "“hot” is not mapped" in answer.sentence
    assert post(secret, found | {"is": "cold"}, at=after(minutes=1)).status == "resolved"


def test_the_form_of_a_known_tool_is_copied_into_lines_once():
    token, _ = tokens.add(name="Pings", kind="generic", preset="pingdom", by=make_contact(), at=NOON, reason="A test")
    lines = PayloadLine.objects.filter(token=token)
    count = lines.count()
    assert lines.filter(field="key", path="check_id").exists()
    tokens.use_preset(token, "pingdom", by=make_contact(), at=NOON, reason="Again")
    assert lines.count() == count
    with pytest.raises(policy.Refused, match="reads its own form"):
        tokens.use_preset(make_token()[0], "pingdom", by=make_contact(), at=NOON, reason="A test")
    with pytest.raises(policy.Refused, match="no form sieve"):
        tokens.use_preset(token, "sieve", by=make_contact(), at=NOON, reason="A test")


def test_a_test_of_grafana_is_answered_and_kept_and_opens_nothing(store):
    secret = make_token("Dashboards", kind="grafana")[1]
    answer = post(secret, of_the_button())
    assert (answer.status_code, answer.status, answer.incident) == (200, "nothing", None)
    assert answer.sentence.startswith("The test of Grafana came in.")
    assert not Incident.objects.exists()
    kept = IntakeDelivery.objects.get()
    assert (kept.result, kept.sentence) == ("accepted", answer.sentence)
