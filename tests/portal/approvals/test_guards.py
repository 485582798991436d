"""What the database itself refuses of requests and stages, whoever writes SQL."""

import pytest
from django.db import IntegrityError, connection, transaction

from portal.approvals.models import ApprovalRequest, Decision, Stage
from portal.audit import guards
from portal.audit.facts import AppendOnly
from tests.factories.approvals import decide, make_person, make_request

pytestmark = pytest.mark.django_db
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has such statements")


@pytest.fixture
def asked():
    make_person("Hannah Whitcombe", "manager")
    make_person("Arjun Mehta", "change-approver")
    return make_request(implementer=make_person("Jonas Lindqvist"))


def run(statement, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def standing(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return cursor.fetchall()


def deciders():
    make = {"manager": "Hannah", "change-approver": "Arjun"}
    return [make_person(name, role) for role, name in make.items()]


def test_every_guard_stands():
    named = [name for name in guards.missing() if "approvals_" in name]
    assert named == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("shown", "RTO: 5 min"),
        ("digest", "0" * 64),
        ("requester_id", 999_999),
        ("requester_name", "Somebody else"),
        ("subject_id", 999_999),
        ("title", "Something harmless"),
        ("why", "No reason"),
        ("reference", "APR-999999"),
        ("asked_by", "Somebody else"),
    ],
)
def test_what_was_shown_and_who_asked_never_changes(asked, column, value):
    with pytest.raises(IntegrityError, match="what was shown, and who asked, never changes"):
        run(f"UPDATE approvals_approvalrequest SET {column} = %s", value)


def test_no_request_is_approved_without_its_decisions(asked):
    with pytest.raises(IntegrityError, match="its stages have not approved it"):
        run("UPDATE approvals_approvalrequest SET state = 'approved', settled_at = asked_at, settled_by = 'x'")


def test_no_request_begins_approved(asked):
    columns = [f.column for f in ApprovalRequest._meta.concrete_fields if f.column not in {"id", "state", "reference"}]
    names = ", ".join(columns)
    with pytest.raises(IntegrityError, match="a request begins pending"):
        run(
            f"INSERT INTO approvals_approvalrequest (reference, state, {names}) "
            f"SELECT 'APR-000777', 'approved', {names} FROM approvals_approvalrequest"
        )


@pytest.mark.parametrize("state", ["denied", "expired", "voided", "withdrawn"])
def test_nothing_leaves_an_end(asked, state):
    run(f"UPDATE approvals_approvalrequest SET state = '{state}', settled_at = asked_at, settled_by = 'x'")
    with pytest.raises(IntegrityError, match="it does not move from that state to this one"):
        run("UPDATE approvals_approvalrequest SET state = 'pending', settled_at = NULL, settled_by = ''")


def test_pending_does_not_become_final(asked):
    with pytest.raises(IntegrityError, match="it does not move from that state to this one"):
        run("UPDATE approvals_approvalrequest SET state = 'final', settled_at = asked_at, settled_by = 'x'")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("implementer_id = NULL, implementer_name = ''", "another implementer needs another round"),
        ("implementer_name = 'Amara Okafor'", "another implementer needs another round"),
        ("round = round + 2", "another round begins pending"),
        ("round = round - 1", "another round begins pending|CHECK|check"),
    ],
)
def test_an_implementer_does_not_change_behind_the_decisions(asked, change, refusal):
    with pytest.raises(IntegrityError, match=refusal):
        run(f"UPDATE approvals_approvalrequest SET {change}")


def test_what_was_approved_is_not_opened_again_in_the_same_round(asked):
    hannah, arjun = deciders()
    decide(decide(asked, hannah), arjun)
    with pytest.raises(IntegrityError, match="decided again in another round only"):
        run("UPDATE approvals_approvalrequest SET state = 'pending', settled_at = NULL, settled_by = ''")


@pytest.mark.parametrize(
    "change", ["needed = 0", "needed = needed + 1", "role = 'Auditor'", "name = 'Nobody'", "position = 9"]
)
def test_who_decides_never_changes(asked, change):
    with pytest.raises(IntegrityError, match="who decides, and how many must, never changes"):
        run(f"UPDATE approvals_stage SET {change} WHERE position = 2")


def test_a_stage_does_not_open_before_its_turn(asked):
    run("UPDATE approvals_stage SET state = 'closed' WHERE position = 1")
    with pytest.raises(IntegrityError, match="the stages before it have not approved"):
        run("UPDATE approvals_stage SET state = 'open' WHERE position = 2")


def test_a_stage_is_not_approved_without_its_people(asked):
    with pytest.raises(IntegrityError, match="its people have not approved it"):
        run("UPDATE approvals_stage SET state = 'approved' WHERE position = 1")


