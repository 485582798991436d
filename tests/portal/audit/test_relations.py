import pytest
from django.contrib.auth.models import Group

from portal.directory.models import Team
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_team
from tests.factories.history import kinds, last, since

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_history_begins")]


class TestRelations:
    def members(self, row):
        return set(row.members.values_list("contact_id", flat=True))

    def test_a_change_of_relations_alone_is_recorded_with_all_of_them(self):
        team, one, two = make_team(), make_contact(), make_contact()
        team.members.add(one)
        team.members.add(two)
        team.members.remove(one)
        assert kinds(Team) == ["+", "~", "~", "~"]
        rows = since(Team)
        assert [self.members(row) for row in rows] == [set(), {one.pk}, {one.pk, two.pk}, {two.pk}]

    def test_nothing_changed_is_not_recorded(self):
        team, one, two = make_team(), make_contact(), make_contact()
        team.members.add(one)
        team.members.add(one)
        team.members.remove(two)
        team.members.set([one])
        assert kinds(Team) == ["+", "~"]
        team.members.clear()
        team.members.clear()
        assert kinds(Team) == ["+", "~", "~"]

    def test_the_other_side_records_the_row_that_owns_the_relation(self):
        one, team, other = make_contact(), make_team(), make_team()
        one.teams.add(team, other)
        assert [self.members(row) for row in (team.history.first(), other.history.first())] == [{one.pk}, {one.pk}]
        one.teams.remove(team)
        assert self.members(team.history.first()) == set()
        one.teams.clear()
        assert self.members(other.history.first()) == set()
        assert one.history.count() == 1

    def test_a_role_given_from_the_group_is_recorded_on_the_account(self):
        user = make_user()
        Group.objects.get(name="Auditor").user_set.add(user)
        assert user.history.first().groups.count() == 1

    def test_relations_do_not_record_what_was_not_saved(self):
        team, one = make_team(name="Ops"), make_contact()
        team.name = "Unsaved"
        team.members.add(one)
        assert last(Team).name == "Ops"

    def test_saving_a_row_keeps_its_relations(self):
        team, one = make_team(), make_contact()
        team.members.add(one)
        team.name = "Renamed"
        team.save()
        assert self.members(last(Team)) == {one.pk}
