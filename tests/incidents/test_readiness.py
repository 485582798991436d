"""The readiness page knows every hole of escalation, and who would be paged at this moment."""

from __future__ import annotations

import pytest

from incidents import readiness
from incidents.models import EscalationPolicy
from portal.directory.enums import EmergencyRole
from tests.factories.accounts import make_user
from tests.factories.directory import (
    NOON,
    make_channel,
    make_contact,
    make_emergency_contact,
    make_shift,
    make_system,
    make_team,
)
from tests.factories.incidents import make_policy, make_step

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_seeded():
    """Each test starts without a policy that fits."""
    for policy in EscalationPolicy.objects.all():
        policy.active, policy.is_default = False, False
        policy.save()


def sentences(tone=None):
    return [hole.sentence for hole in readiness.holes(at=NOON) if tone in (None, hole.severity_tone)]


def covered(*steps, **fields):
    """A policy for everything and one for security, so that only their own holes are left."""
    make_policy("Break-ins", steps=[make_contact()], security=True)
    return make_policy("Nights", steps=steps, default=True, **fields)


def test_a_sound_policy_has_no_hole():
    make_system()
    covered(make_contact(), make_team(on_call=make_contact()), make_channel())
    assert sentences() == []


def test_a_system_without_any_policy_and_no_default():
    system = make_system(name="Ticket store")
    assert f"No escalation policy covers {system}, and none is the default." in sentences("red")[0]


def test_no_policy_for_security():
    make_policy(steps=[make_contact()], default=True)
    assert "No escalation policy is for security incidents." in sentences("amber")[0]


def test_a_policy_without_steps():
    covered()
    assert sentences("red") == ["“Nights” has no step. The administrators are paged instead."]


def test_a_step_without_targets():
    policy = covered(make_contact())
    make_step(policy)
    assert sentences("red") == ["Step 2 of “Nights” pages nobody. The administrators are paged instead."]


def test_a_step_whose_person_has_left():
    covered(make_contact("Tom Berg", active=False))
    assert sentences("red") == ["Step 1 of “Nights”: Tom Berg has left."]


def test_a_step_whose_person_has_no_verified_method():
    covered(make_contact("Tom Berg", reachable=False))
    assert sentences("red") == ["Step 1 of “Nights”: Tom Berg has no verified contact method."]


def test_a_hole_beside_somebody_who_is_reached_is_amber():
    covered([make_contact("Tom Berg", active=False), make_contact()])
    assert sentences("red") == []
    assert sentences("amber") == ["Step 1 of “Nights”: Tom Berg has left."]


def test_a_team_with_nobody_on_call():
    covered(make_team(name="Night shift"))
    assert sentences("red") == ["Step 1 of “Nights”: Nobody is on call for Night shift."]


def test_a_channel_that_is_not_in_use():
    covered(make_channel("War room", active=False))
    assert sentences("red") == ["Step 1 of “Nights”: The channel War room is not in use any more."]


def test_a_role_that_a_system_does_not_fill():
    filled, empty = make_system(name="Ticket store"), make_system(name="Mail gateway")
    make_emergency_contact(filled, make_contact(), role=EmergencyRole.SECURITY_LEAD)
    covered("security_lead")
    found = [hole for hole in readiness.holes(at=NOON) if hole.severity_tone == "red"]
    assert [(hole.about, hole.sentence) for hole in found] == [
        (empty, "Step 1 of “Nights” pages the Security Lead, whom Mail gateway does not name.")
    ]


def test_a_policy_that_is_not_in_use_has_no_holes():
    covered(make_contact())
    make_policy("Old", active=False)
    assert sentences() == []


def test_every_hole_leads_to_where_it_is_mended(client):
    make_system()
    covered(make_contact(active=False), "security_lead", [])
    client.force_login(make_user(roles=["administrator"]))
    addresses = {hole.fix_url for hole in readiness.holes(at=NOON)}
    assert addresses
    assert all(client.get(address).status_code == 200 for address in addresses)


def test_who_would_be_paged_now_is_named_step_by_step():
    system = make_system(name="Ticket store")
    lead, backup = make_contact("Sofia Marin", reachable=False), make_contact("Ben Adler")
    make_emergency_contact(system, lead, role=EmergencyRole.OPERATIONS_LEAD, backup=backup)
    team = make_team(name="Platform", on_call=make_contact("Amara Okafor"))
    policy = make_policy("Days", steps=[team, "operations_lead"], systems=[system])
    path = readiness.who_would_be_paged([system], at=NOON)[system.pk]
    assert path.policy == policy
    assert [(step.number, step.wait, step.names) for step in path.steps] == [
        (1, "at once", "Amara Okafor (on call for Platform)"),
        (2, "after 5 min", "Ben Adler (backup of the Operations Lead)"),
    ]
    assert path.steps[1].holes == ["Sofia Marin (Operations Lead) cannot be reached."]


def test_a_handover_changes_who_would_be_paged():
    system, team = make_system(), make_team(name="Platform", on_call=make_contact("Amara Okafor"))
    make_policy(steps=[team], default=True)
    make_shift(team, make_contact("Ben Adler"), starts=NOON)
    path = readiness.who_would_be_paged([system], at=NOON)[system.pk]
    assert path.steps[0].names == "Ben Adler (on call for Platform)"


def test_without_a_policy_the_administrators_are_the_last_resort():
    system = make_system()
    admin = make_contact("Ida Nord", user=make_user(roles=["administrator"]))
    path = readiness.who_would_be_paged([system], at=NOON)[system.pk]
    assert (path.policy, path.steps) == (None, [])
    assert [one.contact for one in path.last_resort] == [admin]


def test_the_number_of_queries_does_not_grow_with_systems_or_policies(django_assert_max_num_queries):
    def grow(number):
        for _ in range(number):
            system = make_system()
            make_policy(steps=[make_contact(), "security_lead"], systems=[system])
        return list(type(system).objects.all())

    systems = grow(2)
    with django_assert_max_num_queries(40) as few:
        readiness.holes(at=NOON)
        readiness.who_would_be_paged(systems, at=NOON)
    systems = grow(8)
    with django_assert_max_num_queries(40) as many:
        readiness.holes(at=NOON)
        readiness.who_would_be_paged(systems, at=NOON)
    assert len(many) == len(few)
