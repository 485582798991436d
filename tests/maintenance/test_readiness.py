"""Readiness names each promise of recovery that stands on too little, and each plan that nobody answers for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from maintenance import readiness, services
from portal.audit.actor import acting
from portal.dashboard.selectors import readying
from tests.factories.accounts import make_user
from tests.factories.approvals import decide, make_person, make_request, set_stages
from tests.factories.directory import NOON, make_contact, make_system, make_team
from tests.factories.exercises import make_recovery_plan
from tests.factories.maintenance import WHY, make_draft, make_member, make_plan
from tests.maintenance.test_backups import make_backup
from tests.maintenance.test_restoring import restore

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HOLLOW = "Ticket desk promises its recovery, and no backup of it is written down, it was never proven and it is not"


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


def sentences(*, with_approvals=False):
    return [hole.sentence for hole in readiness.holes(with_approvals=with_approvals)]


def test_a_promise_that_stands_on_nothing_is_one_hole_that_says_what_is_missing():
    make_system("desk", name="Ticket desk", rto=60, rpo=60)
    make_system("wiki", name="Wiki")
    make_system("old", name="Old", rto=60, active=False)
    [hole] = readiness.holes(with_approvals=True)
    assert hole.sentence == f"{HOLLOW} approved as it stands."
    assert hole.fix_url == "/recovery/systems/desk/"


def test_what_is_done_is_named_no_longer():
    desk = make_system("desk", name="Ticket desk", rto=60, rpo=60)
    plan = make_backup(desk, at=NOON - DAY)
    assert sentences() == ["Ticket desk promises its recovery, and it was never proven."]
    restore(desk, started=NOON - 2 * DAY, succeeded=False)
    assert sentences() == ["Ticket desk promises its recovery, and it was never proven."]
    restore(desk, started=NOON - DAY)
    assert sentences() == []
    services.retire_backup(plan, by="system: test", at=NOON, reason=WHY)
    assert sentences() == ["Ticket desk promises its recovery, and no backup of it is written down."]


def test_an_approved_promise_is_named_again_once_it_is_changed():
    desk = make_system("desk", name="Ticket desk", rto=60, rpo=60)
    make_backup(desk, at=NOON - DAY)
    restore(desk, started=NOON - DAY)
    assert sentences(with_approvals=True) == ["Ticket desk promises its recovery, and it is not approved as it stands."]
    set_stages("objective", ("Management", "Manager", 1))
    decider = make_person("Mei Tanaka", "manager")
    decide(make_request(subject=desk.objective), decider)
    assert sentences(with_approvals=True) == []
    desk.objective.rto_minutes = 50
    desk.objective.save()
    assert "not approved as it stands" in sentences(with_approvals=True)[0]


def test_readers_hear_of_these_holes_by_what_they_may_read():
    make_system("desk", name="Ticket desk", rto=60, rpo=60)

    def told(*codenames):
        user = make_user()
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        found = readying.readiness(user, at=NOON).gaps
        return [gap.hole.sentence for gap in found if "promises its recovery" in gap.hole.sentence]

    assert told("view_system") == []
    assert "approved" not in told("view_system", "view_backupplan")[0]
    assert "approved" in told("view_system", "view_backupplan", "view_approvalrequest")[0]


def test_the_page_of_a_system_says_whether_its_promise_is_approved(client):
    client.force_login(make_member("Maren Holt", "manager")[0])
    make_system("desk", name="Ticket desk", rto=60, rpo=60)
    assert "Not approved" in client.get("/recovery/systems/desk/").content.decode()
    make_system("wiki", name="Wiki")
    assert "Not approved" not in client.get("/recovery/systems/wiki/").content.decode()


def test_many_promises_cost_as_many_queries_as_few(django_assert_max_num_queries):
    for number in range(12):
        make_system(f"s{number}", name=f"System {number}", rto=60)
    with django_assert_max_num_queries(5):
        assert len(readiness.holes(with_approvals=True)) == 12


def leaver(name="Maren Holt"):
    """Somebody who is there until the test says otherwise."""
    contact = make_contact(name)

    def leave():
        contact.active = False
        contact.save()

    return contact, leave


def unled():
    return [(hole.sentence, hole.fix_url) for hole in readiness.plans_without_a_lead()]


def test_a_plan_whose_manager_has_left_and_that_has_no_team_is_a_hole_that_leads_to_it():
    maren, leave = leaver()
    plan = make_plan(task="Renew certificates", manager=maren)
    make_draft(manager=maren)
    make_plan(manager=maren, team=make_team(members=[make_contact("Joel Brandt")]))
    assert unled() == []
    leave()
    words = f"Maren Holt, who manages {plan.reference} Renew certificates, has left, and it names no team."
    assert unled() == [(f"{words} Name another manager.", f"/maintenance/{plan.reference}/")]


def test_a_team_of_which_nobody_is_left_is_as_good_as_none():
    maren, leave = leaver()
    make_plan(manager=maren, team=make_team(members=[maren]))
    leave()
    [(sentence, _)] = unled()
    assert "has left, and nobody of its team is still there." in sentence


def test_the_manager_of_what_reminds_of_exercises_is_named_in_the_recovery_plan():
    maren, leave = leaver()
    plan = make_recovery_plan(manager=maren)
    leave()
    [(sentence, url)] = unled()
    assert f"who manages {plan.reference}" in sentence
    assert url == f"/recovery/plans/{plan.reference}/"


def test_of_very_many_such_plans_the_first_are_named_and_the_others_counted(monkeypatch, django_assert_max_num_queries):
    maren, leave = leaver()
    for _ in range(4):
        make_plan(manager=maren)
    leave()
    monkeypatch.setattr(readiness, "MOST_PLANS", 2)
    with django_assert_max_num_queries(2):
        found = unled()
    assert len(found) == 3
    assert found[-1][0].startswith("2 more maintenance plans have a manager who has left")
    assert found[-1][1] == "/maintenance/plans/import/"


def test_readers_hear_of_plans_without_a_lead_by_what_they_may_read_and_mend(client):
    maren, leave = leaver()
    plan = make_plan(manager=maren)
    leave()

    def shown(role):
        client.force_login(make_member(f"Somebody {role}", role)[0])
        return client.get("/readiness/").content.decode()

    assert f'href="/maintenance/{plan.reference}/"' in shown("manager")
    assert "Once it is overdue past its grace, the administrators are told instead." in shown("manager")
    seen = shown("auditor")
    assert "Maren Holt, who manages" in seen
    assert f'href="/maintenance/{plan.reference}/"' not in seen


def test_the_page_of_a_plan_says_that_nobody_of_its_own_is_told(client):
    maren, leave = leaver()
    plan = make_plan(manager=maren)
    client.force_login(make_member("Kwame Mensah", "manager")[0])
    address = plan.get_absolute_url()
    assert "nobody of a team can be told" not in client.get(address).content.decode()
    leave()
    assert "nobody of a team can be told" in client.get(address).content.decode()
