import pytest
from django.apps import apps
from django.db import connection

from portal.audit import adopting, guards
from portal.audit.models import TrailRow
from portal.directory.models import Calendar
from tests.factories.accounts import make_user
from tests.factories.directory import make_system, make_team
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LASTING = ("at", "actor_name", "action", "model", "object_id", "root_model", "root_id", "history_id", "privileged")


@pytest.fixture
def _past(django_db_blocker):
    """A past of every kind: made, changed, deleted, related."""
    system, team = make_system(name="Billing"), make_team(name="Ops")
    system.owner = team
    system.save()
    incident = make_incident()
    incident.systems.add(system)
    incident.title = "Mail is slow"
    incident.save()
    incident.systems.clear()
    make_user(roles=["manager"])
    Calendar.objects.create(name="Gone").delete()


def forget_the_trail():
    with guards.lifted("default"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_trail")


def told():
    rows = TrailRow.objects.filter(history_id__isnull=False).order_by("model", "history_id")
    return [(tuple(getattr(row, name) for name in LASTING), sorted(row.differences)) for row in rows]


@pytest.mark.usefixtures("_past")
def test_history_from_before_the_trail_is_told_as_it_would_have_been():
    expected = told()
    forget_the_trail()
    count = adopting.adopt("default")
    assert count == len(expected)
    assert told() == expected


@pytest.mark.usefixtures("_past")
def test_it_happens_once_and_never_beside_a_trail():
    before = TrailRow.objects.count()
    adopting.adopt_history(apps.get_app_config("audit"), "default")
    assert TrailRow.objects.count() == before
    forget_the_trail()
    adopting.adopt_history(apps.get_app_config("accounts"), "default")
    assert not TrailRow.objects.exists()
    adopting.adopt_history(apps.get_app_config("audit"), "default")
    after = TrailRow.objects.count()
    assert TrailRow.objects.filter(action="event", event__startswith="Told ").count() == 1
    adopting.adopt_history(apps.get_app_config("audit"), "default")
    assert TrailRow.objects.count() == after
