"""How records are shown to those who approve them: all that matters, exactly, and nothing that says nothing."""

import pytest

from incidents.approving import POLICY
from incidents.models import EscalationStep
from portal.approvals import reference, registry
from portal.approvals.models import ApprovalRule, RuleStage
from portal.approvals.registry import Approvable
from portal.approvals.subjects import OBJECTIVE, SEVERITY
from portal.directory.models import Severity, Team
from tests.factories.approvals import make_objective
from tests.factories.changes import make_change, make_template
from tests.factories.communications import make_draft
from tests.factories.directory import make_channel, make_contact, make_severity, make_system, make_team
from tests.factories.incidents import make_incident, make_policy
from tests.factories.runbooks import make_runbook

pytestmark = pytest.mark.django_db


def shown(kind, obj):
    return dict(kind.facts(kind.read(obj.pk)))


def test_an_objective_is_shown_to_the_minute():
    found = shown(OBJECTIVE, make_objective(rto=90, rpo=0))
    assert (found["RTO"], found["RPO"]) == ("90 min (1 h 30 min)", "0 min")
    assert shown(OBJECTIVE, make_objective(rto=24 * 60 + 1))["RTO"] == "1441 min (1 day)"


def test_a_severity_is_shown_with_its_clocks():
    found = shown(SEVERITY, make_severity(1))
    assert found["Code"] == "SEV-1"
    assert found["Major incident"] == "yes"
    assert found["Clock Stakeholders"] == "15 min, then every 30 min"
    assert found["Clock Resolve"] == "the tightest RTO of the affected systems"
    assert shown(SEVERITY, make_severity(4))["Clock Response"] == "end of the next business day"


def test_a_policy_is_shown_with_whom_it_pages():
    ada, team, room = make_contact("Ada"), make_team("ops"), make_channel("Room")
    system = make_system("mail", name="Mail")
    policy = make_policy(
        "Mail", steps=[[ada, team], (600, [room, "primary_owner"])], systems=[system], final_wait_seconds=45
    )
    found = shown(POLICY, policy)
    assert found["Used for systems"] == f"Mail ({system.pk})"
    assert found["Step 1 waits"] == "0 s"
    assert found["Step 1 pages"] == f"Person: Ada ({ada.pk})\nWhoever is on call for a team: {team} ({team.pk})"
    assert found["Step 2 waits"] == "600 s (10 min)"
    assert found["Step 2 pages"] == f"Channel: Room ({room.pk})\nEmergency role of the affected systems: Primary Owner"
    assert (found["Last wait"], found["Steps repeat"]) == ("45 s", "1 times after the first")


@pytest.mark.parametrize("change", ["repeat", "active", "for_security", "name", "final_wait_seconds"])
def test_every_edit_of_a_policy_is_seen(change):
    policy = make_policy(steps=[make_contact()])
    before = POLICY.digest(POLICY.read(policy.pk))
    now = getattr(policy, change)
    setattr(policy, change, not now if isinstance(now, bool) else now + 1 if isinstance(now, int) else "Another")
    policy.save()
    assert POLICY.digest(POLICY.read(policy.pk)) != before


def test_another_person_of_the_same_name_is_seen():
    policy = make_policy(steps=[make_contact("Ada")])
    before = POLICY.digest(POLICY.read(policy.pk))
    target = EscalationStep.objects.get(policy=policy).targets.get()
    target.contact = make_contact("Ada")
    target.save()
    assert POLICY.digest(POLICY.read(policy.pk)) != before


def test_counting_an_edit_is_not_one():
    policy = make_policy(steps=[make_contact()])
    before = POLICY.digest(POLICY.read(policy.pk))
    policy.version += 1
    policy.save()
    assert POLICY.digest(POLICY.read(policy.pk)) == before


def test_two_records_that_read_alike_have_two_digests():
    first, second = make_policy("A", steps=[]), make_policy("B", steps=[])
    rows = [POLICY.read(pk) for pk in (first.pk, second.pk)]
    rows[1].name = "A"
    assert POLICY.digest(rows[0]) != POLICY.digest(rows[1])


@pytest.mark.parametrize("kind", registry.kinds(), ids=lambda kind: kind.kind)
def test_many_records_are_read_in_a_fixed_number_of_queries(kind, django_assert_max_num_queries):
    incident = make_incident()
    make = {
        "objective": make_objective,
        "severity": lambda: make_severity(5),
        "communication": lambda: make_draft(incident),
        "runbook-version": lambda: make_runbook(system=make_system()),
        "change": make_change,
        "change-template": make_template,
        "escalation-policy": lambda: make_policy(steps=[[make_contact(), make_team()], make_channel()]),
    }[kind.kind]
    make()
    with django_assert_max_num_queries(20) as few:
        [kind.digest(row) for row in kind.rows()]
    for _ in range(4):
        make()
    with django_assert_max_num_queries(len(few)):
        [kind.digest(row) for row in kind.rows()]


def test_a_kind_is_registered_once():
    registry.register(OBJECTIVE)
    taken = Approvable("objective", Team, "team", lambda _: [], Team.objects.all, str, ())
    with pytest.raises(ValueError, match="registered already"):
        registry.register(taken)
    with pytest.raises(ValueError, match="registered already"):
        registry.register(Approvable("other", Severity, "x", lambda _: [], Severity.objects.all, str, ()))


def test_rules_that_somebody_changed_are_left_alone():
    rule = ApprovalRule.objects.get(kind="severity")
    rule.decide_within_hours = 8
    rule.save()
    for stage in rule.stages.all():
        stage.delete()
    reference.load()
    assert ApprovalRule.objects.get(kind="severity").decide_within_hours == 8
    assert not RuleStage.objects.filter(rule=rule).exists()
