"""A decision that did not come about by deciding is found, and so is a telling of one that never was."""

import pytest
from django.db import IntegrityError, connection, transaction

from portal.approvals.models import Decision
from portal.audit import reconciling
from portal.audit.guards import lifted
from portal.audit.models import TrailRow
from portal.audit.reconciling import Kind
from portal.lib import clock
from tests.factories.approvals import decide, make_person, make_request

pytestmark = pytest.mark.django_db


def sql(statement, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)


def reconcile():
    """The findings of a run, as kind and object."""
    row = reconciling.begin(by="Amara Okafor", at=clock.now())
    reconciling.run(row, now=clock.now, settle=lambda row, at: None, tell=lambda _: None)
    return [(found.kind, found.model, found.object_id) for found in reconciling.last_run().findings]


@pytest.fixture
def hannah():
    return make_person("Hannah Whitcombe", "manager")


@pytest.fixture
def asked(hannah):
    make_person("Arjun Mehta", "change-approver")
    return make_request(implementer=make_person("Jonas Lindqvist"))


def typed(request, decider, **others):
    """A decision typed into the database, with true copies but for the others."""
    values = {
        "stage_id": request.stages.get(state="open").pk, "decider_id": decider.pk, "decided_by": str(decider),
        "verdict": "approve", "reason": "", "origin": "web", "address": "", **others,
    }  # fmt: skip
    copied = ["digest", "requester_id", "requester_name", "implementer_id", "implementer_name", "round"]
    columns, holes = ", ".join([*values, *copied]), ", ".join(["%s"] * len(values))
    sql(
        f"INSERT INTO approvals_decision (request_id, decided_at, {columns}) "
        f"SELECT id, asked_at, {holes}, {', '.join(copied)} FROM approvals_approvalrequest WHERE id = {request.pk}",
        *values.values(),
    )


def test_decisions_that_were_made_are_no_finding(asked, hannah):
    decide(decide(asked, hannah), make_person("Second Approver", "change-approver"))
    assert reconcile() == []


def test_a_decision_typed_in_a_managers_name_is_found(asked, hannah):
    typed(asked, hannah)
    assert reconcile() == [(Kind.UNHEARD, "approvals.decision", str(Decision.objects.get().pk))]


def test_nobody_decides_under_another_name(asked, hannah):
    with pytest.raises(IntegrityError, match="Decision: the decider is not called so"):
        typed(asked, hannah, decided_by="Somebody Else Entirely")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("decider_id = 999999", Kind.MISHEARD),
        ("decided_by = 'Somebody Else Entirely'", Kind.MISHEARD),
        ("decided_at = '2020-01-01 00:00:00'", Kind.MISHEARD),
        ("digest = 'x'", Kind.STRAYS),
        ("requester_id = 999999", Kind.STRAYS),
        ("implementer_name = 'Somebody Else Entirely'", Kind.STRAYS),
        ("implementer_id = NULL", Kind.STRAYS),
    ],
)
def test_a_decision_that_is_told_otherwise_or_strays_from_its_request_is_found(asked, hannah, change, kind):
    decide(asked, hannah)
    with lifted():
        sql(f"UPDATE approvals_decision SET {change}")
        found = reconcile()
    assert found == [(kind, "approvals.decision", str(Decision.objects.get().pk))]


def test_a_decision_that_the_trail_lost_is_found(asked, hannah):
    decide(asked, hannah)
    with lifted():
        sql("DELETE FROM audit_trail WHERE action = 'decided'")
        found = reconcile()
    assert found == [(Kind.UNHEARD, "approvals.decision", str(Decision.objects.get().pk))]


def test_a_telling_of_a_decision_that_never_was_is_found(asked, hannah):
    decide(asked, hannah)
    told = TrailRow.objects.filter(action="decided").get()
    values = {f.attname: getattr(told, f.attname) for f in told._meta.concrete_fields if not f.primary_key}
    TrailRow(**{**values, "gesture": None}).save()
    assert reconcile() == [(Kind.BASELESS, "approvals.approvalrequest", str(asked.pk))]
