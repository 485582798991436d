"""The readiness page: who would be paged now, and every hole with the place to mend it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.dashboard.selectors import readying
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import (
    make_calendar,
    make_contact,
    make_emergency_contact,
    make_shift,
    make_system,
    make_team,
)
from tests.factories.incidents import make_policy

pytestmark = pytest.mark.django_db


def shown_to(client, *roles):
    client.force_login(make_user(roles=roles), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/readiness/")
    assert answer.status_code == 200
    return answer.content.decode()


def make_ready(name):
    """A system that somebody owns, and whose policy pages its team and then Arjun."""
    team = make_team("platform")
    now = clock.now()
    make_shift(team, make_contact("Mei Tanaka"), starts=now - timedelta(days=1), until=now + timedelta(days=30))
    system = make_system(name=name, owner=team)
    make_emergency_contact(system, make_contact("Tomasz Wieczorek"), backup=make_contact("Jonas Lindqvist"))
    make_policy("Platform first", steps=[team, make_contact("Arjun Mehta")], systems=[system])
    return system


def test_each_step_names_whom_it_would_reach_now(client):
    make_ready("Search Index")

    text = shown_to(client, "responder")

    assert "Search Index" in text
    assert text.index("Mei Tanaka") < text.index("Arjun Mehta")
    assert "Then after 5 min" in text
    assert "Platform first" in text


def test_a_hole_is_named_with_a_link_that_mends_it(client):
    system = make_system("orphan", name="Orphan", owner=None)

    text = shown_to(client, "administrator")

    assert "Nobody owns Orphan" in text
    assert f"/admin/directory/system/{system.pk}/change/" in text


def test_whoever_may_not_mend_a_hole_sees_it_without_the_link(client):
    system = make_system("orphan", name="Orphan", owner=None)

    text = shown_to(client, "auditor")

    assert "Nobody owns Orphan" in text
    assert f"/admin/directory/system/{system.pk}/change/" not in text


def test_a_team_with_nobody_on_call_after_friday_is_a_hole(client):
    now = clock.now()
    team = make_team("platform")
    make_shift(team, make_contact("Mei Tanaka"), starts=now - timedelta(days=1), until=now + timedelta(days=3))

    text = shown_to(client, "manager")

    assert "Nobody is on call for Platform after" in text
    assert "/directory/teams/platform/on-call/" in text


def test_a_system_that_is_no_longer_used_is_left_out(client):
    make_system(name="Old Thing", active=False)
    assert "Old Thing" not in shown_to(client, "manager")


def test_an_empty_portal_says_what_to_do(client):
    assert "There is no system yet" in shown_to(client, "administrator")


def test_the_page_asks_the_same_number_of_queries_for_many_systems(client):
    client.force_login(make_user(roles=["manager"]), backend="django.contrib.auth.backends.ModelBackend")
    make_ready("Search Index")
    client.get("/readiness/")
    few = queries_of(client)
    team = make_team("platform")
    for number in range(6):
        system = make_system(name=f"Thing {number}", owner=team)
        make_emergency_contact(system, make_contact(), backup=make_contact())
    assert queries_of(client) == few


def queries_of(client):
    with CaptureQueriesContext(connection) as queries:
        client.get("/readiness/")
    return len(queries)


def allowed(*codenames):
    """An account with these permissions and no role."""
    user = make_user()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def make_holes_of_every_kind():
    """Holes about a system, a team, a person, a calendar, the administrators and a policy."""
    make_team("idle", name="Idle")
    make_emergency_contact(make_system(name="Orphan", owner=None), make_contact("Arjun Mehta", reachable=False))
    make_policy("Hollow", steps=[])
    make_calendar("Moon", time_zone="Moon/Tranquility")


def seen_by(user):
    """The holes that an account is shown, each by a word of its sentence that no other has."""
    words = ("Nobody owns Orphan", "on call for Idle", "Arjun", "Moon", "No administrator", "Hollow")
    sentences = [gap.hole.sentence for gap in readying.readiness(user, at=clock.now()).gaps]
    return {word for word in words if any(word in sentence for sentence in sentences)}


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ("view_system", {"Nobody owns Orphan"}),
        ("view_team", {"on call for Idle"}),
        ("view_contact", {"Arjun", "No administrator"}),
        ("view_calendar", {"Moon"}),
        ("view_escalationpolicy", {"Hollow"}),
        ("view_incident", set()),
    ],
)
def test_a_hole_is_shown_to_whoever_may_see_what_it_is_about(permission, expected):
    make_holes_of_every_kind()
    assert seen_by(allowed(permission)) == expected


def test_a_guard_that_is_missing_is_a_hole_for_whoever_may_read_the_trail(client):
    on = " ON audit_trail" if connection.vendor == "postgresql" else ""
    name = "watchbook_guard" if on else "watchbook_guard_update_audit_trail"
    client.force_login(make_user(roles=["manager"]))
    assert "guard of the record" not in client.get("/readiness/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on}")
    html = client.get("/readiness/").content.decode()
    assert f"1 guard of the record is missing, altered or disabled: audit_trail: {name}." in html
    assert "python3 manage.py audit install-guards" in html
    client.force_login(make_user(roles=["auditor"], engaged=False))
    assert "guard of the record" not in client.get("/readiness/").content.decode()
