"""A message that is due is skipped only with a reason, and counts neither as met nor as missed."""

from datetime import timedelta

import pytest

from incidents import clocks, services
from incidents.policy import Refused
from incidents.sweeps import sweep_incidents
from portal.deadlines.models import DeadlineState
from tests.factories.directory import NOON, make_severity
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db

BY = "system: tests"


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def skip(incident, key, minutes, reason="No customer is affected."):
    return services.skip_clock(incident, clock=key, by=BY, at=after(minutes), reason=reason)


def test_a_skipped_message_says_why_and_is_neither_met_nor_missed():
    incident = make_incident(severity=1)
    skip(incident, "customers", 5)
    sweep_incidents(at=after(45))
    row = clocks.of(incident)["customers"]
    card = next(one for one in clocks.clock_cards(incident, at=after(46)) if one.key == "customers")
    assert (row.state, row.met_at, card.state, card.owed) == (DeadlineState.CANCELLED, None, "skipped", False)
    assert card.note == f"Skipped by {BY}: No customer is affected."
    assert "counts neither as met nor as missed" in card.explanation[-1]
    assert "customers.2" not in clocks.of(incident)


def test_a_skipped_message_is_not_owed_when_the_incident_is_closed():
    incident = make_incident(severity=1)
    services.acknowledge(incident, by=BY, at=after(1))
    for audience in ("stakeholders", "executives"):
        services.record_update(incident, audience=audience, text="Known.", by=BY, at=after(2))
    skip(incident, "customers", 3)
    services.resolve(incident, by=BY, at=after(4))
    assert services.close(incident, by=BY, at=after(5)).status == "closed"


def test_after_a_skipped_update_the_next_is_due_again():
    incident = make_incident(severity=1)
    services.record_update(incident, audience="customers", text="Known.", by=BY, at=after(10))
    skip(incident, "customers.2", 20, "Nothing new since ten minutes.")
    assert clocks.of(incident)["customers.3"].due_at == after(50)


@pytest.mark.parametrize("level", [2, 3])
def test_another_severity_leaves_a_skipped_message_skipped(level):
    incident = make_incident(severity=1)
    skip(incident, "customers", 5)
    services.reclassify(incident, severity=make_severity(level), by=BY, at=after(6))
    services.reclassify(incident, severity=make_severity(1), by=BY, at=after(7))
    card = next(one for one in clocks.clock_cards(incident, at=after(8)) if one.key == "customers")
    assert card.state == "skipped"


def test_a_reopened_incident_leaves_a_skipped_message_skipped():
    incident = make_incident(severity=1)
    skip(incident, "customers", 5)
    incident = services.cancel(incident, by=BY, at=after(6), reason="A test")
    services.reopen(incident, by=BY, at=after(7), reason="It was none")
    assert clocks.of(incident)["customers"].payload["skip"]["by"] == BY


@pytest.mark.parametrize(
    ("key", "minutes", "reason", "sentence"),
    [
        ("customers", 5, "", "Say why they are not told"),
        ("customers", 5, "\u200b", "Say why they are not told"),
        ("response", 5, "x", "Only a message to an audience can be skipped"),
        ("customers.7", 5, "x", "not due any more"),
        ("customers", 31, "x", "What was missed stays missed"),
    ],
)
def test_what_cannot_be_skipped_is_refused_with_a_sentence(key, minutes, reason, sentence):
    with pytest.raises(Refused, match=sentence):
        skip(make_incident(severity=1), key, minutes, reason)
