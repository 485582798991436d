"""All steps of a policy are written in one act, with history, and a sound policy is never left half written."""

from __future__ import annotations

import pytest

from incidents.enums import TargetKind
from incidents.models import EscalationStep, EscalationTarget
from incidents.policies import StepDraft, new_version, set_steps
from incidents.policy import Refused
from tests.factories.directory import NOON, make_contact, make_team
from tests.factories.incidents import make_policy

pytestmark = pytest.mark.django_db


def test_steps_are_written_in_their_order_by_somebody():
    policy, amara, team = make_policy(), make_contact("Amara"), make_team()
    drafts = [
        StepDraft(None, 0, ((TargetKind.TEAM, team.pk), (TargetKind.TEAM, team.pk))),
        StepDraft(None, 60, ((TargetKind.ROLE, "security_lead"),)),
    ]
    assert set_steps(policy, drafts, by=amara, at=NOON, reason="New team")
    first, second = policy.steps.order_by("position")
    assert [(step.position, step.delay_seconds) for step in (first, second)] == [(1, 0), (2, 60)]
    assert first.targets.get().team == team, "the same target counts once"
    row = second.history.get()
    assert (row.actor_name, row.history_change_reason) == ("Amara", "New team")


def test_what_is_taken_away_leaves_its_history():
    policy = make_policy(steps=[make_contact()])
    step = policy.steps.get()
    target = step.targets.get()
    assert set_steps(policy, [], by="system: tests", at=NOON, reason="A test")
    assert not policy.steps.exists()
    assert EscalationStep.history.filter(id=step.pk).latest().history_type == "-"
    assert EscalationTarget.history.filter(id=target.pk).latest().history_type == "-"


def test_the_same_steps_again_change_nothing():
    person = make_contact()
    policy = make_policy(steps=[person])
    same = [StepDraft(policy.steps.get().pk, 0, ((TargetKind.PERSON, person.pk),))]
    assert not set_steps(policy, same, by="system: tests", at=NOON, reason="A test")


def test_a_step_of_another_policy_cannot_be_taken_over():
    other = make_policy(steps=[make_contact()]).steps.get()
    policy = make_policy()
    set_steps(policy, [StepDraft(other.pk, 30)], by="system: tests", at=NOON, reason="A test")
    other.refresh_from_db()
    assert other.policy != policy
    assert policy.steps.get().pk != other.pk


def test_too_many_steps_are_refused():
    policy = make_policy(steps=[make_contact()])
    with pytest.raises(Refused, match="at most 20 steps"):
        set_steps(policy, [StepDraft(None, 0)] * 21, by="system: tests", at=NOON, reason="A test")
    assert policy.steps.count() == 1


def test_an_edit_is_counted():
    policy = make_policy()
    new_version(policy, by="system: tests", at=NOON, reason="A test")
    policy.refresh_from_db()
    assert policy.version == 2
