"""Several counts take one query."""

import pytest
from django.db.models import OuterRef

from portal.directory.models import Contact, Team
from portal.lib.counting import Counted, counts_of
from tests.factories.directory import make_contact, make_team

pytestmark = pytest.mark.django_db


def test_several_queries_are_counted_in_one(django_assert_num_queries):
    team = make_team("storage", members=[make_contact("Mei Tanaka"), make_contact("Arjun Mehta")])
    with django_assert_num_queries(1):
        found = counts_of(
            people=Contact.objects.filter(teams=team),
            mei=Contact.objects.filter(name="Mei Tanaka"),
            none=Team.objects.none(),
        )
    assert found == {"people": 2, "mei": 1, "none": 0}


def test_what_is_empty_anyway_is_not_asked_for(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert counts_of(none=Team.objects.none()) == {"none": 0}


def test_a_slice_counts_no_further_than_its_length():
    team = make_team("storage", members=[make_contact(f"Person {number}") for number in range(4)])
    members = Contact.objects.filter(teams=OuterRef("pk")).values("pk")
    asked = Team.objects.filter(pk=team.pk)
    assert asked.annotate(found=Counted(members)).values_list("found", flat=True)[0] == 4
    assert asked.annotate(found=Counted(members[:3])).values_list("found", flat=True)[0] == 3
