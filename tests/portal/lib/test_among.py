"""Many ids are looked for by one parameter, on either database."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.directory.models import OnCallShift, Team
from tests.factories.directory import NOON, make_contact, make_shift, make_team

pytestmark = pytest.mark.django_db


def test_it_finds_the_rows_of_these_ids_alone():
    first, _, third = make_team(), make_team(), make_team()
    assert set(Team.objects.filter(pk__among=[first.pk, third.pk, 0])) == {first, third}


def test_it_follows_keys_and_relations():
    team = make_team()
    shift = make_shift(team, make_contact(), starts=NOON)
    make_shift(make_team(), make_contact(), starts=NOON)
    assert list(OnCallShift.objects.filter(team_id__among=[team.pk])) == [shift]
    assert list(OnCallShift.objects.filter(team__id__among=[team.pk])) == [shift]


def test_nothing_is_found_among_none():
    make_team()
    assert not Team.objects.filter(pk__among=[]).exists()


def test_more_ids_than_a_database_takes_parameters_are_no_trouble():
    team = make_team()
    with CaptureQueriesContext(connection) as queries:
        assert list(Team.objects.filter(pk__among=range(team.pk, team.pk + 70_000)).values_list("pk", flat=True)) == [
            team.pk
        ]
    assert len(queries) == 1
