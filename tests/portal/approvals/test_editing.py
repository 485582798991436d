"""Whoever edited a severity, an objective, an escalation policy or a change template does not decide on it."""

from datetime import timedelta

import pytest

from changes.models import ChangeTemplate
from incidents.enums import TargetKind
from incidents.policies import StepDraft, set_steps
from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import WROTE, Refused
from portal.audit.actor import acting
from portal.directory.models import Severity
from tests.factories.approvals import HOUR, decide, make_objective, make_person, make_request, open_stage, set_stages
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.incidents import make_policy

pytestmark = pytest.mark.django_db
WHY = "For the test"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def one_stage():
    with acting(by="system: test", at=NOON - DAY, reason=WHY):
        for kind in ("objective", "escalation-policy", "severity", "change-template"):
            set_stages(kind, ("Management", "Manager", 1))


@pytest.fixture
def mei():
    return make_person("Mei Tanaka", "manager")


@pytest.fixture
def maren():
    return make_person("Maren Holt", "manager")


def edit_objective(by, *, objective=None, at=NOON - HOUR, rto=50):
    with acting(by="system: test", at=NOON - DAY, reason=WHY):
        objective = objective or make_objective()
    with acting(by=by, at=at, reason=WHY):
        objective.rto_minutes = rto
        objective.save()
    return objective


def edit_severity(by):
    with acting(by=by, at=NOON - HOUR, reason=WHY):
        severity = Severity.objects.get(level=2)
        clock = severity.clocks.first()
        clock.limit += 1
        clock.save()
    return severity


def edit_steps(by):
    with acting(by="system: test", at=NOON - DAY, reason=WHY):
        policy, arjun = make_policy("Platform first", steps=[make_contact()]), make_contact("Arjun Mehta")
    step = policy.steps.get()
    set_steps(policy, [StepDraft(step.pk, 0, ((TargetKind.PERSON, arjun.pk),))], by=by, at=NOON - HOUR, reason=WHY)
    return policy


def edit_systems(by):
    with acting(by="system: test", at=NOON - DAY, reason=WHY):
        policy = make_policy("Platform first", steps=[make_contact()])
    with acting(by=by, at=NOON - HOUR, reason=WHY):
        policy.systems.set([make_system()])
    return policy


def edit_template(by):
    template = ChangeTemplate.objects.get(slug="security-patch")
    with acting(by=by, at=NOON - HOUR, reason=WHY):
        step = template.steps.first()
        step.text = "Patch it by hand"
        step.save()
    return template


def waits_for(user):
    return list(ApprovalRequest.objects.waiting_for(user, at=NOON + HOUR))


@pytest.mark.parametrize("edit", [edit_objective, edit_severity, edit_steps, edit_systems, edit_template])
def test_whoever_edited_it_does_not_decide_though_another_asks(edit, mei, maren):
    request = make_request(subject=edit(mei))
    with pytest.raises(Refused, match=WROTE):
        decide(request, mei)
    assert open_stage(request)
    assert (waits_for(mei), waits_for(maren)) == ([], [request])
    assert decide(request, maren).state == "approved"


def test_once_it_was_approved_what_somebody_wrote_before_counts_no_more(mei, maren):
    objective = edit_objective(mei)
    decide(make_request(subject=objective), maren)
    edit_objective(maren, objective=objective, at=NOON + DAY, rto=40)
    request = make_request(subject=objective, at=NOON + 2 * DAY)
    assert waits_for(mei) == [request]
    assert waits_for(maren) == []
    assert decide(request, mei, at=NOON + 2 * DAY + HOUR).state == "approved"


def test_what_was_asked_but_never_approved_does_not_make_an_edit_forgotten(mei, maren):
    objective = edit_objective(mei)
    decide(make_request(subject=objective), maren, "deny", reason="Too long")
    request = make_request(subject=objective, at=NOON + DAY)
    with pytest.raises(Refused, match=WROTE):
        decide(request, mei, at=NOON + DAY + HOUR)


def test_it_is_not_asked_for_when_only_its_writer_could_decide(mei):
    with pytest.raises(Refused, match="Manager"):
        make_request(subject=edit_objective(mei))