def test_no_stage_is_slipped_in(asked):
    slip = (
        "INSERT INTO approvals_stage (request_id, position, name, role, needed, state) "
        "SELECT id, 3, 'Mine', 'Auditor', 1, {} FROM approvals_approvalrequest"
    )
    with pytest.raises(IntegrityError, match="a stage begins waiting"):
        run(slip.format("'open'"))
    hannah, _ = deciders()
    decide(asked, hannah)
    with pytest.raises(IntegrityError, match="stages come with the request"):
        run(slip.format("'waiting'"))


@pytest.mark.parametrize("table", ["approvals_approvalrequest", "approvals_stage"])
def test_nothing_is_deleted(asked, table):
    with pytest.raises(IntegrityError, match="it is never deleted"):
        run(f"DELETE FROM {table}")


@pytest.mark.parametrize(
    "statement", ["UPDATE approvals_decision SET verdict = 'deny'", "DELETE FROM approvals_decision"]
)
def test_a_decision_is_kept_as_it_was_made(asked, statement):
    decide(asked, deciders()[0])
    with pytest.raises(IntegrityError, match="kept for good"):
        run(statement)


def test_the_code_refuses_it_too(asked):
    decide(asked, deciders()[0])
    made = Decision.objects.get()
    with pytest.raises(AppendOnly, match="A decision is never edited"):
        made.save()
    with pytest.raises(AppendOnly, match="A decision is never deleted"):
        made.delete()
    with pytest.raises(AppendOnly, match="never edited"):
        Decision.objects.update(verdict="deny")


def replace(table, **others):
    """Write a row once more over itself, with other values for some columns."""
    found = ApprovalRequest if table == ApprovalRequest._meta.db_table else Stage
    columns = [field.column for field in found._meta.concrete_fields]
    values = ", ".join(others.get(column, column) for column in columns)
    run(f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}")


@on_sqlite
@pytest.mark.parametrize(
    ("table", "others"),
    [
        ("approvals_approvalrequest", {"requester_id": "999999"}),
        ("approvals_approvalrequest", {"requester_id": "999999", "id": "id + 1000"}),
        ("approvals_approvalrequest", {"shown": "'RTO: 5 min'", "id": "id + 1000", "reference": "'APR-000777'"}),
        ("approvals_approvalrequest", {"digest": "'0'"}),
        ("approvals_stage", {"role": "'Auditor'", "state": "'waiting'"}),
        ("approvals_stage", {"needed": "1", "state": "'waiting'", "id": "id + 1000"}),
    ],
    ids=["requester", "by its reference", "by its record", "digest", "role", "by its position"],
)
def test_no_row_takes_the_place_of_another(asked, table, others):
    before = standing(table)
    with pytest.raises(IntegrityError, match="replacing a row is refused"):
        replace(table, **others)
    assert standing(table) == before


@on_sqlite
@pytest.mark.parametrize("column", ["requester_id", "implementer_id"])
def test_law_10_holds_where_the_constraints_of_a_file_are_ignored(asked, column):
    make_person("Third Manager", "manager")
    run("PRAGMA ignore_check_constraints = 1")
    try:
        run(
            "INSERT OR IGNORE INTO accounts_user_groups (user_id, group_id) "
            f"SELECT r.{column}, g.id FROM approvals_approvalrequest r, auth_group g WHERE g.name = 'Manager'"
        )
        with pytest.raises(IntegrityError, match="Decision: nobody decides on"):
            run(
                "INSERT INTO approvals_decision (request_id, stage_id, round, decider_id, decided_by, decided_at, "
                "verdict, reason, digest, requester_id, requester_name, implementer_id, implementer_name, origin, "
                f"address) SELECT r.id, s.id, r.round, r.{column}, r.{column.replace('_id', '_name')}, r.asked_at, "
                "'approve', '', r.digest, r.requester_id, r.requester_name, r.implementer_id, r.implementer_name, "
                "'', '' FROM approvals_approvalrequest r JOIN approvals_stage s ON s.request_id = r.id "
                "WHERE s.state = 'open'"
            )
        with pytest.raises(IntegrityError, match="a stage needs somebody"):
            run(
                "INSERT INTO approvals_stage (request_id, position, name, role, needed, state) "
                "SELECT id, 3, 'Mine', 'Auditor', 0, 'waiting' FROM approvals_approvalrequest"
            )
    finally:
        run("PRAGMA ignore_check_constraints = 0")


def test_an_honest_life_passes_every_guard(asked):
    hannah, arjun = deciders()
    done = decide(decide(asked, hannah), arjun)
    assert done.state == "approved"
    assert set(Stage.objects.values_list("state", flat=True)) == {"approved"}
