"""What a restricted record costs the lists of everybody: nothing while nothing is hidden."""

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import services
from incidents.models import Incident
from portal.audit.models import TrailRow
from portal.lib import clock, visibility
from portal.lib.remembering import remembering
from portal.lib.visibility import VisibleQuerySet, hidden_keys, hidden_rows
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import make_severity
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
EVERY = [model for model in apps.get_models() if isinstance(model._default_manager.none(), VisibleQuerySet)]


@pytest.fixture
def reader():
    return make_superuser("reader")


@pytest.fixture
def secret():
    return make_restricted()


def make_restricted(**more):
    incident = make_incident(**more)
    return services.restrict(incident, by="system: tests", at=clock.now(), reason="It names people")


def test_while_nothing_is_hidden_no_list_has_a_condition(reader):
    make_incident()
    assert [model._meta.label for model in EVERY if hidden_rows(model, reader) is not None] == []
    assert not TrailRow.objects.visible_to(reader).query.where


@pytest.fixture
def asked():
    """Return the queries for restricted incidents, of what is run within."""
    with CaptureQueriesContext(connection) as queries:
        yield lambda: [query for query in queries if 'FROM "incidents_incident"' in query["sql"]]


def test_a_page_asks_once_what_is_hidden(reader, asked):
    with remembering():
        for model in EVERY:
            model._default_manager.visible_to(reader)
    assert len(asked()) == 1


def test_each_list_outside_of_a_page_asks_once(reader, asked):
    TrailRow.objects.visible_to(reader)
    TrailRow.objects.visible_to(reader)
    assert len(asked()) == 2


def test_what_is_hidden_stands_in_the_query_as_keys(reader, secret):
    assert hidden_keys(Incident, reader) == [secret.pk]
    assert 'FROM "incidents_incident"' not in str(TrailRow.objects.visible_to(reader).query)


def test_with_many_hidden_records_their_query_becomes_a_part_of_the_reader_s_own(reader, secret, monkeypatch):
    monkeypatch.setattr(visibility, "FEW", 1)
    other = make_restricted()
    shown = make_incident()
    keys = hidden_keys(Incident, reader)
    assert set(keys) == {secret.pk, other.pk}
    assert not isinstance(keys, list)
    assert list(Incident.objects.visible_to(reader)) == [shown]
    told = TrailRow.objects.visible_to(reader).filter(model="incidents.incident")
    assert set(told.values_list("object_id", flat=True)) == {str(shown.pk)}


def test_what_one_reader_may_not_see_is_never_the_answer_for_another(secret):
    lead = make_user("lead", roles=["security-lead"])
    with remembering():
        for user, seen in ((lead, [secret]), (make_user("r", roles=["responder"]), []), (lead, [secret])):
            assert list(Incident.objects.visible_to(user)) == seen


def test_an_answer_holds_for_one_page_and_no_longer(reader):
    incident = make_incident(severity=make_severity(2))
    with remembering():
        assert list(Incident.objects.visible_to(reader)) == [incident]
    services.restrict(incident, by="system: tests", at=clock.now(), reason="It names people")
    assert list(Incident.objects.visible_to(reader)) == []
    services.grant_access(
        incident, account=reader, by="system: tests", at=clock.now(), reason="They ask the right things"
    )
    assert list(Incident.objects.visible_to(reader)) == [incident]
    services.revoke_access(
        incident, grant=incident.grants.get(), by="system: tests", at=clock.now(), reason="It is done"
    )
    assert list(Incident.objects.visible_to(reader)) == []
