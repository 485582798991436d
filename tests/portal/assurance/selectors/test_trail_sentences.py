"""What somebody did reads as a sentence."""

import uuid

import pytest

from portal.assurance.selectors.trail_sentences import principal, sentence
from portal.audit.enums import Action
from tests.factories.trail import make_row

pytestmark = pytest.mark.django_db
INCIDENT = {"reference": "INC-000418", "name": "INC-000418 Mail is late"}
ACCOUNT = {"model": "accounts.user", "object_id": "12", "name": "Oscar Brandt"}
SEVERITY = {"model": "directory.severity", "object_id": "3", "name": "SEV-3"}


def said(*rows):
    return "".join(part.text for part in sentence(rows))


@pytest.mark.parametrize(
    ("changes", "fields", "words"),
    [
        ([], {**INCIDENT, "action": Action.CREATED}, "declared INC-000418"),
        ([("status", "Declared", "Acknowledged")], INCIDENT, "acknowledged INC-000418"),
        ([("status", "Open (o)", "Waiting (w)")], INCIDENT, "moved INC-000418 to “waiting”"),
        ([("activated_at", None, "2026-11-17T12:00:00.000000Z")], INCIDENT, "activated INC-000418"),
        ([("severity", "SEV-2 High (2)", "SEV-3 Medium (3)")], INCIDENT,
         "changed severity of INC-000418 from SEV-2 High to SEV-3 Medium"),
        ([("title", "a", "b"), ("type", "c", "d")], INCIDENT, "changed title and type of INC-000418"),
        ([("title", "a", "b"), ("type", "c", "d"), ("source", "e", "f")], INCIDENT, "changed 3 fields of INC-000418"),
        ([("systems", None, "Mail Intake (2), Identity (7)")], INCIDENT,
         "added Mail Intake, Identity to systems of INC-000418"),
        ([("systems", "Mail Intake (2)", None)], INCIDENT, "took Mail Intake out of systems of INC-000418"),
        ([("closed_at", "2026-11-17T12:00:00.000000Z", "2026-11-18T12:00:00.000000Z")], INCIDENT,
         "changed closed at of INC-000418"),
        ([], {**SEVERITY, "action": Action.CREATED}, "added the severity SEV-3"),
        ([], {**SEVERITY, "action": Action.DELETED}, "removed the severity SEV-3"),
        ([("groups", None, "Security lead (4)")], ACCOUNT, "gave Oscar Brandt the role Security lead"),
        ([("groups", "Security lead (4)", None)], ACCOUNT, "took the role Security lead from Oscar Brandt"),
        ([("is_active", "yes", "no")], ACCOUNT, "closed the account Oscar Brandt"),
        ([], {**ACCOUNT, "event": "Password changed"}, "changed the password of the account Oscar Brandt"),
        ([], {**ACCOUNT, "actor_id": 12, "action": Action.SIGNED_IN, "event": "Signed in with password"},
         "signed in with password"),
        ([], {**ACCOUNT, "action": Action.SIGN_IN_REFUSED, "reference": "oscar"}, "failed to sign in as oscar"),
        ([], {"action": Action.READ, "event": "Opened evidence EV-000088", "reference": "EV-000088"},
         "opened evidence EV-000088"),
        ([], {"action": Action.DECIDED, "event": "Approved stage 1, Security", "reference": "CHG-000231"},
         "approved stage 1, Security: CHG-000231"),
        ([], {"action": Action.EVENT, "event": "SMS is switched off", "model": "", "object_id": "", "name": ""},
         "SMS is switched off"),
        ([], {"model": "gone.thing", "object_id": "5", "name": "", "action": Action.CREATED},
         "added the gone.thing number 5"),
    ],
)  # fmt: skip
def test_one_row_reads_as_what_was_done(changes, fields, words):
    assert said(make_row(*changes, **fields)) == words


def test_a_gesture_is_told_by_what_it_was_about():
    gesture = uuid.uuid4()
    whole = {**INCIDENT, "gesture": gesture}
    part = make_row(
        model="incidents.responder", root_model="incidents.incident", root_id="418", gesture=gesture,
        action=Action.CREATED,
    )  # fmt: skip
    title = make_row(("title", "a", "b"), **whole)
    state = make_row(("status", "Declared", "Acknowledged"), **whole)
    decision = make_row(action=Action.DECIDED, event="Approved", **whole)
    assert principal([part, title, state, decision]) == decision
    assert principal([part, title, state]) == state
    assert principal([part, title]) == title
    assert said(part, title, state) == "acknowledged INC-000418"


def test_what_somebody_did_goes_before_what_the_system_did_because_of_it():
    person = make_row(("title", "a", "b"), **INCIDENT)
    system = make_row(("state", "Approved", "Voided"), actor_id=None, actor_name="system: approvals", **INCIDENT)
    assert principal([system, person]) == person
    assert said(make_row(("state", "Pending", "Withdrawn"), **INCIDENT)) == "withdrew INC-000418"


def test_several_objects_of_one_kind_are_counted():
    rows = [
        make_row(("status", "Resolved", "Closed"), object_id=str(n), reference=f"INC-00000{n}") for n in range(1, 4)
    ]
    assert said(*rows[:2]) == "closed INC-000001 and 1 other incident"
    assert said(*rows) == "closed INC-000001 and 2 other incidents"


def test_objects_of_other_kinds_are_counted_too():
    rows = [make_row(action=Action.CREATED, **SEVERITY), make_row(action=Action.CREATED, **ACCOUNT)]
    assert said(*rows) == "added the severity SEV-3, and 1 more record"


def test_what_it_is_about_is_strong_and_a_reference_is_not_broken():
    parts = sentence([make_row(("status", "Declared", "Acknowledged"), **INCIDENT)])
    assert [(part.text, part.strong, part.whole) for part in parts] == [
        ("acknowledged ", False, False),
        ("INC-000418", True, True),
    ]
